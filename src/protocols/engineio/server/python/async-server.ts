import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';

import { AsyncQueue } from '../../client/async-queue.js';
import { QueueEmpty } from '../../client/errors.js';
import { EventFlag } from '../../client/event-flag.js';
import { decodeMessage, dumpJson, type JsonModule, setJsonModule } from '../../client/json.js';
import { type Logger, makeLogger } from '../../client/logger.js';
import { PacketType } from '../../messages/packet.js';
import type { CookieOptions } from '../cookie.js';
import type { HandshakeRequest, HandshakeVerdict } from '../engine.js';
import { HttpHost } from '../http-host.js';
import { refuseWith } from '../refusal.js';
import { randomSessionId } from '../session-id.js';
import type { CloseReason } from '../session-host.js';
import type { Session } from '../session.js';
import { makeEnviron, type Environ } from './environ.js';
import { isOriginAllowed, type OriginPolicy } from './origin.js';

/** python-engineio's options, in both spellings. Times are seconds. */
export interface AsyncServerOptions {
  readonly pingInterval?: number;
  readonly ping_interval?: number;
  readonly pingTimeout?: number;
  readonly ping_timeout?: number;
  readonly maxHttpBufferSize?: number;
  readonly max_http_buffer_size?: number;
  readonly allowUpgrades?: boolean;
  readonly allow_upgrades?: boolean;
  /** Default false here. */
  readonly httpCompression?: boolean;
  readonly http_compression?: boolean;
  readonly compressionThreshold?: number;
  readonly compression_threshold?: number;
  readonly cookie?: string | CookieOptions | null;
  /** Default: pages of the server's own origin. */
  readonly corsAllowedOrigins?: OriginPolicy;
  readonly cors_allowed_origins?: OriginPolicy;
  readonly corsCredentials?: boolean;
  readonly cors_credentials?: boolean;
  readonly logger?: boolean | Logger;
  readonly json?: JsonModule;
  readonly transports?: 'polling' | 'websocket' | readonly ('polling' | 'websocket')[];
}

export interface ServerEvents {
  /** Nothing or true accepts; anything else refuses with 401 and that as JSON. */
  connect: (sid: string, environ: Environ) => unknown;
  message: (sid: string, data: never) => unknown;
  disconnect: (sid: string, reason: string) => unknown;
}

/** What an application keeps about a client. */
export type SessionData = Record<string, unknown>;

/**
 * An Engine.IO server in the words of python-engineio's AsyncServer.
 *
 *     const eio = new AsyncServer();
 *     eio.on('message', (sid, data) => eio.send(sid, data));
 *     eio.attach(httpServer);
 */
export class AsyncServer {
  readonly reason = {
    CLIENT_DISCONNECT: 'client disconnect',
    SERVER_DISCONNECT: 'server disconnect',
    TRANSPORT_ERROR: 'transport error',
    TRANSPORT_CLOSE: 'transport close',
    PING_TIMEOUT: 'ping timeout',
  } as const;
  readonly #host: HttpHost;
  readonly #logger: ReturnType<typeof makeLogger>;
  readonly #handlers: Partial<ServerEvents> = {};
  readonly #data = new Map<string, SessionData>();
  /** Messages to clients whose `connect` handler has not returned. */
  readonly #early = new Map<string, (string | Uint8Array)[]>();
  readonly #origins: OriginPolicy | undefined;

  constructor(options: AsyncServerOptions = {}) {
    this.#logger = makeLogger(options.logger ?? false);
    this.#origins = options.corsAllowedOrigins ?? options.cors_allowed_origins;
    if (options.json !== undefined) setJsonModule(options.json);
    this.#host = new HttpHost(
      engineOptions(options, this.#origins),
      {
        authorize: (request) => this.#connect(request),
        open: (session) => this.#open(session),
      },
      (error, where) => this.#logger.error(where, error),
    );
  }

