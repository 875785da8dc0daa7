import { argon2idAsync } from '@noble/hashes/argon2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { pbkdf2Async } from '@noble/hashes/pbkdf2.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { AuthError } from '../errors.js';
import { dictIn, numberIn, textIn } from '../payload.js';
import type { Dict } from '../payload.js';
import type { AuthMethod, Proof } from './auth-method.js';
import { equalBytes, fromBase64, toBase64, utf8, xorBytes } from './encoding.js';

/*
 * wamp-scram, after RFC 5802:
 *
 *   HELLO.authextra      nonce (ours), channel_binding
 *   CHALLENGE.Extra      nonce (ours + theirs), salt (base64), kdf, iterations, memory (KiB, argon2 only)
 *   AUTHENTICATE         base64(ClientProof), { nonce, channel_binding, cbind_data }
 *   WELCOME.authextra    verifier: base64(ServerSignature)
 *
 * Two dialects are spoken: kdf `argon2id13` and a `verifier` that may begin with "v=" (the specification), and `argon2id-13`
 * and `scram_server_signature` (autobahn, crossbar). Both are understood.
 */

/** RFC 5802 asks for enough to be unique; 16 bytes are what others send. */
const NONCE_BYTES = 16;
const KEY_BYTES = 32;

/** A hostile router could ask for years of work, or for all memory. */
const PBKDF2_ITERATIONS_MAX = 10_000_000;
const ARGON2_ITERATIONS_MAX = 100;
const ARGON2_MEMORY_KIB_MAX = 1024 * 1024;

export interface ScramOptions {
  /** For tests: the client's nonce, base64. */
  readonly nonce?: () => string;
}

/** `wamp-scram`: both prove that they know the password, and neither tells it. */
export function scramAuth(password: string, options: ScramOptions = {}): AuthMethod {
  return {
    name: 'wamp-scram',
    requiresAuthId: true,
    begin({ authId = '' }) {
      const nonce = options.nonce?.() ?? toBase64(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
      let serverSignature: Uint8Array | undefined;
      return {
        authExtra: { nonce, channel_binding: null },
        async authenticate({ extra }): Promise<Proof> {
          const signed = await signScram({ password, authId, clientNonce: nonce, extra });
          ({ serverSignature } = signed);
          return signed.proof;
        },
        checkWelcome: (details) => checkVerifier(details, serverSignature),
      };
    },
  };
}

interface ScramInput {
  readonly password: string;
  readonly authId: string;
  readonly clientNonce: string;
  readonly extra: Dict;
}

interface SignedScram {
  readonly proof: Proof;
  readonly serverSignature: Uint8Array;
}

export async function signScram({ password, authId, clientNonce, extra }: ScramInput): Promise<SignedScram> {
  const nonce = textIn(extra, 'nonce') ?? '';
  if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length) {
    throw new AuthError('the nonce of the router does not continue ours');
  }
  const salted = await saltPassword(password, extra);
  const clientKey = sign(salted, 'Client Key');
  const message = authMessage(authId, clientNonce, nonce, extra);
  return {
    proof: {
      signature: toBase64(xorBytes(clientKey, sign(sha256(clientKey), message))),
      extra: { nonce, channel_binding: null, cbind_data: null },
    },
    serverSignature: sign(sign(salted, 'Server Key'), message),
  };
}

function sign(key: Uint8Array, text: string): Uint8Array {
  return hmac(sha256, key, utf8(text));
}

function authMessage(authId: string, clientNonce: string, nonce: string, extra: Dict): string {
  const name = prepare(authId).replaceAll('=', '=3D').replaceAll(',', '=2C');
  const [salt, iterations] = [textIn(extra, 'salt') ?? '', numberIn(extra, 'iterations') ?? 0];
  const withoutBinding = toBase64(utf8('n,,'));
  return `n=${name},r=${clientNonce},r=${nonce},s=${salt},i=${iterations},c=${withoutBinding},r=${nonce}`;
}

/** SASLprep, but for its tables of forbidden characters: those were refused when the password was set. */
function prepare(text: string): string {
  return text.normalize('NFKC');
}

async function saltPassword(password: string, extra: Dict): Promise<Uint8Array> {
  const secret = utf8(prepare(password));
  const salt = fromBase64(textIn(extra, 'salt') ?? '');
  const iterations = numberIn(extra, 'iterations') ?? 0;
  const kdf = textIn(extra, 'kdf');
  if (kdf === 'pbkdf2') {
    checkRange('iterations', iterations, PBKDF2_ITERATIONS_MAX);
    return await pbkdf2Async(sha256, secret, salt, { c: iterations, dkLen: KEY_BYTES });
  }
  if (kdf === 'argon2id13' || kdf === 'argon2id-13') {
    const memory = numberIn(extra, 'memory') ?? 0;
    checkRange('iterations', iterations, ARGON2_ITERATIONS_MAX);
    checkRange('memory', memory, ARGON2_MEMORY_KIB_MAX);
    return await argon2idAsync(secret, salt, { t: iterations, m: memory, p: 1, dkLen: KEY_BYTES });
  }
  throw new AuthError(`the router wants the unknown key derivation "${kdf ?? ''}"`);
}

function checkRange(name: string, value: number, max: number): void {
  if (!(value >= 1 && value <= max)) throw new AuthError(`the router wants ${value} ${name}`);
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
