import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server as HttpServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import type { TurnFlusher } from '../../../../net/turn-flusher.js';
import { rejectUpgrade } from '../../../../net/websocket/upgrade.js';
import type { CookieOptions } from '../cookie.js';
import type { CorsOptions, HeaderMap } from '../cors.js';
import type { HandshakeVerdict } from '../engine.js';
import { HttpHost } from '../http-host.js';
import type { EngineOptions } from '../options.js';
import { type Refusal, refuse, RefusalCode, REFUSAL_MESSAGES } from '../refusal.js';
import { randomSessionId } from '../session-id.js';
import { Socket } from './socket.js';

/** The options of npm engine.io. Times are milliseconds. */
export interface ServerOptions {
  readonly pingTimeout?: number;
  readonly pingInterval?: number;
  readonly upgradeTimeout?: number;
  readonly maxHttpBufferSize?: number;
  readonly allowRequest?: (
    request: IncomingMessage,
    callback: (error: string | null | undefined, isAllowed: boolean) => void,
  ) => void;
  readonly transports?: readonly ('polling' | 'websocket')[];
  readonly allowUpgrades?: boolean;
  /** Off unless it says otherwise. */
  readonly httpCompression?: boolean | { readonly threshold?: number };
  /** WebSocket messages are not compressed: anything but `false` is refused. */
  readonly perMessageDeflate?: false;
  readonly initialPacket?: string | Uint8Array;
  readonly cookie?: boolean | string | (CookieOptions & { readonly maxAge?: number });
  readonly cors?: CorsOptions & { readonly maxAge?: number };
  readonly allowEIO3?: boolean;
  /** Answers `?j=`; npm engine.io always does. */
  readonly jsonp?: boolean;
}

export interface NpmAttachOptions {
  readonly path?: string;
  readonly addTrailingSlash?: boolean;
  readonly destroyUpgrade?: boolean;
  readonly destroyUpgradeTimeout?: number;
}

export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * An Engine.IO server in the shape of npm engine.io: a program moves over by changing its import.
 *
 *     const server = new Server({ pingInterval: 10_000 });
 *     server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
 *     server.attach(httpServer);
 */
export class Server extends EventEmitter {
  readonly opts: ServerOptions;
  readonly #sockets = new Map<string, Socket>();
  readonly #host: HttpHost;
  readonly #middlewares: Middleware[] = [];
  /** Headers that middlewares have put on handshakes of WebSockets. */
  readonly #extra = new WeakMap<IncomingMessage, Record<string, string>>();

  constructor(options: ServerOptions = {}) {
    super();
    if (options.perMessageDeflate as unknown) {
      throw new TypeError('perMessageDeflate is not supported: leave it out, or set it to false');
    }
    this.opts = options;
    this.#host = new HttpHost(
      engineOptions(options),
      {
        generateId: (message) => this.#makeId(message),
        authorize: ({ message }) => this.#authorize(message),
        open: (session, { message }) => {
          const socket = new Socket(this, session, message);
          this.#sockets.set(socket.id, socket);
          this.emit('connection', socket);
          return socket.makeHandler();
        },
        onRefused: (message, refusal) => this.#refused(message, refusal),
        onHeaders: (headers, message, isHandshake) => this.#addHeaders(headers, message, isHandshake),
      },
      (error) => this.#failed(error),
    );
  }

  get turns(): TurnFlusher {
    return this.#host.turns;
  }

  /** The sockets by their id. A copy without a prototype. */
  get clients(): Readonly<Record<string, Socket>> {
    return Object.assign(Object.create(null) as Record<string, Socket>, Object.fromEntries(this.#sockets));
  }

  get clientsCount(): number {
    return this.#sockets.size;
  }

  /** To what a transport can be upgraded. */
  upgrades(transport: string): readonly string[] {
    const { allowUpgrades = true, transports = ['polling', 'websocket'] } = this.opts;
    return allowUpgrades && transport === 'polling' && transports.includes('websocket') ? ['websocket'] : [];
  }

  /** To be replaced by applications that name their sessions themselves. */
  generateId(_request: IncomingMessage): string | Promise<string> {
    return randomSessionId();
  }

  /** Runs before each request, handshakes of WebSockets included. */
  use(middleware: Middleware): void {
    this.#middlewares.push(middleware);
  }

  /** Takes the requests at `path`, default `/engine.io`, from a server of node:http. */
  attach(server: HttpServer, options: NpmAttachOptions = {}): void {
    const { destroyUpgrade, destroyUpgradeTimeout } = options;
    this.#host.attach(
      server,
      options.path ?? '/engine.io',
      {
        request: (message, out) => this.handleRequest(message, out),
        upgrade: (message, socket, head) => this.handleUpgrade(message, socket, head),
      },
      {
        ...(destroyUpgrade === undefined ? {} : { destroyUpgrade }),
        ...(destroyUpgradeTimeout === undefined ? {} : { destroyUpgradeTimeoutMs: destroyUpgradeTimeout }),
      },
    );
    server.on('close', () => this.close());
  }

  handleRequest(message: IncomingMessage, out: ServerResponse): void {
    if (this.#middlewares.length === 0) return void this.#host.engine.handleRequest(message, out);
    this.#runMiddlewares(message, out, (error) => {
      if (error === undefined || error === null) {
        this.#host.engine.handleRequest(message, out);
        return;
      }
      const refusal = refuse(RefusalCode.badRequest, { name: 'MIDDLEWARE_FAILURE' });
      this.#refused(message, refusal);
      out.writeHead(refusal.status, { 'content-type': 'application/json' }).end(refusal.body);
    });
  }

  handleUpgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Nobody needs a response to put headers on.
    if (this.#middlewares.length === 0) return this.#host.handleUpgrade(message, socket, head);
    const out = new ServerResponse(message);
    this.#runMiddlewares(message, out, (error) => {
      if (error !== undefined && error !== null) {
        const refusal = refuse(RefusalCode.badRequest, { name: 'MIDDLEWARE_FAILURE' });
        this.#refused(message, refusal);
        return rejectUpgrade(socket, refusal.status, refusal.message);
      }
      this.#extra.set(message, headersOf(out));
      this.#host.handleUpgrade(message, socket, head);
    });
  }

  /** Closes all clients. */
  close(): this {
    this.#host.engine.close();
    return this;
  }

  forget(socket: Socket): void {
    this.#sockets.delete(socket.id);
  }

  #runMiddlewares(message: IncomingMessage, out: ServerResponse, done: (error?: unknown) => void): void {
    const run = (at: number): void => {
      const middleware = this.#middlewares[at];
      if (middleware === undefined) return done();
      middleware(message, out, (error) =>
        error === undefined || error === null ? run(at + 1) : done(error),
      );
    };
    run(0);
  }

  #makeId(message: IncomingMessage): string | Promise<string> {
    try {
      return this.generateId(message);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #authorize(message: IncomingMessage): HandshakeVerdict | Promise<HandshakeVerdict> {
    const { allowRequest } = this.opts;
    if (allowRequest === undefined) return { kind: 'accept' };
    return new Promise((resolve) => {
      allowRequest(message, (error, isAllowed) => {
        if (isAllowed) return resolve({ kind: 'accept' });
        const text = typeof error === 'string' ? error : REFUSAL_MESSAGES[RefusalCode.forbidden];
        resolve(refuse(RefusalCode.forbidden, { message: text }, text));
      });
    });
  }

  #refused(req: IncomingMessage, { code, message, context }: Refusal): void {
    this.emit('connection_error', { req, code, message, context });
  }

  #addHeaders(headers: HeaderMap, message: IncomingMessage, isHandshake: boolean): void {
    if (this.#middlewares.length > 0) Object.assign(headers, this.#extra.get(message));
    if (isHandshake) this.emit('initial_headers', headers, message);
    this.emit('headers', headers, message);
  }

  /** A listener has thrown: that is the process's business, as with every emitter. */
  #failed(error: unknown): void {
    setImmediate(() => {
      throw error;
    });
  }
}

