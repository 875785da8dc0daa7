import { assertNever } from '../../../../base/assert.js';
import { ConnectionId } from '../../../../values/identity.js';
import type { Identity } from '../../../../values/identity.js';
import { Timestamp } from '../../../../values/timestamp.js';
import { RESUMABLE_SUBPROTOCOL } from '../../messages/frame.js';
import type { ResumableServerMessage, Resumed } from '../../messages/resume-messages.js';
import { errorText } from '../../messages/server-messages.js';
import type {
  InitialConnection, ProcedureResult, QuerySetUpdate, ReducerResult, SubscribeApplied, SubscriptionError,
  TransactionUpdate, UnsubscribeApplied,
} from '../../messages/server-messages.js'; // prettier-ignore
import { attempt } from '../attempt.js';
import { ClientCache } from '../cache/client-cache.js';
import { TableView } from '../cache/table-view.js';
import type { RowEvent } from '../cache/table-cache.js';
import { ConnectionError, InternalError, SenderError } from '../errors.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { Transport, TransportRequest } from '../transport/transport.js';
import { Calls, compileCallable, decodeReturned } from './calls.js';
import type { PendingCall } from './calls.js';
import { Comeback } from './comeback.js';
import { EventContext } from './event-context.js';
import type { DbContext, Event, ReducerOutcome } from './event-context.js';
import { Lifeline } from './lifeline.js';
import type { LifelineOwner } from './lifeline.js';
import type { DbConnectionConfig, ReconnectedInfo } from './options.js';
import { Outbox } from './outbox.js';
import { closeError, socketUrl } from './socket.js';
import { SubscriptionHandleImpl } from './subscription.js';
import { SUBSCRIBER, SubscriptionBuilderImpl } from './subscription-builder.js';
import type { HasSubscriber, Subscriber } from './subscription-builder.js';
import { Subscriptions } from './subscriptions.js';
import type { ClientDbView, ProceduresView, ReducersView } from './views.js';

type AnyEvent<RM extends UntypedRemoteModule> = Event<RM['reducers'][number]['name']>;
/** An event's context, made when the first callback needs it. */
type LazyContext<RM extends UntypedRemoteModule> = () => EventContext<RM, AnyEvent<RM>>;

/**
 * A connection to a database: a live cache of what its subscriptions hold, and calls of reducers and procedures.
 * Made by `DbConnection.builder()` of generated bindings. It comes back by itself when it is cut, with its subscriptions,
 * its cache and its callbacks.
 */
