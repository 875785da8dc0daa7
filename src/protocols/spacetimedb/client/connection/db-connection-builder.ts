import { systemClock } from '../../../../base/clock.js';
import type { Clock } from '../../../../base/clock.js';
import type { EngineTransports } from '../../../../base/connecting.js';
import { systemRandom } from '../../../../base/random.js';
import type { Random } from '../../../../base/random.js';
import type { Identity } from '../../../../values/identity.js';
import { consoleProblemLog } from '../errors.js';
import type { ProblemLog } from '../errors.js';
import { chooseTransport } from '../platform.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { OpenTransport } from '../transport/transport.js';
import type { ReconnectOptions } from './backoff.js';
import type { DbConnectionImpl } from './db-connection.js';
import type { ErrorContextInterface } from './event-context.js';
import { CALL_TIMEOUT_MS, CONNECT_TIMEOUT_MS } from './options.js';
import type {
  ConnectionListeners,
  DbConnectionConfig,
  ReconnectedInfo,
  ReconnectingInfo,
} from './options.js';

/** The remote module of a connection's type. */
export type RemoteModuleOf<C> = C extends DbConnectionImpl<infer RM> ? RM : never;

/** How long things may take, in milliseconds; 0 for calls waits as long as the connection lives. */
export interface Timeouts {
  readonly connectMs?: number;
  readonly callMs?: number;
}

/**
 * Collects what a connection needs.
 *
 * @example
 * const conn = DbConnection.builder()
 *   .withUri('http://localhost:3000')
 *   .withDatabaseName('chat')
 *   .onConnect((conn, identity, token) => localStorage.setItem('token', token))
 *   .build();
 */
export class DbConnectionBuilder<
  C extends DbConnectionImpl<RM>,
  RM extends UntypedRemoteModule = RemoteModuleOf<C>,
> {
  readonly #remoteModule: RM;
  readonly #make: (config: DbConnectionConfig<RM>) => C;
  readonly #listeners: ConnectionListeners = {
    connect: [],
    disconnect: [],
    connectError: [],
    reconnecting: [],
    reconnected: [],
  };
  #uri: URL | undefined;
  #databaseName: string | undefined;
  #token: string | undefined;
  #confirmedReads: boolean | undefined;
  #openTransport: OpenTransport | undefined;
  #transports: EngineTransports | undefined;
  #clock: Clock = systemClock;
  #random: Random = systemRandom;
  #reconnect: ReconnectOptions | undefined = {};
  #log: ProblemLog = consoleProblemLog;
  #timeouts: Timeouts = {};

  constructor(remoteModule: RM, make: (config: DbConnectionConfig<RM>) => C) {
    this.#remoteModule = remoteModule;
    this.#make = make;
  }

  /** @param uri of the server: `http(s)://` or `ws(s)://`. */
  withUri(uri: string | URL): this {
    const url = new URL(uri);
    if (!['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol)) {
      throw new TypeError(`a server's URI starts with http, https, ws or wss, not \`${url.protocol}\``);
    }
    this.#uri = url;
    return this;
  }

  /** @param nameOrIdentity the database's name, or its identity in hexadecimal. */
  withDatabaseName(nameOrIdentity: string): this {
    this.#databaseName = nameOrIdentity;
    return this;
  }

  /** The older name of `withDatabaseName`. */
  withModuleName(nameOrIdentity: string): this {
    return this.withDatabaseName(nameOrIdentity);
  }

  /** @param token what an earlier connection got in onConnect; without one the server makes a new identity. */
  withToken(token?: string): this {
    this.#token = token;
    return this;
  }

  /** Whether to hear of transactions only when they are on disk. The server's default is yes. */
  withConfirmedReads(confirmedReads: boolean): this {
    this.#confirmedReads = confirmedReads;
    return this;
  }

  /** Accepted for compatibility; frames are never compressed. */
  withCompression(_compression: 'gzip' | 'brotli' | 'none'): this {
    return this;
  }

  /** Accepted for compatibility; it means nothing since protocol v2. */
  withLightMode(_lightMode: boolean): this {
    return this;
  }

  withTimeouts(timeouts: Timeouts): this {
    this.#timeouts = { ...this.#timeouts, ...timeouts };
    return this;
  }

  /** Where problems go that no callback was given for; the console by default. */
  withLog(log: ProblemLog): this {
    this.#log = log;
    return this;
  }

  /** Carries frames by something else than the platform's WebSocket. */
  withTransport(openTransport: OpenTransport): this {
    this.#openTransport = openTransport;
    return this;
  }

  /**
   * Goes through Engine.IO, for networks without WebSocket. `['websocket', 'polling']` falls back to polling, `['polling',
   * 'websocket']` begins with it and moves on when it can.
   */
  withTransports(transports: EngineTransports): this {
    this.#transports = transports;
    return this;
  }

  /** For tests. */
  withClock(clock: Clock): this {
    this.#clock = clock;
    return this;
  }

  /** For tests. */
  withRandom(random: Random): this {
    this.#random = random;
    return this;
  }

  /** How a connection that was cut comes back, which it does by itself; `false` lets it end instead. */
  withReconnect(options: ReconnectOptions | false): this {
    this.#reconnect = options === false ? undefined : options;
    return this;
  }

  /** The connection was cut; it comes back by itself. Called again after each try that fails. */
  onReconnecting(callback: (ctx: ErrorContextInterface<RM>, info: ReconnectingInfo) => void): this {
    this.#listeners.reconnecting.push(callback);
    return this;
  }

  /** The connection is back: subscriptions go on, the cache is up to date and callbacks for what was missed have run. */
  onReconnected(callback: (connection: C, info: ReconnectedInfo) => void): this {
    this.#listeners.reconnected.push(callback);
    return this;
  }

  /** Called once; coming back after a cut is `onReconnected`. */
  onConnect(callback: (connection: C, identity: Identity, token: string) => void): this {
    this.#listeners.connect.push(callback);
    return this;
  }

  /** The connection was never made; `error` is a ConnectionError. */
  onConnectError(callback: (ctx: ErrorContextInterface<RM>, error: Error) => void): this {
    this.#listeners.connectError.push(callback);
    return this;
  }

  /** The connection ended for good; `error` is a ConnectionError with the close code, or undefined after `disconnect()`. */
  onDisconnect(callback: (ctx: ErrorContextInterface<RM>, error?: Error) => void): this {
    this.#listeners.disconnect.push(callback);
    return this;
  }

  /** Starts connecting. */
  build(): C {
    if (this.#uri === undefined) throw new TypeError('a connection needs a URI: call withUri(...)');
    if (this.#databaseName === undefined) {
      throw new TypeError('a connection needs a database: call withDatabaseName(...)');
    }
    return this.#make({
      remoteModule: this.#remoteModule,
      uri: this.#uri,
      databaseName: this.#databaseName,
      token: this.#token,
      confirmedReads: this.#confirmedReads,
      openTransport: chooseTransport(this.#openTransport, this.#transports),
      clock: this.#clock,
      log: this.#log,
      connectTimeoutMs: this.#timeouts.connectMs ?? CONNECT_TIMEOUT_MS,
      callTimeoutMs: this.#timeouts.callMs ?? CALL_TIMEOUT_MS,
      reconnect: this.#reconnect,
      random: this.#random,
      listeners: this.#listeners,
    });
  }
}
