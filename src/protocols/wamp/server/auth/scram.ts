import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

import { type Authenticator, type AuthRequest, type AuthStep, denied } from './authenticator.js';

/*
 * WAMP-SCRAM (spec "Salted Challenge Response", after RFC 5802):
 *
 *   HELLO.authextra     nonce, channel_binding null | tls-unique | tls-server-end-point
 *   CHALLENGE.Extra     nonce (the client's and ours behind it), salt, kdf, iterations, memory
 *   AUTHENTICATE        base64 of the client's proof, {nonce, channel_binding, cbind_data}
 *   WELCOME.authextra   verifier: `v=` and base64 of our signature; scram_server_signature: the same, for Autobahn
 *
 *   ClientKey = HMAC(SaltedPassword, "Client Key")    StoredKey = SHA256(ClientKey)
 *   ServerKey = HMAC(SaltedPassword, "Server Key")    proof = ClientKey XOR HMAC(StoredKey, AuthMessage)
 *
 * Autobahn and Crossbar speak a dialect of it: the method is `scram`, the kdf `argon2id-13`, there is no channel (`c=` is empty), and
 * AUTHENTICATE has no extra. Their SaltedPassword is the unpadded base64 of Argon2's hash, so a user has other keys there: those
 * of autobahn's `derive_scram_credential`, which come in hex.
 */

/** What is kept of a user: it does not let anybody in who steals it. All in base64. */
export interface ScramUser {
  readonly salt: string;
  readonly kdf: 'pbkdf2' | 'argon2id13';
  readonly iterations: number;
  /** KiB, for argon2id13. */
  readonly memory?: number;
  readonly storedKey: string;
  readonly serverKey: string;
  readonly authrole: string;
}

export interface ScramOptions {
  readonly lookup: (
    authid: string,
    request: AuthRequest,
  ) => ScramUser | undefined | Promise<ScramUser | undefined>;
  /** `specification` unless given; for both give a router two of these. */
  readonly dialect?: 'specification' | 'autobahn';
  /** What unknown users are told; as most known ones have it. Default: 4096 iterations of pbkdf2; autobahn's own of Argon2. */
  readonly mock?: Pick<ScramUser, 'kdf' | 'iterations' | 'memory'>;
}

const MOCKS = {
  specification: { kdf: 'pbkdf2', iterations: 4096 },
  // As `derive_scram_credential` has it.
  autobahn: { kdf: 'argon2id13', iterations: 4096, memory: 512 },
} as const;

/** A user of kdf pbkdf2. */
export function makeScramUser(
  password: string,
  authrole: string,
  iterations = 4096,
  salt: Uint8Array = randomBytes(16),
): ScramUser {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  return {
    salt: Buffer.from(salt).toString('base64'),
    kdf: 'pbkdf2',
    iterations,
    storedKey: sha256(hmac(salted, 'Client Key')).toString('base64'),
    serverKey: hmac(salted, 'Server Key').toString('base64'),
    authrole,
  };
}

export function scramAuth({
  lookup,
  dialect = 'specification',
  mock = MOCKS[dialect],
}: ScramOptions): Authenticator {
  const mockKey = randomBytes(32);
  const isAutobahn = dialect === 'autobahn';
  return {
    name: isAutobahn ? 'scram' : 'wamp-scram',
    begin: async (request) => {
      const { nonce: clientNonce, channel_binding: binding = null } = request.authextra;
      const authid = request.authid ?? '';
      if (typeof clientNonce !== 'string' || clientNonce.length < 8) return denied('no nonce');
      // Only the client can say what channel he sees; a binding that we cannot check is refused.
      const channel = isAutobahn && binding === null ? '' : readChannel(request, binding);
      if (channel === undefined) return denied('channel binding is not available');
      const known = await lookup(authid, request);
      const user = known ?? mockUser(mock, mockKey, authid);
      const nonce = clientNonce + randomBytes(18).toString('base64');
      const { salt, iterations, memory } = user;
      const kdf = isAutobahn && user.kdf === 'argon2id13' ? 'argon2id-13' : user.kdf;
      const answer = (signature: string, extra: Readonly<Record<string, unknown>>): AuthStep => {
        const isRepeated = extra['nonce'] === nonce && (extra['channel_binding'] ?? null) === binding;
        if (!isAutobahn && !isRepeated) return denied('nonce');
        const message = authMessage(authid, clientNonce, nonce, user, channel);
        const isProven = checkProof(user, signature, message);
        if (!isProven || known === undefined) return denied('wrong proof');
        const verifier = hmac(Buffer.from(user.serverKey, 'base64'), message).toString('base64');
        const authextra = { verifier: `v=${verifier}`, scram_server_signature: verifier };
        return { kind: 'welcome', principal: { authid, authrole: known.authrole, authextra } };
      };
      const extra = { nonce, salt, kdf, iterations, ...(memory === undefined ? {} : { memory }) };
      return { kind: 'challenge', extra, answer };
    },
  };
}

/** What stands behind `c=`. */
function readChannel(request: AuthRequest, binding: unknown): string | undefined {
  if (binding === null) return Buffer.from('n,,').toString('base64');
  if (typeof binding !== 'string') return undefined;
  const data = request.transport.channelBindings?.(binding)[0];
  return data && Buffer.concat([Buffer.from(`p=${binding},,`), data]).toString('base64');
}

function authMessage(
  authid: string,
  clientNonce: string,
  nonce: string,
  { salt, iterations }: ScramUser,
  channel: string,
): string {
  const name = authid.normalize('NFKC').replaceAll('=', '=3D').replaceAll(',', '=2C');
  return `n=${name},r=${clientNonce},r=${nonce},s=${salt},i=${iterations},c=${channel},r=${nonce}`;
}

function checkProof(user: ScramUser, proof: string, message: string): boolean {
  const given = Buffer.from(proof, 'base64');
  const storedKey = Buffer.from(user.storedKey, 'base64');
  if (given.length !== storedKey.length) return false;
  const clientKey = hmac(storedKey, message).map((octet, i) => octet ^ given[i]!);
  return timingSafeEqual(sha256(clientKey), storedKey);
}

/** The same for the same name each time, or salts would tell who is unknown. */
function mockUser(mock: NonNullable<ScramOptions['mock']>, key: Uint8Array, authid: string): ScramUser {
  const derive = (what: string): Buffer => hmac(key, `${what} ${authid}`);
  return {
    ...mock,
    salt: derive('salt').subarray(0, 16).toString('base64'),
    storedKey: derive('stored').toString('base64'),
    serverKey: derive('server').toString('base64'),
    authrole: '',
  };
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(octets: Uint8Array): Buffer {
  return createHash('sha256').update(octets).digest();
}
