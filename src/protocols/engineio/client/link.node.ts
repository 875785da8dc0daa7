import http from 'node:http';
import https from 'node:https';

import { WebSocket } from 'ws';

import { CookieJar } from './cookie-jar.node.js';
import {
  type HttpReply,
  type HttpRequest,
  type Link,
  type LinkOptions,
  requestWithFetch,
  type SocketLike,
} from './platform.js';

// Engine.IO servers send at most some megabytes in one poll; more is somebody who wants our memory.
const REPLY_BYTES_MAX = 64 * 1024 * 1024;

/** Requests over node:http, WebSockets by npm ws; cookies that a server sets come back to it. */
export class NodeLink implements Link {
  readonly #options: LinkOptions;
  readonly #jar = new CookieJar();
  #agent: http.Agent | https.Agent | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  request(request: HttpRequest): Promise<HttpReply> {
    const { session } = this.#options;
    if (session.fetch !== undefined || session.dispatcher !== undefined)
      return requestWithFetch(request, session);
    return new Promise((resolve, reject) => {
      const isTls = request.url.startsWith('https:');
      const outgoing = (isTls ? https : http).request(request.url, {
        method: request.method,
        agent: this.#agentFor(isTls),
        headers: this.#headers(request.headers),
        signal: request.signal,
      });
      const deadline = setTimeout(
        () => outgoing.destroy(new Error(`no answer within ${request.timeoutMs} ms`)),
        request.timeoutMs,
      );
      outgoing.on('error', reject);
      outgoing.on('close', () => clearTimeout(deadline));
      outgoing.on('response', (response) => {
        this.#jar.take(response.headers['set-cookie']);
        this.#collect(response, resolve, reject);
      });
      outgoing.end(request.body);
    });
  }

  #collect(
    response: http.IncomingMessage,
    resolve: (reply: HttpReply) => void,
    reject: (error: Error) => void,
  ): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > REPLY_BYTES_MAX) response.destroy(new Error('the answer is too large'));
    });
    response.on('error', reject);
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
    );
  }

  openWebSocket(url: string, headers: Readonly<Record<string, string>>): SocketLike {
    const { session, tls, webSocket, handshakeMs } = this.#options;
    // The caller's object is only read: a second connect finds it as it was.
    const { headers: extra, ...rest } = webSocket as { headers?: Record<string, string> };
    return new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: handshakeMs,
      maxPayload: REPLY_BYTES_MAX,
      ...tls,
      ...(session.agent === undefined ? {} : { agent: session.agent as http.Agent }),
      ...rest,
      headers: this.#headers({ ...headers, ...extra }),
    }) as unknown as SocketLike;
  }

  close(): void {
    this.#agent?.destroy();
  }

  #headers(own: Readonly<Record<string, string>>): Record<string, string> {
    const headers = { ...this.#options.session.headers, ...own };
    const name = Object.keys(headers).find((key) => key.toLowerCase() === 'cookie');
    const cookie = this.#jar.header(name === undefined ? undefined : headers[name]);
    if (name !== undefined) delete headers[name];
    return cookie === undefined ? headers : { ...headers, cookie };
  }

  #agentFor(isTls: boolean): http.Agent | https.Agent {
    const { session, tls } = this.#options;
    if (session.agent !== undefined) return session.agent as http.Agent;
    // One socket for the GET that waits, one for POSTs.
    this.#agent ??= isTls
      ? new https.Agent({ keepAlive: true, maxSockets: 4, ...(tls as https.AgentOptions) })
      : new http.Agent({ keepAlive: true, maxSockets: 4 });
    return this.#agent;
  }
}
