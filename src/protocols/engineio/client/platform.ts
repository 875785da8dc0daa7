import type { TlsOptions } from '../../../base/connecting.js';

/* What differs between browsers and Node. `index.node.ts` replaces the browser's half. */

/** The part of the platform's WebSocket that is used; npm `ws` has it, too. */
export interface SocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: object) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly body: string;
}

/** What requests are made with. It stays the caller's: never closed, never changed by us. */
export interface HttpSession {
  /** Makes the requests of polling; default: the platform's. */
  readonly fetch?: typeof globalThis.fetch;
  /** Node: an `http.Agent` or `https.Agent` (proxies, client certificates), for both transports. */
  readonly agent?: object;
  /** Node: a dispatcher of undici, for polling. */
  readonly dispatcher?: object;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Browsers: default `same-origin`. */
  readonly credentials?: 'omit' | 'same-origin' | 'include';
}

export interface LinkOptions {
  readonly session: HttpSession;
  readonly tls: TlsOptions;
  /** For `new WebSocket()` of npm `ws`; Node only. */
  readonly webSocket: Readonly<Record<string, unknown>>;
  readonly handshakeMs: number;
}

/** Makes the requests of one connection; keeps its cookies where the platform does not. */
export interface Link {
  request(request: HttpRequest): Promise<HttpReply>;
  openWebSocket(url: string, headers: Readonly<Record<string, string>>): SocketLike;
  /** Nothing more is asked for. */
  close(): void;
}

export interface Platform {
  makeLink(options: LinkOptions): Link;
  /** Calls back when the process is interrupted; returns how to stop that. Undefined where there is no such thing. */
  onInterrupt: ((disconnect: () => Promise<void>) => () => void) | undefined;
}

/** fetch with a deadline; used in browsers, and in Node for sessions that bring a fetch or dispatcher. */
export async function requestWithFetch(request: HttpRequest, session: HttpSession): Promise<HttpReply> {
  const init: RequestInit & { dispatcher?: object } = {
    method: request.method,
    headers: { ...session.headers, ...request.headers },
    signal: AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]),
    ...(request.body === undefined ? {} : { body: request.body }),
    ...(session.credentials === undefined ? {} : { credentials: session.credentials }),
    ...(session.dispatcher === undefined ? {} : { dispatcher: session.dispatcher }),
  };
  const response = await (session.fetch ?? fetch)(request.url, init);
  return { status: response.status, body: await response.text() };
}

export const platform: Platform = {
  makeLink: ({ session }) => ({
    request: (request) => requestWithFetch(request, session),
    // Pages cannot set headers of a WebSocket.
    openWebSocket: (url) => new WebSocket(url) as SocketLike,
    close() {},
  }),
  onInterrupt: undefined,
};
