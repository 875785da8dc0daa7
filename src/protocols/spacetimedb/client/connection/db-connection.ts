import { ByteReader } from '../../../../base/byte-reader.js';
import { assertNever } from '../../../../base/assert.js';
import type { Timer } from '../../../../base/clock.js';
import { ConnectionId } from '../../../../values/identity.js';
import type { Identity } from '../../../../values/identity.js';
import { Timestamp } from '../../../../values/timestamp.js';
import { Compression, SUBPROTOCOLS } from '../../messages/frame.js';
import { decodeServerMessage, errorText } from '../../messages/server-messages.js';
import type {
  InitialConnection, ProcedureResult, QuerySetUpdate, ReducerResult, ServerMessage, SubscribeApplied, SubscriptionError,
  UnsubscribeApplied,
} from '../../messages/server-messages.js'; // prettier-ignore
import { attempt } from '../attempt.js';
import { ClientCache } from '../cache/client-cache.js';
import { TableView } from '../cache/table-view.js';
import type { RowEvent } from '../cache/table-cache.js';
import { ConnectionError, InternalError, SenderError } from '../errors.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { CloseInfo, Transport } from '../transport/transport.js';
import { Calls, compileCallable, decodeReturned } from './calls.js';
import type { PendingCall } from './calls.js';
import { EventContext } from './event-context.js';
import type { DbContext, Event, ReducerOutcome } from './event-context.js';
import type { DbConnectionConfig } from './options.js';
import { Outbox } from './outbox.js';
import { closeError, socketUrl } from './socket.js';
import { SubscriptionHandleImpl } from './subscription.js';
import { SUBSCRIBER, SubscriptionBuilderImpl } from './subscription-builder.js';
import type { HasSubscriber, Subscriber } from './subscription-builder.js';
import { Subscriptions } from './subscriptions.js';
import type { ClientDbView, ProceduresView, ReducersView } from './views.js';

/*
 * | state      | event              | next       | what happens                                              |
 * | connecting | InitialConnection  | active     | onConnect                                                 |
 * | connecting | closed, timeout    | closed     | onConnectError; everything that waits is rejected         |
 * | active     | a message          | active     | cache, callbacks, promises                                |
 * | active     | closed, bad bytes  | closed     | onDisconnect with the error; everything waiting rejected  |
 * | any        | disconnect()       | closed     | onDisconnect without an error, if it had been active      |
 */
type State = 'connecting' | 'active' | 'closed';

type AnyEvent<RM extends UntypedRemoteModule> = Event<RM['reducers'][number]['name']>;
/** An event's context, made when the first callback needs it. */
type LazyContext<RM extends UntypedRemoteModule> = () => EventContext<RM, AnyEvent<RM>>;

/**
 * A connection to a database: a live cache of what its subscriptions hold, and calls of reducers and procedures.
 * Made by `DbConnection.builder()` of generated bindings. It does not reconnect by itself.
 */
export class DbConnectionImpl<RM extends UntypedRemoteModule> implements DbContext<RM>, HasSubscriber<RM> {
  /** The cached tables, by accessor. */
  readonly db: ClientDbView<RM>;
  /** Calls a reducer: the promise resolves when its transaction is in the cache, or rejects with SenderError (its author refused), InternalError (it broke) or ConnectionError. */
  readonly reducers: ReducersView<RM>;
  readonly procedures: ProceduresView<RM>;
  /** This connection's id. */
  readonly connectionId: ConnectionId;
  /** Who we are; known once connected. */
  identity: Identity | undefined;
  /** What proves it: keep it to come back as the same identity. */
  token: string | undefined;
  readonly [SUBSCRIBER]: Subscriber<RM>;

