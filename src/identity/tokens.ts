import {
  compactVerify,
  CompactSign,
  decodeProtectedHeader,
  errors,
  type ProtectedHeaderParameters,
} from 'jose';
import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import { deriveIdentity } from '../values/derive-identity.js';
import type { Identity } from '../values/identity.js';
import { Uuid } from '../values/uuid.js';
import { AuthError } from './auth-error.js';
import { checkName, peekIssuer, readClaims, type Claims, type Credentials } from './claims.js';
import type { KeyPair } from './keys.js';
import type { OidcValidator } from './oidc.js';
import { Stranger, type StrangerSource } from './stranger.js';
import { TokenCache } from './token-cache.js';

export type { Claims, Credentials } from './claims.js';

/** What a new token shall say. */
export interface MintClaims {
  readonly subject: string;
  /** The local issuer unless given. */
  readonly issuer?: string | undefined;
  /** `["spacetimedb"]` unless given: what official clients and servers write. */
  readonly audience?: readonly string[] | undefined;
  /** Seconds until the token expires; it never does unless given. */
  readonly lifetimeSeconds?: number | undefined;
}

export interface TokenAuthorityOptions {
  readonly keys: KeyPair;
  readonly clock: Clock;
  readonly random: Random;
  /** The issuer of our own tokens. Identities are derived from it: changing it makes everybody a stranger. */
  readonly issuer?: string | undefined;
  /** Checks tokens of other issuers; without it only our own are accepted. */
  readonly oidc?: OidcValidator | undefined;
}

/** The issuer of a server that was told nothing else; the reference server's choice, so identities carry over. */
export const DEFAULT_ISSUER = 'localhost';

const SIGNING_HEADER = { typ: 'JWT', alg: 'ES256' } as const;

/**
 * Signatures made with a private key and checked with a public one. `none` is nobody's signature, and a shared secret
 * (HS256) must never be compared with something public: that is how a public key becomes a password.
 */
const ALGORITHMS_ACCEPTED: ReadonlySet<string> = new Set(
  'ES256 ES384 ES512 RS256 RS384 RS512 PS256 PS384 PS512 EdDSA Ed25519'.split(' '),
);

// 16 KiB: Node refuses longer HTTP headers, and no token arrives outside of one or of an equally short query.
const TOKEN_LENGTH_MAX = 16 * 1024;

// A minute: time enough to open a socket, too short to be worth stealing from a URL in a log.
const WEBSOCKET_TOKEN_SECONDS = 60;

// 4096 tokens of about 1 KiB with their claims: some 8 MiB at most.
const CACHED_TOKENS_MAX = 4096;

// As long as issuers' keys are trusted without asking again: a withdrawn key is noticed within this time.
const CACHED_TOKEN_MICROS = 300_000_000;

/**
 * Gives out identities and recognises them again.
 *
 * @example
 * const authority = new TokenAuthority({ keys: KeyPair.generate(), clock: systemClock, random: systemRandom });
 * const somebody = await authority.mintAnonymous();
 * const again = await authority.verify(somebody.token); // the same identity
 */
export class TokenAuthority implements StrangerSource {
  readonly issuer: string;
  readonly #keys: KeyPair;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #oidc: OidcValidator | undefined;
  readonly #verified = new TokenCache(CACHED_TOKENS_MAX);

  constructor(options: TokenAuthorityOptions) {
    this.issuer = options.issuer ?? DEFAULT_ISSUER;
    checkName('iss', this.issuer);
    this.#keys = options.keys;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#oidc = options.oidc;
  }

  /** SPKI PEM of the key that signs our tokens. */
  get publicKeyPem(): string {
    return this.#keys.publicKeyPem;
  }

  /** A stranger gets an identity and a token that never expires. */
  mintAnonymous(): Promise<Credentials> {
    return this.mintFor({ subject: this.newSubject() });
  }

  /** A fresh identity that nobody has a token for, as a new database needs one. */
  newIdentity(): Identity {
    return deriveIdentity(this.issuer, this.newSubject());
  }

  async mintFor(claims: MintClaims): Promise<Credentials> {
    return await this.#sign(this.#payload(claims));
  }

  /**
   * Whose token this is; without one, a stranger, who gets none: for protocols that have no words to give it to him. Throws an
   * AuthError when the token is nobody's, or not any more.
   */
  async identify(token: string | undefined): Promise<Claims> {
    return token === undefined ? this.stranger() : await this.verify(token);
  }