export class DbConnectionImpl<RM extends UntypedRemoteModule> implements DbContext<RM>, HasSubscriber<RM> {
  /** The cached tables, by accessor. */
  readonly db: ClientDbView<RM>;
  /** Calls a reducer: the promise resolves when its transaction is in the cache, or rejects with SenderError (its author refused), InternalError (it broke) or ConnectionError. */
  readonly reducers: ReducersView<RM>;
  readonly procedures: ProceduresView<RM>;
  /** This connection's id; another one after each cut. */
  connectionId: ConnectionId;
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
  readonly #comeback: Comeback<RM>;
  readonly #lifeline: Lifeline;
  #isDisconnectRequested = false;
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
    this.#comeback = new Comeback(this.#cache, this.#subscriptions, this.#outbox);
    this.reducers = this.#callers(config.remoteModule.reducers) as unknown as ReducersView<RM>;
    this.procedures = this.#callers(config.remoteModule.procedures) as unknown as ProceduresView<RM>;
    this[SUBSCRIBER] = {
      remoteModule: config.remoteModule,
      subscribe: (queries, onApplied, onError) => this.#subscribe(queries, onApplied, onError),
    };
    this.#lifeline = new Lifeline(config, this.#lifelineOwner());
    this.#lifeline.open();
  }

  /** True from onConnect until the connection is cut or gone, and again from onReconnected. */
  get isActive(): boolean {
    return this.#lifeline.state === 'active';
  }

  /** Whether `disconnect()` was called, so that nobody reconnects by mistake. */
  get isDisconnectRequested(): boolean {
    return this.#isDisconnectRequested;
  }

  subscriptionBuilder = (): SubscriptionBuilderImpl<RM> => new SubscriptionBuilderImpl<RM>(this);

  /** Tries to come back at once instead of when the wait is over: after a cut, e.g. when the network is back. */
  reconnectNow(): void {
    this.#lifeline.reconnectNow();
  }

  /** Closes the connection for good. What was called before still leaves; its answers are not waited for. */
  disconnect(): void {
    if (this.#lifeline.state === 'closed') return;
    this.#isDisconnectRequested = true;
    this.#outbox.flush();
    this.#lifeline.end(1000, closeError({ code: 1000, reason: '' }, this.#lifeline.wasActive));
  }

  /** An object of its own: applications are not to see these methods. */
  #lifelineOwner(): LifelineOwner {
    return {
      address: () => this.#address(),
      opened: (transport, protocol, isResuming) => this.#opened(transport, protocol, isResuming),
      receive: (message) => this.#receive(message),
      suspended: (info) => this.#suspended(info),
      ended: (error) => this.#ended(error),
    };
  }

  #address(): Pick<TransportRequest, 'url' | 'token'> {
    const { uri, databaseName, confirmedReads } = this.#config;
    this.connectionId = ConnectionId.random();
    return { url: socketUrl(uri, databaseName, this.connectionId, confirmedReads), token: this.token };
  }

  #opened(transport: Transport, protocol: string, isResuming: boolean): void {
    const canResume = protocol === RESUMABLE_SUBPROTOCOL;
    if (isResuming && canResume) this.#comeback.askToResume(this.identity!);
    else if (isResuming) this.#comeback.askForAll();
    // A server that does not say what it chose speaks v2.
    this.#outbox.open(transport, canResume || protocol === 'v3.bsatn.spacetimedb');
  }

  #receive(message: ResumableServerMessage): void {
    switch (message.kind) {
      case 'reducerResult':
        return this.#reducerResult(message);
      case 'transactionUpdate':
        return this.#transactionUpdate(message);
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
      case 'resumable':
        return this.#comeback.noteEpoch(message.epoch, this.#lifeline.state !== 'resuming');
      case 'position':
        return this.#comeback.notePosition(message.offset);
      case 'resumed':
        return this.#resumed(message);
      default:
        return assertNever(message);
    }
  }

  #initialConnection({ identity, token }: InitialConnection): void {
    const { state } = this.#lifeline;
    if (state !== 'connecting' && state !== 'resuming')
      throw new ConnectionError('PROTOCOL', 'the server introduces itself twice');
    this.#lifeline.greeted();
    this.identity = identity;
    // With a token of our own the server may have seen only its short-lived copy.
    this.token ??= token;
    if (state === 'resuming') return this.#finishRebuild();
    this.#lifeline.activate();
    for (const callback of this.#config.listeners.connect) {
      this.#attempt(() => callback(this as never, identity as never, this.token!));
    }
  }

  #transactionUpdate({ querySets }: TransactionUpdate): void {
    if (this.#comeback.isRebuilding) return this.#comeback.addUpdate(querySets);
    this.#emit(this.#cache.applyUpdate(querySets), this.#lazy({ tag: 'Transaction' }));
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
    if (this.#comeback.isRebuilding) {
      this.#comeback.addSet(querySetId, tables);
      return this.#finishRebuild();
    }
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
    const { transportNumber } = this.#lifeline;
    const failure = this.#dropSubscription(querySetId, error);
    // A callback may have ended everything.
    if (transportNumber !== this.#lifeline.transportNumber) return;
    if (this.#comeback.isRebuilding) {
      this.#comeback.dropSet(querySetId);
      return this.#finishRebuild();
    }
    if (requestId !== undefined) return;
    // Its rows stay in the cache and nothing but a comparison with all rows will take them out.
    this.#comeback.distrust();
    this.#lifeline.cut(failure);
  }

  /** A query set that the server does not follow, or not any more. */
  #dropSubscription(querySetId: number, error: string): ConnectionError {
    const handle = this.#subscriptions.remove(querySetId);
    const failure = new ConnectionError('SUBSCRIPTION', error);
    const isTold =
      handle !== undefined &&
      this.#attempt(() => SubscriptionHandleImpl.failed(handle, new EventContext(this, failure), failure));
    if (!isTold) this.#config.log('error', `subscription failed: ${error}`);
    return failure;
  }

  /** The server's answer to Resume: with `changes` they were told before it. */
  #resumed(message: Resumed): void {
    if (this.#lifeline.state !== 'resuming')
      throw new ConnectionError('PROTOCOL', 'the server resumes nothing');
    const { events, dropped, resumedBy } = this.#comeback.resumed(message);
    this.#emit(events, this.#lazy({ tag: 'Transaction' }));
    for (const { querySetId, error } of dropped) this.#dropSubscription(querySetId, error);
    this.#cameBack({ resumedBy });
  }

  /** On a server that cannot resume: all rows may be there. */
  #finishRebuild(): void {
    if (!this.#comeback.isRebuilding || !this.#comeback.isComplete) return;
    this.#emit(this.#comeback.finish(), this.#lazy({ tag: 'Transaction' }));
    this.#cameBack({ resumedBy: 'snapshot' });
  }

  #cameBack(info: ReconnectedInfo): void {
    // A callback may have ended it.
    if (this.#lifeline.state !== 'resuming') return;
    this.#lifeline.activate();
    this.#calls.resume();
    this.#subscriptions.resume();
    for (const callback of this.#config.listeners.reconnected)
      this.#attempt(() => callback(this as never, info));
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
    if (this.#lifeline.state === 'closed')
      throw new ConnectionError('DISCONNECTED', 'the connection is closed');
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

  #suspended(info: Parameters<LifelineOwner['suspended']>[0]): void {
    this.#outbox.close();
    this.#comeback.abandon();
    this.#subscriptions.suspend();
    this.#calls.suspend(info.error);
    const context = new EventContext<RM, Error>(this, info.error);
    for (const callback of this.#config.listeners.reconnecting)
      this.#attempt(() => callback(context as never, info));
  }

  #ended(error: ConnectionError): void {
    this.#outbox.close();
    this.#calls.close(error);
    const context = new EventContext<RM, Error>(this, error);
    for (const handle of this.#subscriptions.removeAll()) {
      this.#attempt(() => SubscriptionHandleImpl.abandoned(handle, context, error));
    }
    this.#tellClosed(context, this.#isDisconnectRequested ? undefined : error);
  }

  #tellClosed(context: EventContext<RM, Error>, error: ConnectionError | undefined): void {
    const { disconnect, connectError } = this.#config.listeners;
    if (this.#lifeline.wasActive) {
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