  readonly #config: DbConnectionConfig<RM>;
  readonly #cache: ClientCache;
  readonly #outbox = new Outbox();
  readonly #calls: Calls;
  readonly #subscriptions: Subscriptions<RM>;
  readonly #transport: Transport;
  #connectTimer: Timer | undefined;
  #state: State = 'connecting';
  #isDisconnectRequested = false;
  /** Why we closed, if it was our decision. */
  #ownError: ConnectionError | undefined;
  #nextRequestId = 1;
  #nextEventId = 1;

  constructor(config: DbConnectionConfig<RM>) {
    this.#config = config;
    this.token = config.token;
    this.connectionId = ConnectionId.random();
    this.#cache = new ClientCache(config.remoteModule, (problem) => config.log('error', problem));
    this.db = this.#cache.view as unknown as ClientDbView<RM>;
    const requestId = (): number => this.#takeRequestId();
    this.#calls = new Calls(this.#outbox, { clock: config.clock, timeoutMs: config.callTimeoutMs });
    this.#subscriptions = new Subscriptions(this.#outbox, requestId);
    this.reducers = this.#callers(config.remoteModule.reducers) as unknown as ReducersView<RM>;
    this.procedures = this.#callers(config.remoteModule.procedures) as unknown as ProceduresView<RM>;
    this[SUBSCRIBER] = {
      remoteModule: config.remoteModule,
      subscribe: (queries, onApplied, onError) => this.#subscribe(queries, onApplied, onError),
    };
    this.#transport = this.#open();
  }

  /** True from onConnect until the connection is gone. */
  get isActive(): boolean {
    return this.#state === 'active';
  }

  /** Whether `disconnect()` was called, so that nobody reconnects by mistake. */
  get isDisconnectRequested(): boolean {
    return this.#isDisconnectRequested;
  }

  subscriptionBuilder = (): SubscriptionBuilderImpl<RM> => new SubscriptionBuilderImpl<RM>(this);

