import { AuthError } from '../errors.js';
import { dictIn, numberIn, textIn } from '../payload.js';
import type { Dict } from '../payload.js';
import type { AuthMethod, ChannelBindingType, Proof } from './auth-method.js';
import type { ScramChallenge } from './scram-proof.js';
import { equalBytes, fromBase64, toBase64 } from './encoding.js';

/** RFC 5802 asks for enough to be unique; 16 bytes are what others send. */
const NONCE_BYTES = 16;

export interface ScramOptions {
  /** Node: binds the proof to the TLS channel, so that it is worth nothing on another one. */
  readonly channelBinding?: ChannelBindingType | undefined;
  /** For tests: the client's nonce, base64. */
  readonly nonce?: () => string;
}

/** `wamp-scram`: both prove that they know the password, and neither tells it. */
export function scramAuth(password: string, { channelBinding, nonce }: ScramOptions = {}): AuthMethod {
  return {
    name: 'wamp-scram',
    requiresAuthId: true,
    begin(context) {
      const { authId = '' } = context;
      const clientNonce = nonce?.() ?? toBase64(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
      const binding = channelBinding && {
        type: channelBinding,
        data: context.channelBinding(channelBinding),
      };
      let serverSignature: Uint8Array | undefined;
      return {
        authExtra: { nonce: clientNonce, channel_binding: channelBinding ?? null },
        async authenticate({ extra }): Promise<Proof> {
          const { signScram } = await import('./scram-proof.js');
          const signed = await signScram({
            password,
            authId,
            clientNonce,
            challenge: scramChallengeOf(extra),
            binding,
          });
          ({ serverSignature } = signed);
          return signed.proof;
        },
        checkWelcome: (details) => checkVerifier(details, serverSignature),
      };
    },
  };
}

export function scramChallengeOf(extra: Dict): ScramChallenge {
  return {
    nonce: textIn(extra, 'nonce') ?? '',
    salt: textIn(extra, 'salt') ?? '',
    kdf: textIn(extra, 'kdf') ?? '',
    iterations: numberIn(extra, 'iterations') ?? 0,
    memoryKib: numberIn(extra, 'memory') ?? 0,
  };
}

function checkVerifier(details: Dict, expected: Uint8Array | undefined): void {
  const extra = dictIn(details, 'authextra');
  const text = textIn(extra, 'verifier') ?? textIn(extra, 'scram_server_signature');
  if (expected === undefined || text === undefined) {
    throw new AuthError('the router did not prove that it knows the password');
  }
  if (!equalBytes(fromBase64(text.replace(/^v=/, '')), expected)) {
    throw new AuthError('the router does not know the password');
  }
}
