import { hmac } from '@noble/hashes/hmac.js';
import { pbkdf2Async } from '@noble/hashes/pbkdf2.js';
import { sha256 as digest } from '@noble/hashes/sha2.js';

/* What `digests.ts` falls back to. */

type Bytes = Uint8Array<ArrayBuffer>;

export function sha256(data: Bytes): Bytes {
  return digest(data);
}

export function hmacSha256(key: Bytes, data: Bytes): Bytes {
  return hmac(digest, key, data);
}

export async function pbkdf2Sha256(
  secret: Bytes,
  salt: Bytes,
  iterations: number,
  length: number,
): Promise<Bytes> {
  return await pbkdf2Async(digest, secret, salt, { c: iterations, dkLen: length });
}
