import { hmacSha256, pbkdf2Sha256 } from './digests.js';
import { toBase64, utf8 } from './encoding.js';

/* Loaded when a router asks for it. It imports nothing that the client has loaded: bundlers would cut that in two. */

/** A hostile router could ask for years of work; published advice for PBKDF2-SHA256 stands at 600,000. */
const ITERATIONS_MAX = 10_000_000;
const KEY_BYTES_MAX = 1024;

/** How the key is made of the secret, if it is. */
export interface Salting {
  readonly salt: string;
  readonly iterations: number;
  readonly keyBytes: number;
}

/** Rejects with an Error for what is too much work. */
export async function signChallenge(
  secret: string,
  challenge: string,
  salting: Salting | undefined,
): Promise<string> {
  const key = salting === undefined ? secret : await saltSecret(secret, salting);
  return toBase64(await hmacSha256(utf8(key), utf8(challenge)));
}

/** The key is a text: base64 of what PBKDF2 makes of the secret. */
async function saltSecret(secret: string, { salt, iterations, keyBytes }: Salting): Promise<string> {
  if (!(iterations >= 1 && iterations <= ITERATIONS_MAX && keyBytes >= 1 && keyBytes <= KEY_BYTES_MAX)) {
    throw new Error(`the router wants a key of ${keyBytes} bytes from ${iterations} iterations`);
  }
  return toBase64(await pbkdf2Sha256(utf8(secret), utf8(salt), iterations, keyBytes));
}