function engineOptions(options: ServerOptions): EngineOptions {
  const { httpCompression: compression, cookie, cors } = options;
  return {
    ...(options.pingTimeout === undefined ? {} : { pingTimeoutMs: options.pingTimeout }),
    ...(options.pingInterval === undefined ? {} : { pingIntervalMs: options.pingInterval }),
    ...(options.upgradeTimeout === undefined ? {} : { upgradeTimeoutMs: options.upgradeTimeout }),
    ...(options.maxHttpBufferSize === undefined ? {} : { maxPayloadBytes: options.maxHttpBufferSize }),
    ...(options.transports === undefined ? {} : { transports: options.transports }),
    ...(options.allowUpgrades === undefined ? {} : { allowUpgrades: options.allowUpgrades }),
    ...(options.allowEIO3 === undefined ? {} : { allowEio3: options.allowEIO3 }),
    ...(options.jsonp === undefined ? {} : { jsonp: options.jsonp }),
    ...(options.initialPacket === undefined ? {} : { initialPacket: options.initialPacket }),
    ...(compression === undefined || compression === false
      ? {}
      : {
          compression: { thresholdBytes: (compression === true ? undefined : compression.threshold) ?? 1024 },
        }),
    ...(cookie === undefined || cookie === false ? {} : { cookie: cookieOptions(cookie) }),
    ...(cors === undefined ? {} : { cors: withSeconds(cors) }),
  };
}

function cookieOptions(cookie: Exclude<ServerOptions['cookie'], undefined | false>): CookieOptions {
  if (cookie === true) return {};
  return typeof cookie === 'string' ? { name: cookie } : withSeconds(cookie);
}

/** `maxAge` of the npm packages is seconds, too. */
function withSeconds<Options extends { readonly maxAge?: number }>(
  options: Options,
): Options & { readonly maxAgeSeconds?: number } {
  return options.maxAge === undefined ? options : { ...options, maxAgeSeconds: options.maxAge };
}

function headersOf(out: ServerResponse): Record<string, string> {
  return Object.fromEntries(Object.entries(out.getHeaders()).map(([name, value]) => [name, String(value)]));
}

/** A server attached to one of node:http. */
export function attach(server: HttpServer, options: ServerOptions & NpmAttachOptions = {}): Server {
  const engine = new Server(options);
  engine.attach(server, options);
  return engine;
}

/** A server with a port of its own; requests at other paths are answered with 501. */
export function listen(
  port: number,
  options: (ServerOptions & NpmAttachOptions) | (() => void) = {},
  callback?: () => void,
): Server & { readonly httpServer: HttpServer } {
  const httpServer = createServer((_, out) => void out.writeHead(501).end('Not Implemented'));
  const settings = typeof options === 'function' ? {} : options;
  const engine = Object.assign(attach(httpServer, settings), { httpServer });
  httpServer.listen(port, typeof options === 'function' ? options : callback);
  return engine;
}
