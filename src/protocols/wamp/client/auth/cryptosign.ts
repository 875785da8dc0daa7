import { decodeHex, encodeHex } from '../../../../base/hex.js';
import { AuthError } from '../errors.js';
import { textIn } from '../payload.js';
import type { AuthContext, AuthMethod, ChannelBindingType } from './auth-method.js';
import { sha256 } from './digests.js';
import { fromBase64, xorBytes } from './encoding.js';

/** RFC 8410: what stands before the 32 bytes of an Ed25519 seed in PKCS #8. */
const PKCS8_HEAD = decodeHex('302e020100300506032b657004220420')!;

const KEY_BYTES = 32;

export interface CryptosignOptions {
  /** The Ed25519 seed, 64 hex digits; or what signs for it. */
  readonly key: string | Ed25519Signer;
  /** Node: binds the signature to the TLS channel, so that it is worth nothing on another one. */
  readonly channelBinding?: ChannelBindingType | undefined;
}

/** A key that may stay where it is: in a token, an agent, the platform's key store. */
export interface Ed25519Signer {
  /** 64 hex digits. */
  readonly publicKey: string;
  /** 64 bytes. */
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

/** `cryptosign`: proves the possession of an Ed25519 key by signing the router's challenge. */
export function cryptosignAuth({ key, channelBinding }: CryptosignOptions): AuthMethod {
  return {
    name: 'cryptosign',
    requiresAuthId: false,
    async begin(context) {
      const signer = typeof key === 'string' ? await ed25519Signer(key) : key;
      const channelId = channelBinding && (await channelIdOf(channelBinding, context));
      return {
        authExtra: { pubkey: signer.publicKey, channel_binding: channelBinding ?? null },
        authenticate: async ({ extra }) => {
          const challenge = decodeHex(textIn(extra, 'challenge') ?? '');
          if (challenge?.length !== KEY_BYTES) throw new AuthError('the challenge is not 64 hex digits');
          const message = channelId === undefined ? challenge : xorBytes(challenge, channelId);
          return { signature: encodeHex(await signer.sign(message)) + encodeHex(message) };
        },
      };
    },
  };
}

/** 32 bytes that name the channel. */
async function channelIdOf(type: ChannelBindingType, context: AuthContext): Promise<Uint8Array> {
  const name = context.channelBinding(type);
  return type === 'tls-unique' ? await sha256(name) : name;
}

/** Signs with the platform's Ed25519. `seed`: 64 hex digits. */
export async function ed25519Signer(seed: string): Promise<Ed25519Signer> {
  const bytes = decodeHex(seed);
  if (bytes?.length !== KEY_BYTES) throw new AuthError('a private key is 64 hex digits');
  const pkcs8 = Uint8Array.of(...PKCS8_HEAD, ...bytes);
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
  const { x = '' } = await crypto.subtle.exportKey('jwk', key);
  const publicKey = fromBase64(x.replaceAll('-', '+').replaceAll('_', '/'));
  return {
    publicKey: encodeHex(publicKey),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, message)),
  };
}
