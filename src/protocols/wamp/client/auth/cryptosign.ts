import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { AuthError } from '../errors.js';
import { textIn } from '../payload.js';
import type { AuthMethod } from './auth-method.js';
import { xorBytes } from './encoding.js';

/** RFC 8410: what stands before the 32 bytes of an Ed25519 seed in PKCS #8. */
const PKCS8_HEAD = hexToBytes('302e020100300506032b657004220420');

const KEY_BYTES = 32;
const CHALLENGE = /^[0-9a-f]{64}$/i;

export interface CryptosignOptions {
  /** The Ed25519 seed, 64 hex digits; or what signs for it. */
  readonly key: string | Ed25519Signer;
  /** Binds the signature to the TLS channel, so that it is worth nothing on another one. */
  readonly channelBinding?: { readonly type: 'tls-unique' | 'tls-exporter'; readonly channelId: Uint8Array };
}

/** A key that may stay where it is: in a token, an agent, the platform's key store. */
export interface Ed25519Signer {
  /** 64 hex digits. */
  readonly publicKey: string;
  /** 64 bytes. */
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

/** `cryptosign`: proves the possession of an Ed25519 key by signing the router's challenge. */
export function cryptosignAuth(options: CryptosignOptions): AuthMethod {
  const { key, channelBinding } = options;
  return {
    name: 'cryptosign',
    requiresAuthId: false,
    async begin() {
      const signer = typeof key === 'string' ? await ed25519Signer(key) : key;
      return {
        authExtra: { pubkey: signer.publicKey, channel_binding: channelBinding?.type ?? null },
        authenticate: async ({ extra }) => {
          const challenge = textIn(extra, 'challenge') ?? '';
          if (!CHALLENGE.test(challenge)) throw new AuthError('the challenge is not 64 hex digits');
          const bytes = hexToBytes(challenge) as Uint8Array<ArrayBuffer>;
          const message = channelBinding === undefined ? bytes : xorBytes(bytes, channelBinding.channelId);
          return { signature: bytesToHex(await signer.sign(message)) + bytesToHex(message) };
        },
      };
    },
  };
}

/** Signs with the platform's Ed25519. `seed`: 64 hex digits. */
export async function ed25519Signer(seed: string): Promise<Ed25519Signer> {
  const bytes = hexToBytes(seed);
  if (bytes.length !== KEY_BYTES) throw new AuthError('a private key is 64 hex digits');
  const pkcs8 = Uint8Array.of(...PKCS8_HEAD, ...bytes);
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
  const { x = '' } = await crypto.subtle.exportKey('jwk', key);
  const publicKey = Uint8Array.from(atob(x.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
    c.charCodeAt(0),
  );
  return {
    publicKey: bytesToHex(publicKey),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, message)),
  };
}
