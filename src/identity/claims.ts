import { deriveIdentity } from '../values/derive-identity.js';
import type { Identity } from '../values/identity.js';
import { AuthError } from './auth-error.js';

/* What a signed payload says, checked.

   claim          type                        rule
   iss, sub       string                      required, 1..128 bytes of UTF-8
   iat            number of seconds           required
   exp            number of seconds or null   checked when it is a number
   nbf            number of seconds           checked when present
   aud            string or array of strings  optional, not checked: what it means is the module's business
   hex_identity   64 hexadecimal digits       when present, must be the identity of iss and sub
*/

/** Who somebody is, and what is said about him. */
export interface Claims {
  readonly identity: Identity;
  readonly issuer: string;
  readonly subject: string;
  /** The payload as it was signed, JSON. Modules read it as `ctx.senderAuth.jwt.rawPayload`. */
  readonly payload: string;
  /** Undefined when the token never expires. */
  readonly expiresAtMicros: number | undefined;
}

/** Who presented a token, and what was signed about him. */
export interface Credentials extends Claims {
  readonly token: string;
}

// 128 bytes: the reference server refuses more.
const NAME_BYTES_MAX = 128;

// A minute: what other issuers' clocks may be ahead of ours. Not granted to `exp`.
const CLOCK_SKEW_MICROS = 60_000_000;

/** Reads and checks a payload whose signature has been verified. Throws an AuthError. */
export function readClaims(payloadBytes: Uint8Array, nowMicros: number): Claims {
  const { payload, claims } = parsePayload(payloadBytes);
  const issuer = requireName(claims, 'iss');
  const subject = requireName(claims, 'sub');
  requireIssuedAt(claims);
  checkAudience(claims['aud']);
  const identity = deriveIdentity(issuer, subject);
  checkHexIdentity(claims['hex_identity'], identity);
  checkNotBefore(claims['nbf'], nowMicros);
  const expiresAtMicros = checkExpiry(claims['exp'], nowMicros);
  return { identity, issuer, subject, payload, expiresAtMicros };
}

/** The `iss` of a payload that nobody has verified: only good for choosing whose keys to ask. */
export function peekIssuer(payloadBytes: Uint8Array): string {
  return requireName(parsePayload(payloadBytes).claims, 'iss');
}

/** Throws when `name` cannot be an issuer or subject. */
export function checkName(claim: 'iss' | 'sub', name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes >= 1 && bytes <= NAME_BYTES_MAX) return;
  throw badClaims(`\`${claim}\` must have 1 to ${NAME_BYTES_MAX} bytes, it has ${bytes}`);
}

/** Throws EXPIRED when the moment has come. */
export function checkNotExpired(expiresAtMicros: number | undefined, nowMicros: number): void {
  if (expiresAtMicros !== undefined && expiresAtMicros <= nowMicros) {
    throw new AuthError('EXPIRED', 'Authorization failed: the token has expired');
  }
}

function parsePayload(bytes: Uint8Array): { payload: string; claims: Readonly<Record<string, unknown>> } {
  let payload: string;
  let claims: unknown;
  try {
    payload = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    claims = JSON.parse(payload);
  } catch (cause) {
    throw AuthError.malformed(cause);
  }
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) throw AuthError.malformed();
  return { payload, claims: claims as Record<string, unknown> };
}

function requireName(claims: Readonly<Record<string, unknown>>, claim: 'iss' | 'sub'): string {
  const name = claims[claim];
  if (typeof name !== 'string') throw badClaims(`\`${claim}\` is missing`);
  checkName(claim, name);
  return name;
}

function requireIssuedAt(claims: Readonly<Record<string, unknown>>): void {
  if (!isSeconds(claims['iat'])) throw badClaims('`iat` must be a number of seconds');
}

function checkAudience(audience: unknown): void {
  if (audience === undefined || audience === null || typeof audience === 'string') return;
  if (Array.isArray(audience) && audience.every((one) => typeof one === 'string')) return;
  throw badClaims('`aud` must be a string or a list of strings');
}

function checkHexIdentity(hex: unknown, identity: Identity): void {
  if (hex === undefined || hex === null) return;
  if (typeof hex === 'string' && hex.toLowerCase() === identity.toHexString()) return;
  throw new AuthError(
    'IDENTITY_MISMATCH',
    'Authorization failed: `hex_identity` is not the identity of this issuer and subject',
  );
}

function checkNotBefore(notBefore: unknown, nowMicros: number): void {
  if (notBefore === undefined || notBefore === null) return;
  if (!isSeconds(notBefore)) throw badClaims('`nbf` must be a number of seconds');
  if (notBefore * 1e6 > nowMicros + CLOCK_SKEW_MICROS) {
    throw new AuthError('NOT_YET_VALID', 'Authorization failed: the token is not valid yet');
  }
}

function checkExpiry(expiry: unknown, nowMicros: number): number | undefined {
  if (expiry === undefined || expiry === null) return undefined;
  if (!isSeconds(expiry)) throw badClaims('`exp` must be a number of seconds or null');
  checkNotExpired(expiry * 1e6, nowMicros);
  return expiry * 1e6;
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function badClaims(what: string): AuthError {
  return new AuthError('BAD_CLAIMS', `Authorization failed: ${what}`);
}