  /** Somebody who has no token. */
  stranger(): Claims {
    return new Stranger(this, this.#clock.nowMicros());
  }

  strangerPayload(subject: string, identity: Identity, seenAtMicros: number): string {
    return JSON.stringify(this.#payload({ subject }, identity, seenAtMicros));
  }

  /**
   * A token with the same claims that is signed by us and expires in a minute, for the URL of a WebSocket.
   * It never outlives the one it stands for.
   */
  async mintWebSocketToken(credentials: Credentials): Promise<string> {
    const claims = JSON.parse(credentials.payload) as Record<string, unknown>;
    const soon = Math.floor(this.#clock.nowMicros() / 1e6) + WEBSOCKET_TOKEN_SECONDS;
    const exp = typeof claims['exp'] === 'number' ? Math.min(claims['exp'], soon) : soon;
    return (await this.#sign({ ...claims, exp })).token;
  }

  /** Whose token this is. Throws an AuthError when it is nobody's, or not any more. */
  async verify(token: string): Promise<Credentials> {
    const remembered = this.#verified.get(token, this.#clock.nowMicros());
    if (remembered !== undefined) return remembered;
    const header = readHeader(token);
    const payload = (await this.#verifyLocally(token, header)) ?? (await this.#verifyForeign(token, header));
    const nowMicros = this.#clock.nowMicros();
    const credentials = { token, ...readClaims(payload, nowMicros) };
    this.#verified.put(credentials, nowMicros + CACHED_TOKEN_MICROS);
    return credentials;
  }

  /**
   * The payload if we signed it. The issuer is not looked at: a WebSocket token stands for the issuer's token
   * that it was exchanged for.
   */
  async #verifyLocally(token: string, header: TokenHeader): Promise<Uint8Array | undefined> {
    if (header.alg !== SIGNING_HEADER.alg) return undefined;
    try {
      return (await compactVerify(token, this.#keys.publicKey, { algorithms: [SIGNING_HEADER.alg] })).payload;
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
      throw AuthError.malformed(error);
    }
  }

  async #verifyForeign(token: string, header: TokenHeader): Promise<Uint8Array> {
    const issuer = peekIssuer(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
    if (this.#oidc === undefined || issuer === this.issuer) {
      throw new AuthError('BAD_SIGNATURE', 'Authorization failed: token not signed by this instance');
    }
    return await this.#oidc.verify(token, header.alg, issuer);
  }

  #payload(
    { subject, audience, lifetimeSeconds, issuer = this.issuer }: MintClaims,
    identity?: Identity,
    nowMicros = this.#clock.nowMicros(),
  ): Payload {
    checkName('iss', issuer);
    checkName('sub', subject);
    const nowSeconds = Math.floor(nowMicros / 1e6);
    return {
      hex_identity: (identity ?? deriveIdentity(issuer, subject)).toHexString(),
      sub: subject,
      iss: issuer,
      aud: audience ?? ['spacetimedb'],
      iat: nowSeconds,
      exp: lifetimeSeconds === undefined ? null : nowSeconds + lifetimeSeconds,
    };
  }

  async #sign(claims: Payload): Promise<Credentials> {
    const payload = encodePayload(claims);
    const signer = new CompactSign(payload).setProtectedHeader(SIGNING_HEADER);
    const token = await signer.sign(this.#keys.privateKey);
    return { token, ...readClaims(payload, this.#clock.nowMicros()) };
  }

  /** A subject nobody had before: a random UUID. */
  newSubject(): string {
    const bytes = new Uint8Array(16);
    this.#random.fill(bytes);
    return Uuid.fromRandomBytesV4(bytes).toString();
  }
}

type Payload = Readonly<Record<string, unknown>>;

function encodePayload(claims: Payload): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(claims));
}

type TokenHeader = ProtectedHeaderParameters & { readonly alg: string };

function readHeader(token: string): TokenHeader {
  if (token.length > TOKEN_LENGTH_MAX) throw AuthError.malformed();
  let header: ProtectedHeaderParameters;
  try {
    header = decodeProtectedHeader(token);
  } catch (cause) {
    throw AuthError.malformed(cause);
  }
  const { alg } = header;
  // Extensions that must be understood: there is none that a JWT needs, and `b64` would change what was signed.
  if (token.split('.').length !== 3 || typeof alg !== 'string' || header.crit !== undefined) {
    throw AuthError.malformed();
  }
  if (!ALGORITHMS_ACCEPTED.has(alg)) {
    throw new AuthError('BAD_ALGORITHM', 'Authorization failed: the signing algorithm is not accepted');
  }
  return { ...header, alg };
}
