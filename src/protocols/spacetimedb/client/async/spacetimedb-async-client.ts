import { systemClock } from '../../../../base/clock.js';
import type { Clock } from '../../../../base/clock.js';
import type { EngineTransports } from '../../../../base/connecting.js';
import { CONNECT_TIMEOUT_MS } from '../connection/options.js';
import { consoleProblemLog } from '../errors.js';
import type { ProblemLog } from '../errors.js';
import { chooseTransport } from '../platform.js';
import type { OpenTransport } from '../transport/transport.js';
import { checkClaim, claimPackage, readAutogenPackage } from './autogen-package.js';
import type { AutogenPackage, PackageOwner } from './autogen-package.js';
import { runCallback } from './callback-list.js';
import { EventScheduler } from './event-scheduler.js';
import { hostUri } from './host-uri.js';
import type { ReducerCallEvent } from './reducer-call-event.js';
import type { SpacetimeDBScheduledEvent } from './scheduled-event.js';
import { SpacetimeDBClient } from './spacetimedb-client.js';
import type { ConnectedAs } from './spacetimedb-client.js';
import { SpacetimeDBException } from './spacetimedb-exception.js';

/** As long as the Python SDK waits for the answer to a call. */
const REQUEST_TIMEOUT_MS = 5000;

export interface AsyncClientOptions {
  /** How long `callReducer` waits for its answer, and `close` for all of them. */
  readonly requestTimeoutMs?: number;
  /** How long it may take to be connected. */
  readonly connectTimeoutMs?: number;
  /** Where problems go that nobody else hears of; the console by default. */
  readonly log?: ProblemLog;
  /** Carries frames by something else than the platform's WebSocket. */
  readonly transport?: OpenTransport;
  /** Goes through Engine.IO, for networks without WebSocket; see `withTransports`. */
  readonly transports?: EngineTransports;
  /** For tests. */
  readonly clock?: Clock;
}

/** Called when the client is connected, with what to keep, who we are, and which of our connections this is. */
export type OnConnect = (
  authToken: string,
  identity: ConnectedAs['identity'],
  address: ConnectedAs['address'],
) => unknown;

/*
 * | state      | event                      | next       |
 * | idle       | connect(), run()           | connecting |
 * | connecting | IdentityToken              | connected  |
 * | connected  | the connection breaks      | closed     |
 * | any        | close(), forceClose()      | closed     |
 *
 * `closing` is `connected` after close(): calls in flight are waited for, nothing new begins.
 */
type State = 'idle' | 'connecting' | 'connected' | 'closing' | 'closed';

/**
 * A client with the shape of the Python SDK's: one generated package, callbacks, and `run`, which lasts as long as the
 * connection. It lives once: a client that was closed is not opened again.
 *
 * Where it does more than its model: nothing fires after `close` and `forceClose`, no timer and no socket outlives them,
 * and a callback that throws is logged and ends nothing.
 *
 * @example
 * const client = new SpacetimeDBAsyncClient(moduleBindings);
 * client.client.registerOnSubscriptionApplied(() => show(User.iter()));
 * await client.run(token, 'localhost:3000', 'chat', false, keepToken, ['SELECT * FROM user']);
 */
export class SpacetimeDBAsyncClient {
  /** The client below: callbacks for subscriptions and for every event. */
  readonly client: SpacetimeDBClient;
  readonly #options: AsyncClientOptions;
  readonly #clock: Clock;
  readonly #log: ProblemLog;
  readonly #scheduler: EventScheduler;
  readonly #package: AutogenPackage;
  readonly #owner: PackageOwner = { isOpen: () => this.#state !== 'idle' && this.#state !== 'closed' };
  #state: State = 'idle';
  #rejectConnect: ((error: SpacetimeDBException) => void) | undefined;
  #error: SpacetimeDBException | undefined;
  #ended!: () => void;
  readonly #whenEnded = new Promise<void>((resolve) => (this.#ended = resolve));
  #closing: Promise<void> | undefined;

  /**
   * @param autogenPackage what `chorale generate --sdk chorale-async` wrote: `import * as moduleBindings from './module_bindings'`.
   * Throws SpacetimeDBException when it is something else, or when a client that is still open was made with it.
   */
  constructor(autogenPackage: object, options: AsyncClientOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? consoleProblemLog;
    this.#scheduler = new EventScheduler(this.#clock, (error) =>
      this.#log('error', 'a scheduled event threw', error),
    );
    this.#package = readAutogenPackage(autogenPackage);
    claimPackage(this.#package, this.#owner);
    this.client = new SpacetimeDBClient({
      package: this.#package,
      clock: this.#clock,
      log: this.#log,
      requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    });
  }

  /** Who we are; undefined until connected. */
  get identity(): ConnectedAs['identity'] | undefined {
    return this.client.identity;
  }

  get isConnected(): boolean {
    return this.#state === 'connected';
  }

