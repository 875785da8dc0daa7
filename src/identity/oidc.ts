import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose';
import type { Clock } from '../base/clock.js';
import { AuthError } from './auth-error.js';
import { fetchJson, type FetchLimits } from './bounded-fetch.js';
import { discoveryUrl, parseIssuerUrl, parseKeysUrl } from './issuer-url.js';

export interface OidcOptions {
  readonly clock: Clock;
  /** Only these issuers, exactly as they write themselves in `iss`. Everybody's tokens unless given. */
  readonly allowedIssuers?: readonly string[] | undefined;
  /** For one request; an issuer takes two. */
  readonly timeoutMs?: number | undefined;
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

interface IssuerKeys {
  readonly keySet: KeySet;
  readonly fetchedAtMs: number;
}

// 300 s and 7200 s: the reference server's times. Between them old keys serve while new ones are fetched.
const REFRESH_AFTER_MS = 300_000;
const EXPIRE_AFTER_MS = 7_200_000;

// 30 s: how soon an unknown key id, or an issuer that failed, is worth another request.
const RETRY_AFTER_MS = 30_000;

// 256 KiB: the largest key set seen in the wild has some 20 KiB.
const ANSWER_BYTES_MAX = 256 * 1024;

// 64 keys: each may cost a signature check when the token names none.
const KEYS_MAX = 64;

// Strangers choose the issuers: these bound what they can make us do. 8 requests at once, 60 new issuers a minute.
const FETCHES_MAX = 8;
const NEW_ISSUERS_PER_MINUTE = 60;
const ISSUERS_MAX = 128;
const FAILURES_MAX = 1024;

/**
 * Checks tokens of other issuers with the keys that they publish (OpenID Connect discovery and JWKS).
 * What strangers can make it fetch is bounded in number, size and time; name the issuers you trust where you can.
 *
 * @example
 * new OidcValidator({ clock: systemClock, allowedIssuers: ['https://accounts.example.com'] })
 */
export class OidcValidator {
  readonly #clock: Clock;
  readonly #allowedIssuers: ReadonlySet<string> | undefined;
  readonly #limits: FetchLimits;
  /** Least recently used first. */
  readonly #known = new Map<string, IssuerKeys>();
  readonly #failedUntilMs = new Map<string, number>();
  readonly #pending = new Map<string, Promise<IssuerKeys>>();
  #minuteStartMs = Number.NEGATIVE_INFINITY;
  #newIssuersThisMinute = 0;

  constructor(options: OidcOptions) {
    this.#clock = options.clock;
    this.#allowedIssuers = options.allowedIssuers === undefined ? undefined : new Set(options.allowedIssuers);
    this.#limits = { timeoutMs: options.timeoutMs ?? 5_000, bytesMax: ANSWER_BYTES_MAX };
  }

  /**
   * The payload of the token, if `issuer` (the `iss` it claims) signed it. Throws an AuthError.
   * @param algorithm of the token's header, already found to be an asymmetric one.
   */
  async verify(token: string, algorithm: string, issuer: string): Promise<Uint8Array> {
    const keys = await this.#findKeys(issuer);
    const payload = await verifyWith(token, algorithm, keys.keySet);
    if (payload !== 'unknown-key') return payload;
    const renewed = await this.#refetchForUnknownKey(issuer, keys);
    const second = renewed === undefined ? payload : await verifyWith(token, algorithm, renewed.keySet);
    if (second !== 'unknown-key') return second;
    throw new AuthError('BAD_SIGNATURE', 'Authorization failed: the issuer has no key that fits this token');
  }

  async #findKeys(issuer: string): Promise<IssuerKeys> {
    const known = this.#known.get(issuer);
    const ageMs = known === undefined ? Number.POSITIVE_INFINITY : this.#ageMs(known);
    if (known === undefined || ageMs >= EXPIRE_AFTER_MS) return await this.#fetchKeys(issuer);
    this.#known.delete(issuer);
    this.#known.set(issuer, known);
    // In the background: old keys are good enough, and a failure is remembered for a while.
    if (ageMs >= REFRESH_AFTER_MS) this.#fetchKeys(issuer).catch(() => undefined);
    return known;
  }

