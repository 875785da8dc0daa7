import { messagePacket, type TransportName } from '../messages/packet.js';
import { chooseTransports, parseAddress } from './address.js';
import { Connection } from './connection.js';
import { ConnectionError, SocketIsClosedError } from './errors.js';
import { decodeMessage, dumpJson, setJsonModule } from './json.js';
import { type ClientEvent, type ClientState, react } from './lifecycle.js';
import { makeLogger } from './logger.js';
import {
  type ClientDefaults,
  type ClientOptions,
  type ClientSettings,
  type ConnectOptions,
  type DisconnectOptions,
  resolveClientOptions,
} from './options.js';
import { type Link, platform } from './platform.js';
import { type DisconnectReason, reason } from './reason.js';
import { TaskTools } from './task-tools.js';

export interface ClientEvents {
  connect: () => unknown;
  /** Text as `decode` says, octets as Uint8Array. */
  message: (data: never) => unknown;
  disconnect: (reason: DisconnectReason) => unknown;
}

/** What `send` takes: text, octets, or what becomes JSON. */
export type Sendable = string | Uint8Array | ArrayBuffer | readonly unknown[] | object;

const EVENT_NAMES = ['connect', 'disconnect', 'message'] as const;

/**
 * An Engine.IO client, for Node and browsers.
 *
 *     const eio = new Client();
 *     eio.on('message', (data) => show(data));
 *     await eio.connect('http://localhost:5000');
 *     await eio.send('hello');
 *     await eio.wait();
 *
 * `disconnect` is told exactly once for every `connect`, with one of the `reason` constants.
 */
export class Client extends TaskTools {
  readonly reason = reason;
  readonly eventNames = EVENT_NAMES;
  protected readonly settings: ClientSettings;
  readonly #defaults: ClientDefaults;
  readonly #handlers: Partial<ClientEvents> = {};
  #state: ClientState = 'disconnected';
  #connection: Connection | undefined;
  #transports: readonly TransportName[] = [];
  #transportName: TransportName = 'polling';
  #baseUrl = '';
  #sid: string | null = null;
  #reason: DisconnectReason = reason.CLIENT_DISCONNECT;
  #ended = Promise.resolve();
  #resolveEnded = (): void => {};
  #unhookInterrupt: (() => void) | undefined;

