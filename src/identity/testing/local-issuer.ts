import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose';

interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export interface SignOptions {
  readonly kid?: string | undefined;
  readonly payload?: Record<string, unknown>;
}

/** An OpenID Connect issuer on a port of its own, for tests: it really listens, signs and counts. */
export class LocalIssuer {
  readonly requests: string[] = [];
  /** Changes what the issuer answers: return true when the request has been dealt with. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  readonly #server: Server;
  readonly #keys: SigningKey[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<LocalIssuer> {
    const server = createServer();
    const issuer = new LocalIssuer(server);
    server.on('request', (request, response) => issuer.#answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async addKey(kid: string, alg = 'ES384'): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    this.#keys.push({ kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } });
  }

  removeKey(kid: string): void {
    const index = this.#keys.findIndex((key) => key.kid === kid);
    this.#keys.splice(index, 1);
  }

  /** A token by the named key; `kid: undefined` in the options leaves the name out of its header. */
  async sign(keyName: string, options: SignOptions = {}): Promise<string> {
    const key = this.#keys.find(({ kid }) => kid === keyName)!;
    const header = { typ: 'JWT', alg: key.alg, ...('kid' in options ? {} : { kid: key.kid }) };
    const payload = { iss: this.url, sub: 'ada', iat: 1_600_000_000, ...options.payload };
    return await new CompactSign(Buffer.from(JSON.stringify(payload)))
      .setProtectedHeader(header)
      .sign(key.privateKey);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.requests.push(path);
    if (this.intercept?.(request, response) === true) return;
    const body = this.#bodyFor(path);
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  #bodyFor(path: string): unknown {
    if (path === '/.well-known/openid-configuration')
      return { issuer: this.url, jwks_uri: `${this.url}/keys` };
    return path === '/keys' ? { keys: this.#keys.map(({ jwk }) => jwk) } : undefined;
  }
}
