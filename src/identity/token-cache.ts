import type { Credentials } from './claims.js';

interface Entry {
  readonly credentials: Credentials;
  readonly usableUntilMicros: number;
}

/**
 * Tokens whose signature was checked already, the least recently used leaving first.
 * Only verified tokens get in, so nobody can fill it with rubbish.
 */
export class TokenCache {
  readonly #entriesMax: number;
  /** In order of use, oldest first: a Map keeps the order in which keys were set. */
  readonly #entries = new Map<string, Entry>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What was verified, unless it has expired or was kept for long enough. */
  get(token: string, nowMicros: number): Credentials | undefined {
    const entry = this.#entries.get(token);
    if (entry === undefined) return undefined;
    this.#entries.delete(token);
    if (entry.usableUntilMicros <= nowMicros) return undefined;
    this.#entries.set(token, entry);
    return entry.credentials;
  }

  /** @param usableUntilMicros how long to trust our memory; never beyond the token's own expiry. */
  put(credentials: Credentials, usableUntilMicros: number): void {
    const expiresAtMicros = credentials.expiresAtMicros ?? Number.POSITIVE_INFINITY;
    this.#entries.delete(credentials.token);
    this.#entries.set(credentials.token, {
      credentials,
      usableUntilMicros: Math.min(usableUntilMicros, expiresAtMicros),
    });
    if (this.#entries.size > this.#entriesMax) this.#entries.delete(this.#entries.keys().next().value!);
  }
}