  constructor(options: ClientOptions = {}, defaults: ClientDefaults = CLIENT_DEFAULTS) {
    super(makeLogger(options.logger ?? false));
    this.settings = resolveClientOptions(options, defaults);
    this.#defaults = defaults;
    if (options.json !== undefined) setJsonModule(options.json);
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The session's id; null when there is none. */
  get sid(): string | null {
    return this.#sid;
  }

  get upgrades(): readonly TransportName[] {
    return this.#connection?.handshake?.upgrades ?? [];
  }

  get pingIntervalMs(): number | undefined {
    return this.#connection?.handshake?.pingIntervalMs;
  }

  get pingTimeoutMs(): number | undefined {
    return this.#connection?.handshake?.pingTimeoutMs;
  }

  /** What is spoken inside the session, if `?protocol=` asked for something; else empty. */
  get protocol(): string {
    return this.#connection?.handshake?.protocol ?? '';
  }

  get baseUrl(): string {
    return this.#baseUrl;
  }

  /** The transports that `connect` was told to use. */
  get transports(): readonly TransportName[] {
    return this.#transports;
  }

  /** Octets that were sent and have not left. */
  get bufferedAmount(): number {
    return this.#connection?.bufferedBytes ?? 0;
  }

  /** The transport in use, or the last one that was. */
  transport(): TransportName {
    return this.#connection?.transportName ?? this.#transportName;
  }

  /**
   * Registers the handler of `connect`, `message` or `disconnect`; one each, the last one counts. Without a handler it returns
   * what registers one: the seed's decorator form.
   *
   *     eio.on('message', (data) => show(data));
   *     eio.on('connect')(() => eio.send('hello'));
   */
  on<Name extends keyof ClientEvents>(event: Name, handler: ClientEvents[Name]): void;
  on<Name extends keyof ClientEvents>(
    event: Name,
  ): <Handler extends ClientEvents[Name]>(handler: Handler) => Handler;
  on<Name extends keyof ClientEvents>(event: Name, handler?: ClientEvents[Name]): unknown {
    if (!EVENT_NAMES.includes(event))
      throw new TypeError(`Invalid event "${event}": there are ${EVENT_NAMES.join(', ')}`);
    if (handler === undefined) {
      return (decorated: ClientEvents[Name]) => {
        this.#handlers[event] = decorated;
        return decorated;
      };
    }
    this.#handlers[event] = handler;
    return undefined;
  }

  /** Resolves when the connection stands and the upgrade was tried. Throws ConnectionError. */
  async connect(url: string, options: ConnectOptions = {}): Promise<void> {
    const transports = chooseTransports(options.transports);
    const address = parseAddress(url, options.engineioPath ?? options.engineio_path ?? 'engine.io');
    if (react(this.#state, 'connect') === 'refuse') throw new EngineStateError(this.#state);
    void this.#step('connect');
    this.#transports = transports;
    this.#baseUrl = address.http;
    const connection = new Connection(
      {
        link: this.#makeLink(),
        address,
        transports,
        headers: { ...options.headers },
        requestMs: this.settings.requestMs,
        timestampRequests: this.settings.timestampRequests,
      },
      {
        onMessage: (data) => this.#deliver(data),
        onLost: (why, details) => {
          this.logger.info(`the connection was lost: ${details}`);
          if (this.#connection === connection) void this.#step('lost', why);
        },
        onNotice: (text) => this.logger.warning(text),
      },
    );
    this.#connection = connection;
    this.#ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    try {
      this.#sid = (await connection.open()).sid;
    } catch (error) {
      if (this.#connection === connection) void this.#step('failed');
      throw error;
    }
    if (this.#connection !== connection)
      throw new ConnectionError('disconnect() was called before the connection stood');
    await this.#step('opened');
    if (this.#connection !== connection) return;
    connection.start();
    await connection.upgrade();
  }

  #makeLink(): Link {
    const { session, tls, webSocket, requestMs } = this.settings;
    return platform.makeLink({ session, tls, webSocket, handshakeMs: requestMs });
  }

  /** Resolves when the connection has ended; at once if there is none. */
  wait(): Promise<void> {
    return this.#ended;
  }

  /**
   * Queues a message; arrays and objects go as JSON. Resolves when it is queued, `drain` says when it has left. Throws
   * SocketIsClosedError without a connection, ContentTooLongError for what the server would refuse.
   */
  async send(data: Sendable): Promise<void> {
    if (this.#state !== 'connected' || this.#connection === undefined) {
      if (!this.#defaults.isSendStrict) return;
      throw new SocketIsClosedError('there is no connection to send over');
    }
    this.#connection.send(messagePacket(toData(data)));
  }

  /** Resolves when everything that was sent has been handed to the WebSocket, or POSTs with it were answered. */
  async drain(): Promise<void> {
    await this.#connection?.drain();
  }

  /**
   * Ends the connection. What was sent before leaves first, unless `abort` is set. Also takes the seed's
   * `disconnect(abort, reason)`.
   */
  async disconnect(options: DisconnectOptions | boolean = {}, why?: string): Promise<void> {
    const { abort = false, reason: given = why } =
      typeof options === 'boolean' ? { abort: options } : options;
    await this.#step(abort ? 'abort' : 'disconnect', given ?? reason.CLIENT_DISCONNECT);
    if (this.#state === 'disconnecting') await this.#ended;
  }

  /** Does what the table says. Resolves when the handlers it told have finished. */
  async #step(event: ClientEvent, why: DisconnectReason = reason.TRANSPORT_ERROR): Promise<void> {
    const reaction = react(this.#state, event);
    // Only `connect` is ever refused, and it looks first.
    if (reaction === 'ignore' || reaction === 'refuse') return;
    this.#state = reaction.to;
    const connection = this.#connection;
    // A handler may connect again before this step is over.
    const resolveEnded = this.#resolveEnded;
    if (reaction.transports === 'open') this.#hookInterrupt();
    if (reaction.transports === 'drop') this.#drop(connection);
    if (reaction.announce === 'disconnect') this.#reason = why;
    if (reaction.announce !== undefined) await this.#announce(reaction.announce);
    if (reaction.transports === 'flush') {
      await connection?.flushAndClose();
      if (this.#connection === connection) await this.#step('flushed');
    }
    if (reaction.transports === 'drop') resolveEnded();
  }

  #drop(connection: Connection | undefined): void {
    this.#unhookInterrupt?.();
    this.#unhookInterrupt = undefined;
    this.#transportName = connection?.transportName ?? this.#transportName;
    this.#connection = undefined;
    this.#sid = null;
    connection?.drop();
  }

  #hookInterrupt(): void {
    if (!this.settings.handleSigint) return;
    this.#unhookInterrupt = platform.onInterrupt?.(() => this.disconnect());
  }

  async #announce(event: 'connect' | 'disconnect'): Promise<void> {
    try {
      if (event === 'connect') await this.#handlers.connect?.();
      else await this.#handlers.disconnect?.(this.#reason);
    } catch (error) {
      this.logger.error(`the handler of ${event} failed`, error);
    }
  }

  #deliver(data: string | Uint8Array): void {
    const decoded = typeof data === 'string' ? decodeMessage(data, this.settings.decode) : data;
    const failed = (error: unknown): void => this.logger.error('the handler of message failed', error);
    try {
      const result = this.#handlers.message?.(decoded as never);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

export const CLIENT_DEFAULTS: ClientDefaults = { handleSigint: false, decode: 'none', isSendStrict: true };

/** `connect` was called twice. */
class EngineStateError extends Error {
  override readonly name = 'EngineStateError';

  constructor(state: ClientState) {
    super(`Client is not in a disconnected state: it is ${state}`);
  }
}

function toData(data: Sendable): string | Uint8Array {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return typeof data === 'object' && data !== null ? dumpJson(data) : String(data);
}
