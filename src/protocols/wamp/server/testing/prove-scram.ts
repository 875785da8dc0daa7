import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** CHALLENGE.Extra of a user with kdf pbkdf2. */
export interface ScramChallenge {
  readonly nonce: string;
  readonly salt: string;
  readonly iterations: number;
}

/** The client's half of WAMP-SCRAM, and what the router has to answer: written after RFC 5802, not after our server. */
export function proveScram(
  password: string,
  authid: string,
  clientNonce: string,
  { nonce, salt, iterations }: ScramChallenge,
  binding?: { readonly type: string; readonly data: Uint8Array },
): { readonly proof: string; readonly verifier: string } {
  const hmac = (key: Uint8Array, text: string) => createHmac('sha256', key).update(text).digest();
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
  const header = Buffer.from(binding === undefined ? 'n,,' : `p=${binding.type},,`);
  const channel = Buffer.concat([header, binding?.data ?? Buffer.alloc(0)]).toString('base64');
  const message = `n=${authid},r=${clientNonce},r=${nonce},s=${salt},i=${iterations},c=${channel},r=${nonce}`;
  const clientKey = hmac(salted, 'Client Key');
  const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
  return {
    proof: Buffer.from(clientKey.map((octet, i) => octet ^ signature[i]!)).toString('base64'),
    verifier: hmac(hmac(salted, 'Server Key'), message).toString('base64'),
  };
}