  /**
   * Connects, subscribes, and resolves when the client is closed. Rejects with SpacetimeDBException when the connection
   * cannot be made, the queries are refused, or the connection breaks.
   *
   * @param authToken what an earlier `onConnect` gave; undefined to be somebody new.
   * @param host name or address of the server, with its port: `localhost:3000`.
   * @param addressOrName of the database.
   * @param sslEnabled whether to use TLS.
   * @param onConnect called once, before anything is subscribed.
   * @param subscriptionQueries what to follow; nothing by default.
   */
  async run(
    authToken: string | undefined,
    host: string,
    addressOrName: string,
    sslEnabled: boolean,
    onConnect: OnConnect | undefined,
    subscriptionQueries: readonly string[] = [],
  ): Promise<void> {
    try {
      await this.#connect(authToken, host, addressOrName, sslEnabled, subscriptionQueries, onConnect);
    } catch (error) {
      // Closed on purpose is an end like any other.
      if (!(error instanceof SpacetimeDBException && error.code === 'CLOSED' && this.#closing)) throw error;
    }
    await this.#whenEnded;
    await this.#closing;
    if (this.#error !== undefined) throw this.#error;
  }

  /**
   * Connects and subscribes. Resolves with who we are when the cache holds the rows; rejects with SpacetimeDBException.
   * Not needed with `run`, which does it.
   *
   * @param subscriptionQueries what to follow; nothing by default.
   */
  async connect(
    authToken: string | undefined,
    host: string,
    addressOrName: string,
    sslEnabled: boolean,
    subscriptionQueries: readonly string[] = [],
  ): Promise<ConnectedAs> {
    return await this.#connect(authToken, host, addressOrName, sslEnabled, subscriptionQueries, undefined);
  }

  /**
   * Calls a reducer and resolves with its event, whose `status` says whether it was committed, when it is in the cache
   * and on the server's disk. Rejects with SpacetimeDBException: TIMEOUT when nothing was answered (it may still happen),
   * BAD_ARGUMENTS, or what ended the connection.
   *
   * @example
   * const { status, message } = await client.callReducer('set_name', 'Ada');
   */
  async callReducer(reducerName: string, ...reducerArgs: readonly unknown[]): Promise<ReducerCallEvent> {
    return await SpacetimeDBClient.call(this.client, reducerName, reducerArgs);
  }

  /**
   * Calls `callback` once after a delay; call `scheduleEvent` in it again to repeat. Before the client is connected the
   * event waits, and its delay counts from the connection on. Once the client is closed nothing fires any more.
   *
   * @param delaySecs seconds, as in the Python SDK; fractions are fine.
   */
  scheduleEvent<A extends readonly unknown[]>(
    delaySecs: number,
    callback: (...args: A) => unknown,
    ...args: A
  ): SpacetimeDBScheduledEvent<A> {
    return this.#scheduler.schedule(delaySecs, callback, args);
  }

  /** The same as `client.subscribe`. */
  subscribe(queries: readonly string[]): Promise<void> {
    return this.client.subscribe(queries);
  }

  /** The same as `client.registerOnSubscriptionApplied`. */
  registerOnSubscriptionApplied(callback: () => void): void {
    this.client.registerOnSubscriptionApplied(callback);
  }

  unregisterOnSubscriptionApplied(callback: () => void): void {
    this.client.unregisterOnSubscriptionApplied(callback);
  }

  /**
   * Closes the client and resolves when it is closed. Calls in flight get their answers (for as long as they would wait
   * anyway); events that are scheduled do not fire any more. Not needed with `run`.
   */
  async close(): Promise<void> {
    if (this.#state === 'connected') {
      this.#state = 'closing';
      this.#scheduler.stop();
      await SpacetimeDBClient.settled(this.client);
    }
    this.forceClose();
    await this.#closing;
  }

  /** Closes at once: no callback and no event fires any more, calls in flight reject. `run` resolves soon after. */
  forceClose(): void {
    if (this.#state === 'closed') return;
    this.#end();
    this.#closing = SpacetimeDBClient.close(this.client);
    this.#rejectConnect?.(new SpacetimeDBException('CLOSED', 'the client was closed'));
  }

  async #connect(
    authToken: string | undefined,
    host: string,
    databaseName: string,
    sslEnabled: boolean,
    queries: readonly string[],
    onConnect: OnConnect | undefined,
  ): Promise<ConnectedAs> {
    if (this.#state === 'closed')
      throw new SpacetimeDBException('CLOSED', 'the client is closed: make a new one');
    if (this.#state !== 'idle')
      throw new SpacetimeDBException('BAD_ARGUMENTS', 'the client is connected already');
    checkClaim(this.#package, this.#owner);
    const uri = hostUri(host, sslEnabled);
    const as = await this.#open(uri, databaseName, authToken, onConnect);
    try {
      if (queries.length > 0) await this.client.subscribe(queries);
    } catch (error) {
      throw this.#failed(SpacetimeDBException.from(error));
    }
    return as;
  }

  #open(
    uri: URL,
    databaseName: string,
    token: string | undefined,
    onConnect: OnConnect | undefined,
  ): Promise<ConnectedAs> {
    this.#state = 'connecting';
    const { transport, transports, connectTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      this.#rejectConnect = reject;
      const config = {
        uri,
        databaseName,
        token,
        clock: this.#clock,
        connectTimeoutMs: connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
        openTransport: chooseTransport(transport, transports),
      };
      SpacetimeDBClient.open(this.client, config, {
        onIdentity: (as) => resolve(this.#connected(as, token, onConnect)),
        onFailed: (error) => void this.#failed(error),
      });
    });
  }

  #connected(as: ConnectedAs, token: string | undefined, onConnect: OnConnect | undefined): ConnectedAs {
    this.#state = 'connected';
    // With a token of our own the server may have seen only its short-lived copy.
    const mine = { ...as, authToken: token ?? as.authToken };
    this.#scheduler.start();
    if (onConnect !== undefined) {
      runCallback(
        () => onConnect(mine.authToken, mine.identity, mine.address),
        (error) => this.#log('error', 'onConnect threw', error),
      );
    }
    return mine;
  }

  /** Ends everything because something went wrong; the first reason counts. */
  #failed(error: SpacetimeDBException): SpacetimeDBException {
    if (this.#state === 'closed') return this.#error ?? error;
    this.#error = error;
    this.#end();
    this.#closing = SpacetimeDBClient.close(this.client);
    this.#rejectConnect?.(error);
    return error;
  }

  #end(): void {
    this.#state = 'closed';
    this.#scheduler.stop();
    this.#ended();
  }
}
