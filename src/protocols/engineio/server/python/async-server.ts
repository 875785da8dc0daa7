import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';

import type { AsyncQueue } from '../../client/async-queue.js';
import type { QueueEmpty } from '../../client/errors.js';
import type { EventFlag } from '../../client/event-flag.js';
import { decodeMessage, dumpJson, setJsonModule } from '../../client/json.js';
import { makeLogger } from '../../client/logger.js';
import { TaskTools } from '../../client/task-tools.js';
import { PacketType } from '../../messages/packet.js';
import type { HandshakeRequest, HandshakeVerdict } from '../engine.js';
import { HttpHost } from '../http-host.js';
import { refuseWith } from '../refusal.js';
import { randomSessionId } from '../session-id.js';
import type { CloseReason, SessionHandler } from '../session-host.js';
import type { Session } from '../session.js';
import { makeEnviron, type Environ } from './environ.js';
import { type AsyncServerOptions, engineOptions } from './options.js';
import { isOriginAllowed, type OriginPolicy } from './origin.js';
import { TaskChain } from './task-chain.js';

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
export class AsyncServer extends TaskTools {
  readonly reason = {
    CLIENT_DISCONNECT: 'client disconnect',
    SERVER_DISCONNECT: 'server disconnect',
    TRANSPORT_ERROR: 'transport error',
    TRANSPORT_CLOSE: 'transport close',
    PING_TIMEOUT: 'ping timeout',
  } as const;
  readonly #host: HttpHost;
  readonly #handlers: Partial<ServerEvents> = {};
  readonly #data = new Map<string, SessionData>();
  /** Messages to clients whose `connect` handler has not returned. */
  readonly #early = new Map<string, (string | Uint8Array)[]>();
  readonly #origins: OriginPolicy | undefined;
  readonly #areHandlersAsync: boolean;

  constructor(options: AsyncServerOptions = {}) {
    super(makeLogger(options.logger ?? false));
    this.#origins = options.corsAllowedOrigins ?? options.cors_allowed_origins;
    this.#areHandlersAsync = options.asyncHandlers ?? options.async_handlers ?? true;
    if (options.json !== undefined) setJsonModule(options.json);
    this.#host = new HttpHost(
      engineOptions(options, this.#origins),
      {
        generateId: () => this.generate_id(),
        authorize: (request) => this.#connect(request),
        open: (session) => this.#open(session),
      },
      (error, where) => this.logger.error(where, error),
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
    else this.logger.warning(`cannot send to unknown client ${sid}`);
  }

  async sendPacket(
    sid: string,
    packet: { readonly type: PacketType; readonly data?: string },
  ): Promise<void> {
    const session = this.#host.engine.sessions.get(sid);
    if (session === undefined) return this.logger.warning(`cannot send to unknown client ${sid}`);
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

  /** To be replaced by applications that name their clients themselves. */
  generateId(): string {
    return randomSessionId();
  }

  async #connect({ id, message }: HandshakeRequest): Promise<HandshakeVerdict> {
    if (!isOriginAllowed(this.#origins, message)) return refuseWith(400, 'Not an accepted origin.');
    this.#early.set(id, []);
    this.#data.set(id, {});
    let verdict: unknown;
    try {
      verdict = await this.#handlers.connect?.(id, makeEnviron(message));
    } catch (error) {
      this.logger.error('the handler of connect failed', error);
      verdict = false;
    }
    if (verdict === undefined || verdict === null || verdict === true) return { kind: 'accept' };
    this.#early.delete(id);
    this.#data.delete(id);
    return refuseWith(401, verdict === false ? 'Unauthorized' : verdict);
  }

  #open(session: Session): SessionHandler {
    const { id } = session;
    for (const data of this.#early.get(id) ?? []) session.send(data);
    this.#early.delete(id);
    const run = this.#makeRunner(session);
    let isLeaving = false;
    return {
      onPacket: ({ type }) => void (isLeaving ||= type === PacketType.close),
      onMessage: (data) => {
        const own = typeof data === 'string' ? decodeMessage(data, 'python') : Buffer.from(data);
        run(data.length, () => this.#call('message', () => this.#handlers.message?.(id, own as never)));
      },
      onClose: (reason) =>
        run(0, () => {
          const why = isLeaving ? this.reason.CLIENT_DISCONNECT : REASONS[reason];
          const told = this.#call('disconnect', () => this.#handlers.disconnect?.(id, why));
          this.#data.delete(id);
          return told;
        }),
    };
  }

  /** What runs a client's handlers: at once, or one after the other. */
  #makeRunner(session: Session): (bytes: number, task: () => unknown) => void {
    if (this.#areHandlersAsync) return (_bytes, task) => void task();
    const chain = new TaskChain(this.#host.engine.settings.queueBytesMax);
    return (bytes, task) => {
      if (!chain.add(bytes, task)) session.terminate('transport error', 'too much waits for the handlers');
    };
  }

  /** What the handler throws, now or later, is logged. */
  #call(event: string, run: () => unknown): unknown {
    const failed = (error: unknown): void => this.logger.error(`the handler of ${event} failed`, error);
    try {
      const result = run();
      return result instanceof Promise ? result.catch(failed) : result;
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  /* The same under their Python names */

  send_packet(...args: Parameters<AsyncServer['sendPacket']>): Promise<void> {
    return this.sendPacket(...args);
  }

  get_session(sid: string): Promise<SessionData> {
    return this.getSession(sid);
  }

  save_session(sid: string, data: SessionData): Promise<void> {
    return this.saveSession(sid, data);
  }

  handle_request(message: IncomingMessage, out: ServerResponse): void {
    this.handleRequest(message, out);
  }

  /** May be replaced as `generateId` may. */
  generate_id(): string {
    return this.generateId();
  }

  start_background_task<Arguments extends unknown[], Result>(
    target: (...args: Arguments) => Result | Promise<Result>,
    ...args: Arguments
  ): Promise<Result> {
    return this.startBackgroundTask(target, ...args);
  }

  create_queue<Item = unknown>(maxsize = 0): AsyncQueue<Item> {
    return this.createQueue<Item>(maxsize);
  }

  get_queue_empty_exception(): typeof QueueEmpty {
    return this.getQueueEmptyException();
  }

  create_event(): EventFlag {
    return this.createEvent();
  }
}

const REASONS: Readonly<Record<CloseReason, string>> = {
  'transport close': 'transport close',
  'transport error': 'transport error',
  'parse error': 'transport error',
  'ping timeout': 'ping timeout',
  'forced close': 'server disconnect',
  'server shutdown': 'server disconnect',
};
