import type { ChannelBindingType, Proof } from './auth-method.js';
import { argon2id, hmacSha256, pbkdf2Sha256, sha256 } from './digests.js';
import { fromBase64, toBase64, utf8, xorBytes } from './encoding.js';

/*
 * Loaded when a router asks for it. It imports nothing that the client has loaded: bundlers would cut that in two.
 *
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

const KEY_BYTES = 32;

/** A hostile router could ask for years of work, or for all memory. */
const PBKDF2_ITERATIONS_MAX = 10_000_000;
const ARGON2_ITERATIONS_MAX = 100;
const ARGON2_MEMORY_KIB_MAX = 1024 * 1024;

/** What the router says. Nothing of it is believed. */
export interface ScramChallenge {
  readonly nonce: string;
  readonly salt: string;
  readonly kdf: string;
  readonly iterations: number;
  readonly memoryKib: number;
}

interface ScramInput {
  readonly password: string;
  readonly authId: string;
  readonly clientNonce: string;
  readonly challenge: ScramChallenge;
  /** What the proof is bound to. */
  readonly binding?: { readonly type: ChannelBindingType; readonly data: Uint8Array } | undefined;
}

interface SignedScram {
  readonly proof: Proof;
  readonly serverSignature: Uint8Array;
}

/** Rejects with an Error for what cannot be trusted, or is too much work. */
export async function signScram(input: ScramInput): Promise<SignedScram> {
  const { password, clientNonce, challenge, binding } = input;
  const { nonce } = challenge;
  if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length) {
    throw new Error('the nonce of the router does not continue ours');
  }
  const salted = await saltPassword(password, challenge);
  const clientKey = await sign(salted, 'Client Key');
  const message = authMessage(input);
  const signature = await sign(await sha256(clientKey), message);
  return {
    proof: {
      signature: toBase64(xorBytes(clientKey, signature)),
      extra: {
        nonce,
        channel_binding: binding?.type ?? null,
        cbind_data: binding === undefined ? null : toBase64(binding.data),
      },
    },
    serverSignature: await sign(await sign(salted, 'Server Key'), message),
  };
}

async function sign(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  return await hmacSha256(key, utf8(text));
}

function authMessage({ authId, clientNonce, challenge, binding }: ScramInput): string {
  const name = prepare(authId).replaceAll('=', '=3D').replaceAll(',', '=2C');
  const { nonce, salt, iterations } = challenge;
  const channel =
    binding === undefined ? utf8('n,,') : Uint8Array.of(...utf8(`p=${binding.type},,`), ...binding.data);
  return `n=${name},r=${clientNonce},r=${nonce},s=${salt},i=${iterations},c=${toBase64(channel)},r=${nonce}`;
}

/** SASLprep, but for its tables of forbidden characters: those were refused when the password was set. */
function prepare(text: string): string {
  return text.normalize('NFKC');
}

async function saltPassword(
  password: string,
  { salt, kdf, iterations, memoryKib }: ScramChallenge,
): Promise<Uint8Array<ArrayBuffer>> {
  const secret = utf8(prepare(password));
  const salting = fromBase64(salt);
  if (kdf === 'pbkdf2') {
    checkRange('iterations', iterations, PBKDF2_ITERATIONS_MAX);
    return await pbkdf2Sha256(secret, salting, iterations, KEY_BYTES);
  }
  if (kdf === 'argon2id13' || kdf === 'argon2id-13') {
    checkRange('iterations', iterations, ARGON2_ITERATIONS_MAX);
    checkRange('memory', memoryKib, ARGON2_MEMORY_KIB_MAX);
    return await argon2id(secret, salting, { iterations, memoryKib, length: KEY_BYTES });
  }
  throw new Error(`the router wants the unknown key derivation "${kdf}"`);
}

function checkRange(name: string, value: number, max: number): void {
  if (!(value >= 1 && value <= max)) throw new Error(`the router wants ${value} ${name}`);
}
