import { createPublicKey, randomBytes, verify } from 'node:crypto';

import { type Authenticator, type AuthRequest, denied, type Principal } from './authenticator.js';

/*
 * Cryptosign (spec "Cryptosign-based Authentication"):
 *
 *   HELLO.authextra   pubkey (64 hex digits), channel_binding null | tls-unique | tls-exporter
 *   CHALLENGE.Extra   challenge (64 hex digits), channel_binding
 *   AUTHENTICATE      192 hex digits: Ed25519 signature (64 octets), then the 32 octets that were signed:
 *                     the challenge, XOR the channel id if there is a binding
 */

export interface CryptosignOptions {
  /** Whose key that is. `authid` is what the client claims, if anything. */
  readonly lookup: (
    pubkey: string,
    authid: string | undefined,
    request: AuthRequest,
  ) => Principal | undefined | Promise<Principal | undefined>;
}

// SubjectPublicKeyInfo of an Ed25519 key, up to the key itself (RFC 8410).
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Whether `signed` (192 hex digits) is the signature of `message` by the key. */
export function checkCryptosign(pubkey: string, signed: string, message: Uint8Array): boolean {
  if (!/^[0-9a-f]{192}$/i.test(signed)) return false;
  const octets = Buffer.from(signed, 'hex');
  if (!octets.subarray(64).equals(message)) return false;
  const der = Buffer.concat([SPKI_PREFIX, Buffer.from(pubkey, 'hex')]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return verify(null, message, key, octets.subarray(0, 64));
}

/** A key pair of the client's: nothing secret ever leaves him. */
export function cryptosignAuth({ lookup }: CryptosignOptions): Authenticator {
  return {
    name: 'cryptosign',
    begin: async (request) => {
      const { pubkey, channel_binding: binding = null } = request.authextra;
      if (typeof pubkey !== 'string' || !/^[0-9a-f]{64}$/i.test(pubkey)) return denied('no public key');
      const channelId = typeof binding === 'string' ? request.transport.channelId?.(binding) : undefined;
      if (binding !== null && channelId === undefined) return denied('channel binding is not available');
      const principal = await lookup(pubkey.toLowerCase(), request.authid, request);
      const challenge = randomBytes(32);
      const message = Buffer.from(challenge.map((octet, i) => octet ^ (channelId?.[i] ?? 0)));
      return {
        kind: 'challenge',
        extra: { challenge: challenge.toString('hex'), channel_binding: binding },
        answer: (signature) =>
          checkCryptosign(pubkey, signature, message) && principal !== undefined
            ? { kind: 'welcome', principal }
            : denied('wrong signature or unknown key'),
      };
    },
  };
}
