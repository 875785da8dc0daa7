import type * as Noble from './noble.js';

/* SHA-256 and what is made of it: by the platform where it offers that, which in pages takes https, else by a package that is loaded then. */

type Bytes = Uint8Array<ArrayBuffer>;

const SHA_256 = 'SHA-256';

/** Absent on pages that came over http. */
const subtle = (): SubtleCrypto | undefined => globalThis.crypto?.subtle;

const noble = async (): Promise<typeof Noble> => await import('./noble.js');

export async function sha256(data: Bytes): Promise<Bytes> {
  const platform = subtle();
  if (platform === undefined) return (await noble()).sha256(data);
  return new Uint8Array(await platform.digest(SHA_256, data));
}

export async function hmacSha256(key: Bytes, data: Bytes): Promise<Bytes> {
  const platform = subtle();
  // The platform knows no empty keys.
  if (platform === undefined || key.length === 0) return (await noble()).hmacSha256(key, data);
  const imported = await platform.importKey('raw', key, { name: 'HMAC', hash: SHA_256 }, false, ['sign']);
  return new Uint8Array(await platform.sign('HMAC', imported, data));
}

export async function pbkdf2Sha256(
  secret: Bytes,
  salt: Bytes,
  iterations: number,
  length: number,
): Promise<Bytes> {
  const platform = subtle();
  if (platform === undefined) return await (await noble()).pbkdf2Sha256(secret, salt, iterations, length);
  const key = await platform.importKey('raw', secret, 'PBKDF2', false, ['deriveBits']);
  const derivation = { name: 'PBKDF2', hash: SHA_256, salt, iterations };
  return new Uint8Array(await platform.deriveBits(derivation, key, length * 8));
}

/** No platform has it. */
export async function argon2id(
  secret: Bytes,
  salt: Bytes,
  cost: { readonly iterations: number; readonly memoryKib: number; readonly length: number },
): Promise<Bytes> {
  const { argon2idAsync } = await import('@noble/hashes/argon2.js');
  return await argon2idAsync(secret, salt, {
    t: cost.iterations,
    m: cost.memoryKib,
    p: 1,
    dkLen: cost.length,
  });
}
