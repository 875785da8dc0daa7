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
  /** What unknown users are told; as most known ones have it. Default pbkdf2 with 4096 iterations. */
  readonly mock?: Pick<ScramUser, 'kdf' | 'iterations' | 'memory'>;
}

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
  mock = { kdf: 'pbkdf2', iterations: 4096 },
}: ScramOptions): Authenticator {
  const mockKey = randomBytes(32);
  return {
    name: 'wamp-scram',
    begin: async (request) => {
      const { nonce: clientNonce, channel_binding: binding = null } = request.authextra;
      const authid = request.authid ?? '';
      if (typeof clientNonce !== 'string' || clientNonce.length < 8) return denied('no nonce');
      // Only the client can say what channel he sees; a binding that we cannot check is refused.
      const channel = readChannel(request, binding);
      if (channel === undefined) return denied('channel binding is not available');
      const known = await lookup(authid, request);
      const user = known ?? mockUser(mock, mockKey, authid);
      const nonce = clientNonce + randomBytes(18).toString('base64');
      const { salt, kdf, iterations, memory } = user;
      const answer = (signature: string, extra: Readonly<Record<string, unknown>>): AuthStep => {
        if (extra['nonce'] !== nonce || (extra['channel_binding'] ?? null) !== binding)
          return denied('nonce');
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

interface Channel {
  readonly header: string;
  readonly data: Uint8Array;
}

function readChannel(request: AuthRequest, binding: unknown): Channel | undefined {
  if (binding === null) return { header: 'n,,', data: new Uint8Array(0) };
  if (typeof binding !== 'string') return undefined;
  const data = request.transport.channelBindings?.(binding)[0];
  return data === undefined ? undefined : { header: `p=${binding},,`, data };
}

function authMessage(
  authid: string,
  clientNonce: string,
  nonce: string,
  { salt, iterations }: ScramUser,
  { header, data }: Channel,
): string {
  const name = authid.normalize('NFKC').replaceAll('=', '=3D').replaceAll(',', '=2C');
  const channel = Buffer.concat([Buffer.from(header), data]).toString('base64');
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