  /** Closes the connection. What was called before still leaves; its answers are not waited for. */
  disconnect(): void {
    if (this.#state === 'closed') return;
    this.#isDisconnectRequested = true;
    this.#outbox.flush();
    this.#transport.close(1000);
    this.#closed({ code: 1000, reason: '' });
  }

  #open(): Transport {
    const { uri, databaseName, token, confirmedReads, clock, connectTimeoutMs, openTransport } = this.#config;
    const url = socketUrl(uri, databaseName, this.connectionId, confirmedReads);
    this.#connectTimer = clock.startTimer(connectTimeoutMs, () => {
      this.#fail(new ConnectionError('TIMEOUT', `not connected within ${connectTimeoutMs} ms`), 1000);
    });
    return openTransport(
      { url, protocols: SUBPROTOCOLS, token },
      {
        onOpen: (protocol) => this.#opened(protocol),
        onMessage: (frame) => this.#receiveFrame(frame),
        onClose: (info) => this.#closed(info),
      },
    );
  }

  #opened(protocol: string): void {
    if (this.#state === 'closed') return;
    // A server that does not say what it chose speaks v2.
    this.#outbox.open(this.#transport, protocol === SUBPROTOCOLS[0]);
  }

  #receiveFrame(frame: Uint8Array): void {
    if (this.#state === 'closed') return;
    try {
      const reader = new ByteReader(frame);
      const compression = reader.readU8();
      if (compression !== Compression.none) {
        throw new ConnectionError(
          'PROTOCOL',
          `a frame is compressed (${compression}), which was not asked for`,
        );
      }
      // disconnect() inside a callback ends this, too.
      while (reader.remaining > 0 && !this.#isClosed()) this.#receive(decodeServerMessage(reader));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#fail(
        error instanceof ConnectionError ? error : new ConnectionError('PROTOCOL', text, { cause: error }),
        1002,
      );
    }
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #receive(message: ServerMessage): void {
    switch (message.kind) {
      case 'reducerResult':
        return this.#reducerResult(message);
      case 'transactionUpdate':
        return this.#emit(this.#cache.applyUpdate(message.querySets), this.#lazy({ tag: 'Transaction' }));
      case 'subscribeApplied':
        return this.#subscribeApplied(message);
      case 'unsubscribeApplied':
        return this.#unsubscribeApplied(message);
      case 'subscriptionError':
        return this.#subscriptionError(message);
      case 'procedureResult':
        return this.#procedureResult(message);
      case 'initialConnection':
        return this.#initialConnection(message);
      case 'oneOffQueryResult':
        return this.#config.log('warn', 'the server answers a query that was not asked');
      default:
        return assertNever(message);
    }
  }

  #initialConnection({ identity, token }: InitialConnection): void {
    if (this.#state !== 'connecting')
      throw new ConnectionError('PROTOCOL', 'the server introduces itself twice');
    this.#connectTimer?.cancel();
    this.#state = 'active';
    this.identity = identity;
    // With a token of our own the server may have seen only its short-lived copy.
    this.token ??= token;
    for (const callback of this.#config.listeners.connect) {
      this.#attempt(() => callback(this as never, identity as never, this.token!));
    }
  }

  #reducerResult({ requestId, timestampMicros, outcome }: ReducerResult): void {
    const call = this.#calls.take(requestId);
    switch (outcome.kind) {
      case 'okEmpty':
        return call?.resolve(undefined);
      case 'ok':
        this.#reducerRows(outcome.querySets, call, timestampMicros);
        return call?.resolve(undefined);
      case 'err':
        return call?.reject(new SenderError(readErrorText(outcome.error)));
      case 'internalError':
        return call?.reject(new InternalError(outcome.error));
      default:
        return assertNever(outcome);
    }
  }

  #reducerRows(
    querySets: readonly QuerySetUpdate[],
    call: PendingCall | undefined,
    timestampMicros: number,
  ): void {
    if (querySets.length === 0) return;
    const events = this.#cache.applyUpdate(querySets);
    if (call === undefined) return this.#emit(events, this.#lazy({ tag: 'Transaction' }));
    const outcome: ReducerOutcome = { tag: 'Ok' };
    const reducer = { name: call.callable.name, args: call.args };
    const timestamp = new Timestamp(BigInt(timestampMicros));
    this.#emit(events, this.#lazy({ tag: 'Reducer', value: { timestamp, outcome, reducer } }));
  }

  #procedureResult({ requestId, status }: ProcedureResult): void {
    const call = this.#calls.take(requestId);
    if (call === undefined) return;
    if (status.kind === 'returned') call.resolve(decodeReturned(call.callable, status.value));
    else call.reject(new InternalError(status.error));
  }

  #subscribeApplied({ querySetId, tables }: SubscribeApplied): void {
    const events = this.#cache.applyRows(tables, 'insert');
    const context = this.#lazy({ tag: 'SubscribeApplied' });
    const handle = this.#subscriptions.find(querySetId);
    if (handle === undefined)
      this.#config.log('error', `the server applies an unknown query set ${querySetId}`);
    else this.#attempt(() => SubscriptionHandleImpl.applied(handle, context()));
    this.#emit(events, context);
  }

  #unsubscribeApplied({ querySetId, tables }: UnsubscribeApplied): void {
    const events = this.#cache.applyRows(tables ?? [], 'delete');
    const context = this.#lazy({ tag: 'UnsubscribeApplied' });
    const handle = this.#subscriptions.remove(querySetId);
    if (handle === undefined) this.#config.log('error', `the server ends an unknown query set ${querySetId}`);
    else this.#attempt(() => SubscriptionHandleImpl.ended(handle, context()));
    this.#emit(events, context);
  }

  #subscriptionError({ requestId, querySetId, error }: SubscriptionError): void {
    const handle = this.#subscriptions.remove(querySetId);
    const failure = new ConnectionError('SUBSCRIPTION', error);
    const isTold =
      handle !== undefined &&
      this.#attempt(() => SubscriptionHandleImpl.failed(handle, new EventContext(this, failure), failure));
    if (!isTold) this.#config.log('error', `subscription failed: ${error}`);
    // Its rows stay in the cache and nothing will ever take them out: only a new connection is consistent again.
    if (requestId === undefined) this.#fail(failure, 1000);
  }

  #emit(events: readonly RowEvent[], context: LazyContext<RM>): void {
    if (events.length === 0) return;
    const onThrow = (error: unknown): void => this.#reportThrown(error);
    for (const event of events) TableView.emit(event.view, context, event, onThrow);
  }

  #lazy(event: DistributiveOmit<AnyEvent<RM>, 'id'>): LazyContext<RM> {
    let context: EventContext<RM, AnyEvent<RM>> | undefined;
    return () => {
      if (context === undefined) {
        const id = String(this.#nextEventId++);
        context = new EventContext(this, { ...event, id });
      }
      return context;
    };
  }

  #subscribe(
    queries: readonly string[],
    onApplied: Parameters<Subscriptions<RM>['add']>[1],
    onError: Parameters<Subscriptions<RM>['add']>[2],
  ): SubscriptionHandleImpl<RM> {
    if (this.#state === 'closed') throw new ConnectionError('DISCONNECTED', 'the connection is closed');
    return this.#subscriptions.add(queries, onApplied, onError);
  }

  #callers(
    defs: RM['reducers'] | RM['procedures'],
  ): Readonly<Record<string, (args?: object) => Promise<unknown>>> {
    const callers: Record<string, (args?: object) => Promise<unknown>> = {};
    for (const def of defs) {
      const callable = compileCallable(def, 'returnType' in def ? def.returnType : undefined);
      callers[def.accessorName] = (args = {}) => this.#calls.start(callable, args, this.#takeRequestId());
    }
    return callers;
  }

  #takeRequestId(): number {
    const id = this.#nextRequestId;
    // u32; after 2^32 calls the early ids are long answered.
    this.#nextRequestId = id === 0xffff_ffff ? 1 : id + 1;
    return id;
  }

  /** Closes because of something that went wrong on our side of the wire. */
  #fail(error: ConnectionError, closeCode: number): void {
    if (this.#state === 'closed') return;
    this.#ownError = error;
    // Browsers let applications close with 1000 or 3000-4999 only.
    this.#transport.close(closeCode === 1002 ? 4002 : closeCode);
    this.#closed({ code: closeCode, reason: error.message });
  }

  #closed(info: CloseInfo): void {
    if (this.#state === 'closed') return;
    const wasActive = this.#state === 'active';
    this.#state = 'closed';
    this.#connectTimer?.cancel();
    this.#outbox.close();
    const error = this.#ownError ?? closeError(info, wasActive);
    this.#calls.close(error);
    const context = new EventContext<RM, Error>(this, error);
    for (const handle of this.#subscriptions.removeAll()) {
      this.#attempt(() => SubscriptionHandleImpl.abandoned(handle, context, error));
    }
    this.#tellClosed(context, wasActive, this.#isDisconnectRequested ? undefined : error);
  }

  #tellClosed(
    context: EventContext<RM, Error>,
    wasActive: boolean,
    error: ConnectionError | undefined,
  ): void {
    const { disconnect, connectError } = this.#config.listeners;
    if (wasActive) {
      for (const callback of disconnect) this.#attempt(() => callback(context as never, error));
    } else if (error !== undefined) {
      for (const callback of connectError) this.#attempt(() => callback(context as never, error));
      if (connectError.length === 0) this.#config.log('error', error.message, error.cause);
    }
  }

  #attempt<R>(call: () => R): R | undefined {
    let result: R | undefined;
    attempt(
      () => void (result = call()),
      (error) => this.#reportThrown(error),
    );
    return result;
  }

  #reportThrown(error: unknown): void {
    this.#config.log('error', 'a callback threw', error);
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function readErrorText(error: Uint8Array): string {
  try {
    return errorText(error);
  } catch {
    return 'the reducer failed with a value that is not a text';
  }
}
