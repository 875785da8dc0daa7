import { hmac } from '@noble/hashes/hmac.js';
import { pbkdf2Async } from '@noble/hashes/pbkdf2.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { AuthError } from '../errors.js';
import { numberIn, textIn } from '../payload.js';
import type { Dict } from '../payload.js';
import type { AuthMethod } from './auth-method.js';
import { toBase64, utf8 } from './encoding.js';

/** A hostile router could ask for years of work; published advice for PBKDF2-SHA256 stands at 600,000. */
const ITERATIONS_MAX = 10_000_000;
const KEY_BYTES_MAX = 1024;

/** `wampcra`: proves that both know a secret, by signing the router's challenge with it; salted or not. */
export function crAuth(secret: string): AuthMethod {
  return {
    name: 'wampcra',
    requiresAuthId: true,
    begin: () => ({
      authenticate: async ({ extra }) => {
        const challenge = textIn(extra, 'challenge');
        if (challenge === undefined) throw new AuthError('the router sent no challenge');
        return { signature: signChallenge(await craKey(secret, extra), challenge) };
      },
    }),
  };
}

export function signChallenge(key: string, challenge: string): string {
  return toBase64(hmac(sha256, utf8(key), utf8(challenge)));
}

/** The key is a text: the secret itself, or base64 of what PBKDF2 makes of it. */
export async function craKey(secret: string, extra: Dict): Promise<string> {
  const salt = textIn(extra, 'salt');
  if (salt === undefined) return secret;
  const c = numberIn(extra, 'iterations') ?? 1000;
  const dkLen = numberIn(extra, 'keylen') ?? 32;
  if (!(c >= 1 && c <= ITERATIONS_MAX && dkLen >= 1 && dkLen <= KEY_BYTES_MAX)) {
    throw new AuthError(`the router wants a key of ${dkLen} bytes from ${c} iterations`);
  }
  return toBase64(await pbkdf2Async(sha256, utf8(secret), utf8(salt), { c, dkLen }));
}