  /** Keys that are newer than `keys`, or undefined when it is too early to ask again. */
  async #refetchForUnknownKey(issuer: string, keys: IssuerKeys): Promise<IssuerKeys | undefined> {
    return this.#ageMs(keys) < RETRY_AFTER_MS ? undefined : await this.#fetchKeys(issuer);
  }

  #fetchKeys(issuer: string): Promise<IssuerKeys> {
    const pending = this.#pending.get(issuer);
    if (pending !== undefined) return pending;
    const fetching = this.#startFetch(issuer).finally(() => this.#pending.delete(issuer));
    this.#pending.set(issuer, fetching);
    return fetching;
  }

  async #startFetch(issuer: string): Promise<IssuerKeys> {
    const url = this.#admit(issuer);
    try {
      const keySet = await this.#requestKeys(issuer, url);
      const keys = { keySet, fetchedAtMs: this.#clock.monotonicMs() };
      putBounded(this.#known, issuer, keys, ISSUERS_MAX);
      return keys;
    } catch (cause) {
      putBounded(this.#failedUntilMs, issuer, this.#clock.monotonicMs() + RETRY_AFTER_MS, FAILURES_MAX);
      throw unavailable(cause);
    }
  }

  /** Decides whether this issuer may be asked now, and where. */
  #admit(issuer: string): URL {
    const url = parseIssuerUrl(issuer);
    const isListed = this.#allowedIssuers === undefined || this.#allowedIssuers.has(issuer);
    if (url === undefined || !isListed) {
      throw new AuthError('ISSUER_REFUSED', 'Authorization failed: this issuer is not accepted here');
    }
    const failedUntilMs = this.#failedUntilMs.get(issuer) ?? 0;
    if (failedUntilMs > this.#clock.monotonicMs()) throw unavailable(new Error('it failed a moment ago'));
    if (this.#pending.size >= FETCHES_MAX || !this.#isWithinRate(issuer)) {
      throw new AuthError('BUSY', 'Too many unknown issuers at the moment, try again in a minute');
    }
    return url;
  }

  #isWithinRate(issuer: string): boolean {
    if (this.#known.has(issuer) || this.#allowedIssuers !== undefined) return true;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#minuteStartMs >= 60_000) {
      this.#minuteStartMs = nowMs;
      this.#newIssuersThisMinute = 0;
    }
    return ++this.#newIssuersThisMinute <= NEW_ISSUERS_PER_MINUTE;
  }

  async #requestKeys(issuer: string, url: URL): Promise<KeySet> {
    const description = asObject(await fetchJson(discoveryUrl(url), this.#limits, this.#clock));
    // Byte for byte: an issuer that calls itself something else is another one.
    if (description['issuer'] !== issuer)
      throw new Error(`the description at ${url.href} is another issuer's`);
    const keysUrl = parseKeysUrl(description['jwks_uri'], url);
    if (keysUrl === undefined) throw new Error('its `jwks_uri` is not an address that may be asked');
    const keySet = asObject(await fetchJson(keysUrl, this.#limits, this.#clock));
    if (!Array.isArray(keySet['keys']) || keySet['keys'].length > KEYS_MAX) {
      throw new Error(`its key set must be a list of at most ${KEYS_MAX} keys`);
    }
    return createLocalJWKSet(keySet as unknown as JSONWebKeySet);
  }

  #ageMs(keys: IssuerKeys): number {
    return this.#clock.monotonicMs() - keys.fetchedAtMs;
  }
}

/** Tries the key that the token names, or, when it names none, every key that fits its algorithm. */
async function verifyWith(
  token: string,
  algorithm: string,
  keySet: KeySet,
): Promise<Uint8Array | 'unknown-key'> {
  const options = { algorithms: [algorithm] };
  try {
    return (await compactVerify(token, keySet, options)).payload;
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'unknown-key';
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw badSignature(error);
    for await (const key of error) {
      const verified = await compactVerify(token, key, options).catch(() => undefined);
      if (verified !== undefined) return verified.payload;
    }
    throw badSignature(error);
  }
}

function badSignature(cause: unknown): AuthError {
  return new AuthError('BAD_SIGNATURE', 'Authorization failed: token not signed by its issuer', { cause });
}

/** Says nothing about why: a stranger could use us to look around in our network. The cause is for our own log. */
function unavailable(cause: unknown): AuthError {
  const text = "Authorization failed: the issuer's keys could not be fetched";
  return new AuthError('ISSUER_UNAVAILABLE', text, { cause });
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('the answer is not a JSON object');
  return value as Record<string, unknown>;
}

function putBounded<V>(map: Map<string, V>, key: string, value: V, sizeMax: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > sizeMax) map.delete(map.keys().next().value!);
}