  /** Takes the requests at `engineioPath` from a server of node:http. */
  attach(server: HttpServer, engineioPath = 'engine.io'): void {
    this.#host.attach(server, engineioPath, {
      request: (message, out) => this.handleRequest(message, out),
      upgrade: (message, socket, head) => this.#host.handleUpgrade(message, socket, head),
    });
  }

  handleRequest(message: IncomingMessage, out: ServerResponse): void {
    if (!isOriginAllowed(this.#origins, message)) {
      out.writeHead(400, { 'content-type': 'application/json' });
      return void out.end(JSON.stringify(`${message.headers.origin ?? ''} is not an accepted origin.`));
    }
    this.#host.engine.handleRequest(message, out);
  }

  /** Registers the handler of `connect`, `message` or `disconnect`; without one it returns what registers one. */
  on<Name extends keyof ServerEvents>(event: Name, handler: ServerEvents[Name]): void;
  on<Name extends keyof ServerEvents>(event: Name): (handler: ServerEvents[Name]) => ServerEvents[Name];
  on<Name extends keyof ServerEvents>(event: Name, handler?: ServerEvents[Name]): unknown {
    if (!['connect', 'message', 'disconnect'].includes(event))
      throw new TypeError(`Invalid event "${event}"`);
    if (handler === undefined) {
      return (decorated: ServerEvents[Name]) => {
        this.#handlers[event] = decorated;
        return decorated;
      };
    }
    this.#handlers[event] = handler;
    return undefined;
  }

  /** Arrays and objects go as JSON. An unknown client is a warning, no error. */
  async send(sid: string, data: string | Uint8Array | object): Promise<void> {
    const message = typeof data === 'string' || data instanceof Uint8Array ? data : dumpJson(data);
    const early = this.#early.get(sid);
    const session = this.#host.engine.sessions.get(sid);
    if (session !== undefined) session.send(message);
    else if (early !== undefined) early.push(message);
    else this.#logger.warning(`cannot send to unknown client ${sid}`);
  }

  async sendPacket(
    sid: string,
    packet: { readonly type: PacketType; readonly data?: string },
  ): Promise<void> {
    const session = this.#host.engine.sessions.get(sid);
    if (session === undefined) return this.#logger.warning(`cannot send to unknown client ${sid}`);
    session.sendPacket({ type: packet.type, data: packet.data ?? '' });
  }

  /** What was saved about a client. Throws Error for an unknown one. */
  async getSession(sid: string): Promise<SessionData> {
    const data = this.#data.get(sid);
    if (data === undefined) throw new Error(`there is no session ${sid}`);
    return data;
  }

  async saveSession(sid: string, data: SessionData): Promise<void> {
    if (!this.#data.has(sid)) throw new Error(`there is no session ${sid}`);
    this.#data.set(sid, data);
  }

  /** Runs `body` with what is kept about a client, and keeps what it changed. */
  async session<Result>(sid: string, body: (data: SessionData) => Result | Promise<Result>): Promise<Result> {
    const data = await this.getSession(sid);
    const result = await body(data);
    await this.saveSession(sid, data);
    return result;
  }

  /** Disconnects a client, or all of them. */
  async disconnect(sid?: string): Promise<void> {
    const { sessions } = this.#host.engine;
    if (sid !== undefined) return sessions.get(sid)?.close();
    for (const session of sessions.values()) session.close();
  }

  async shutdown(): Promise<void> {
    this.#host.engine.close();
  }

  transport(sid: string): 'polling' | 'websocket' {
    const session = this.#host.engine.sessions.get(sid);
    if (session === undefined) throw new Error(`there is no session ${sid}`);
    return session.transportName;
  }

  generateId(): string {
    return randomSessionId();
  }

  startBackgroundTask<Arguments extends unknown[], Result>(
    target: (...args: Arguments) => Result | Promise<Result>,
    ...args: Arguments
  ): Promise<Result> {
    const task = Promise.resolve().then(() => target(...args));
    task.catch((error: unknown) => this.#logger.error('a background task failed', error));
    return task;
  }

  /** Waits for `seconds`. */
  async sleep(seconds = 0): Promise<void> {
    await new Promise<void>((resolve) => void setTimeout(resolve, seconds * 1000));
  }

  createQueue<Item = unknown>(maxsize = 0): AsyncQueue<Item> {
    return new AsyncQueue<Item>(maxsize);
  }

  getQueueEmptyException(): typeof QueueEmpty {
    return QueueEmpty;
  }

  createEvent(): EventFlag {
    return new EventFlag();
  }

  async #connect({ id, message }: HandshakeRequest): Promise<HandshakeVerdict> {
    if (!isOriginAllowed(this.#origins, message)) return refuseWith(400, 'Not an accepted origin.');
    this.#early.set(id, []);
    this.#data.set(id, {});
    let verdict: unknown;
    try {
      verdict = await this.#handlers.connect?.(id, makeEnviron(message));
    } catch (error) {
      this.#logger.error('the handler of connect failed', error);
      verdict = false;
    }
    if (verdict === undefined || verdict === null || verdict === true) return { kind: 'accept' };
    this.#early.delete(id);
    this.#data.delete(id);
    return refuseWith(401, verdict === false ? 'Unauthorized' : verdict);
  }

  #open(session: Session): {
    onMessage(data: string | Uint8Array): void;
    onClose(reason: CloseReason): void;
  } {
    const { id } = session;
    for (const data of this.#early.get(id) ?? []) session.send(data);
    this.#early.delete(id);
    return {
      onMessage: (data) => {
        const own = typeof data === 'string' ? decodeMessage(data, 'python') : Buffer.from(data);
        this.#call('message', () => this.#handlers.message?.(id, own as never));
      },
      onClose: (reason) => {
        this.#call('disconnect', () => this.#handlers.disconnect?.(id, REASONS[reason]));
        this.#data.delete(id);
      },
    };
  }

  #call(event: string, run: () => unknown): void {
    const failed = (error: unknown): void => this.#logger.error(`the handler of ${event} failed`, error);
    try {
      const result = run();
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

const REASONS: Readonly<Record<CloseReason, string>> = {
  'transport close': 'client disconnect',
  'transport error': 'transport error',
  'parse error': 'transport error',
  'ping timeout': 'ping timeout',
  'forced close': 'server disconnect',
  'server shutdown': 'server disconnect',
};

function engineOptions(
  options: AsyncServerOptions,
  origins: OriginPolicy | undefined,
): ConstructorParameters<typeof HttpHost>[0] {
  const interval = options.pingInterval ?? options.ping_interval;
  const timeout = options.pingTimeout ?? options.ping_timeout;
  const size = options.maxHttpBufferSize ?? options.max_http_buffer_size;
  const upgrades = options.allowUpgrades ?? options.allow_upgrades;
  const { cookie, transports } = options;
  const isCompressing = options.httpCompression ?? options.http_compression ?? false;
  const threshold = options.compressionThreshold ?? options.compression_threshold ?? 1024;
  const isCorsOff = Array.isArray(origins) && origins.length === 0;
  return {
    ...(interval === undefined ? {} : { pingIntervalMs: interval * 1000 }),
    ...(timeout === undefined ? {} : { pingTimeoutMs: timeout * 1000 }),
    ...(size === undefined ? {} : { maxPayloadBytes: size }),
    ...(upgrades === undefined ? {} : { allowUpgrades: upgrades }),
    ...(transports === undefined
      ? {}
      : { transports: typeof transports === 'string' ? [transports] : transports }),
    ...(isCompressing ? { compression: { thresholdBytes: threshold } } : {}),
    ...(cookie === undefined || cookie === null
      ? {}
      : {
          cookie:
            typeof cookie === 'string' ? { name: cookie, httpOnly: false } : { httpOnly: false, ...cookie },
        }),
    ...(isCorsOff
      ? {}
      : {
          cors: {
            // Only origins that are allowed get this far.
            origin: (origin: string | undefined) => origin !== undefined,
            credentials: options.corsCredentials ?? options.cors_credentials ?? true,
          },
        }),
  };
}
