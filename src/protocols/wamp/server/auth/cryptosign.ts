import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';

import { type Authenticator, type AuthRequest, denied, type Principal } from './authenticator.js';

/*
 * Cryptosign (spec "Cryptosign-based Authentication"):
 *
 *   HELLO.authextra   pubkey (64 hex digits), channel_binding null | tls-unique | tls-exporter
 *   CHALLENGE.Extra   challenge (64 hex digits), channel_binding
 *   AUTHENTICATE      192 hex digits: Ed25519 signature (64 octets), then the 32 octets that were signed:
 *                     the challenge, XOR the channel id if there is a binding
 *
 *   channel id        tls-unique: SHA-256 of the Finished message; tls-exporter: the 32 octets as they are
 *
 * Finished of tls-unique is the first one of the handshake, says RFC 5929; Autobahn|Python takes the other one, on both sides. Each
 * names the channel as well as the other, so either is accepted.
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

/** Whether `signed` (192 hex digits) is the signature of one of `messages` by the key. */
export function checkCryptosign(pubkey: string, signed: string, messages: readonly Uint8Array[]): boolean {
  if (!/^[0-9a-f]{192}$/i.test(signed)) return false;
  const octets = Buffer.from(signed, 'hex');
  const message = messages.find((one) => octets.subarray(64).equals(one));
  if (message === undefined) return false;
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
      const channelIds = binding === null ? [NO_CHANNEL] : readChannelIds(request, binding);
      if (channelIds.length === 0) return denied('channel binding is not available');
      const principal = await lookup(pubkey.toLowerCase(), request.authid, request);
      const challenge = randomBytes(32);
      const messages = channelIds.map((id) => challenge.map((octet, i) => octet ^ id[i]!));
      return {
        kind: 'challenge',
        extra: { challenge: challenge.toString('hex'), channel_binding: binding },
        answer: (signature) =>
          checkCryptosign(pubkey, signature, messages) && principal !== undefined
            ? { kind: 'welcome', principal }
            : denied('wrong signature or unknown key'),
      };
    },
  };
}

const NO_CHANNEL = new Uint8Array(32);

function readChannelIds({ transport }: AuthRequest, binding: unknown): readonly Uint8Array[] {
  if (typeof binding !== 'string') return [];
  const found = transport.channelBindings?.(binding) ?? [];
  return binding === 'tls-unique' ? found.map((one) => createHash('sha256').update(one).digest()) : found;
}
