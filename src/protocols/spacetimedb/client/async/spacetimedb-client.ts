import { ByteReader } from '../../../../base/byte-reader.js';
import type { ConnectionId, Identity } from '../../../../values/identity.js';
import { Timestamp } from '../../../../values/timestamp.js';
import type {
  IdentityToken, InitialSubscription, ServerMessage, SubscriptionError, TransactionUpdate,
} from '../../messages/v1/server-messages.js'; // prettier-ignore
import { ClientCache } from '../cache/client-cache.js';
import type { RowEvent } from '../cache/table-cache.js';
import type { TableView } from '../cache/table-view.js';
import { Calls, writeArguments } from '../connection/calls.js';
import type { WriteCall } from '../connection/calls.js';
import { ConnectionError } from '../errors.js';
import type { ProblemLog } from '../errors.js';
import type { Clock } from '../../../../base/clock.js';
import { AsyncReducer } from './async-reducer.js';
import { AsyncTable } from './async-table.js';
import { findReducer } from './autogen-package.js';
import type { AutogenPackage } from './autogen-package.js';
import { CallbackList } from './callback-list.js';
import { ReducerCallEvent } from './reducer-call-event.js';
import { SpacetimeDBException } from './spacetimedb-exception.js';
import { Subscribing } from './subscribing.js';
import { changesOf, rowsOf } from './v1-updates.js';
import { V1Connection } from './v1-connection.js';
import type { V1ConnectionConfig } from './v1-connection.js';

/** Who we are. */
export interface ConnectedAs {
  /** What proves it: keep it to come back as the same identity. */
  readonly authToken: string;
  readonly identity: Identity;
  /** This one of the identity's connections. */
  readonly address: ConnectionId;
}

export interface ClientCallbacks {
  onIdentity(as: ConnectedAs): void;
  onFailed(error: SpacetimeDBException): void;
}

export interface SpacetimeDBClientConfig {
  readonly package: AutogenPackage;
  readonly clock: Clock;
  readonly log: ProblemLog;
  readonly requestTimeoutMs: number;
}

const writeCallV1: WriteCall = (writer, { name, params }, args, requestId) => {
  writer.writeU8(0);
  writer.writeString(name);
  writeArguments(writer, params, args);
  writer.writeU32(requestId);
  writer.writeU8(0);
};

/**
 * The client below a SpacetimeDBAsyncClient, its `.client`: the cache, the subscription and who is told of what.
 *
 * Order, for each message: the whole cache changes, then row callbacks, then for a transaction `registerOnEvent`, the
 * reducer's own callbacks and the promise of `callReducer`, and for a subscription `registerOnSubscriptionApplied`.
 * Nothing is called once the client is closed.
 */
export class SpacetimeDBClient {
  readonly #config: SpacetimeDBClientConfig;
  readonly #cache: ClientCache;
  readonly #tables = new Map<TableView, AsyncTable>();
  readonly #onSubscriptionApplied = new CallbackList<readonly []>();
  readonly #onEvent = new CallbackList<readonly [ReducerCallEvent]>();
  #connection: V1Connection | undefined;
  #calls: Calls | undefined;
  #subscribing: Subscribing | undefined;
  #callbacks: ClientCallbacks | undefined;
  #identity: Identity | undefined;
  #address: ConnectionId | undefined;
  #nextRequestId = 1;

  constructor(config: SpacetimeDBClientConfig) {
    this.#config = config;
    this.#cache = new ClientCache(config.package.remoteModule, (problem) => config.log('error', problem));
    for (const [name, table] of config.package.tables) {
      const view = this.#cache.view[name]!;
      this.#tables.set(view, table);
      AsyncTable.attach(table, {
        iter: () => view.iter(),
        lookUp: (index, value) => lookUp(view, index, value),
      });
    }
    const host = {
      sendCall: (reducer: AsyncReducer, args: readonly unknown[]) => this.#sendCall(reducer, args),
    };
    for (const reducer of config.package.reducers.values()) AsyncReducer.attach(reducer, host);
  }

  /** Who we are; undefined until connected. */
  get identity(): Identity | undefined {
    return this.#identity;
  }

  /** @param callback is called each time that a subscription was applied, after the callbacks for its rows. */
  registerOnSubscriptionApplied(callback: () => void): void {
    this.#onSubscriptionApplied.add(callback);
  }

  unregisterOnSubscriptionApplied(callback: () => void): void {
    this.#onSubscriptionApplied.remove(callback);
  }

  /** @param callback is called with every reducer that the server tells us of, of whatever name. */
  registerOnEvent(callback: (event: ReducerCallEvent) => void): void {
    this.#onEvent.add(callback);
  }

  unregisterOnEvent(callback: (event: ReducerCallEvent) => void): void {
    this.#onEvent.remove(callback);
  }

  /**
   * Follows these queries from now on, and no others. Resolves when the cache holds their rows; rejects with
   * SpacetimeDBException when the server refuses them. A refusal that nobody looks at is only logged.
   */
  subscribe(queries: readonly string[]): Promise<void> {
    return this.#open().subscribing.start(queries, this.#takeRequestId());
  }

  /** For SpacetimeDBAsyncClient. */
  static open(client: SpacetimeDBClient, config: V1ConnectionConfig, callbacks: ClientCallbacks): void {
    const { clock, log, requestTimeoutMs } = client.#config;
    client.#callbacks = callbacks;
    client.#connection = new V1Connection(config, {
      onMessage: (message) => client.#receive(message),
      onFailed: (error) => client.#failed(error),
    });
    const { outbox } = client.#connection;
    client.#calls = new Calls(outbox, { clock, timeoutMs: requestTimeoutMs, writeCall: writeCallV1 });
    client.#subscribing = new Subscribing(client.#connection, log);
  }

  /** For SpacetimeDBAsyncClient: sends a call and waits for what becomes of it. */
  static async call(
    client: SpacetimeDBClient,
    name: string,
    args: readonly unknown[],
  ): Promise<ReducerCallEvent> {
    const { calls } = client.#open();
    const reducer = findReducer(client.#config.package, name);
    const named = reducer.namedArguments(args);
    try {
      return (await calls.start(reducer.callable, named, client.#takeRequestId())) as ReducerCallEvent;
    } catch (error) {
      throw SpacetimeDBException.from(error);
    }
  }

  /** For SpacetimeDBAsyncClient: resolves when no call waits for its answer. */
  static async settled(client: SpacetimeDBClient): Promise<void> {
    await client.#calls?.whenIdle();
  }

  /** For SpacetimeDBAsyncClient: nothing is called any more. Resolves when the socket is closed. */
  static async close(client: SpacetimeDBClient): Promise<void> {
    client.#connection?.close();
    const cause = new SpacetimeDBException('CLOSED', 'the client was closed');
    const error = new ConnectionError('DISCONNECTED', cause.message, { cause });
    client.#calls?.close(error);
    client.#subscribing?.close(error);
    await client.#connection?.whenClosed;
  }

  #open(): { readonly calls: Calls; readonly subscribing: Subscribing } {
    if (this.#connection?.isClosed === true) throw new SpacetimeDBException('CLOSED', 'the client is closed');
    if (this.#identity === undefined || this.#calls === undefined || this.#subscribing === undefined) {
      throw new SpacetimeDBException('NOT_CONNECTED', 'the client is not connected yet: wait for onConnect');
    }
    return { calls: this.#calls, subscribing: this.#subscribing };
  }

  #sendCall(reducer: AsyncReducer, args: readonly unknown[]): void {
    const { calls } = this.#open();
    try {
      calls.send(reducer.callable, reducer.namedArguments(args), this.#takeRequestId());
    } catch (error) {
      throw SpacetimeDBException.from(error);
    }
  }

  #receive(message: ServerMessage): void {
    if (this.#identity === undefined && message.kind !== 'identityToken') {
      throw new ConnectionError('PROTOCOL', 'the server does not introduce itself first');
    }
    switch (message.kind) {
      case 'identityToken':
        return this.#identityToken(message);
      case 'initialSubscription':
        return this.#initialSubscription(message);
      case 'transactionUpdate':
        return this.#transactionUpdate(message);
      case 'transactionUpdateLight':
        return this.#emitRows(
          this.#cache.applyUpdate(changesOf(message.update, this.#config.package)),
          undefined,
        );
      case 'subscriptionError':
        return this.#subscriptionError(message);
      default:
        this.#config.log('warn', `the server sends a ${message.kind} that was not asked for`);
    }
  }

  #identityToken({ identity, token, connectionId }: IdentityToken): void {
    if (this.#identity !== undefined) {
      throw new ConnectionError('PROTOCOL', 'the server introduces itself twice');
    }
    this.#identity = identity;
    // Servers may choose another id than the one that was asked for.
    this.#address = connectionId;
    this.#callbacks?.onIdentity({ authToken: token, identity, address: connectionId });
  }

  #initialSubscription({ update, requestId }: InitialSubscription): void {
    const rebuild = this.#cache.startRebuild();
    rebuild.addRows(rowsOf(update));
    this.#emitRows(rebuild.finish(), undefined);
    this.#onSubscriptionApplied.call([], this.#report, this.#isOpen);
    this.#subscribing?.applied(requestId);
  }

  #subscriptionError({ requestId, error }: SubscriptionError): void {
    const failure = new ConnectionError('SUBSCRIPTION', error);
    // Without an id every subscription has ended: the cache would never change again.
    if (requestId === undefined) throw failure;
    this.#subscribing?.failed(requestId, failure);
  }

  #transactionUpdate(message: TransactionUpdate): void {
    const { status, call } = message;
    const reducer = this.#config.package.reducers.get(call.reducer);
    const rows =
      status.kind === 'committed'
        ? this.#cache.applyUpdate(changesOf(status.update, this.#config.package))
        : [];
    const event = this.#eventOf(message, reducer);
    this.#emitRows(rows, event);
    this.#onEvent.call([event], this.#report, this.#isOpen);
    // The seed: when a call was successful and altered rows that we follow, or when a call of ours failed.
    const isTold = status.kind !== 'committed' || rows.length > 0;
    if (reducer !== undefined && isTold) AsyncReducer.emit(reducer, event, this.#report, this.#isOpen);
    if (this.#isOurs(message)) this.#calls?.take(call.requestId)?.resolve(event);
  }

  #isOurs({ callerConnection, caller }: TransactionUpdate): boolean {
    return this.#address?.key === callerConnection.key && this.#identity?.isEqual(caller) === true;
  }

  #eventOf(message: TransactionUpdate, reducer: AsyncReducer | undefined): ReducerCallEvent {
    const { status, call, caller, callerConnection, timestampMicros } = message;
    return new ReducerCallEvent({
      callerIdentity: caller,
      callerAddress: callerConnection.isZero() ? undefined : callerConnection,
      reducerName: call.reducer,
      status: status.kind === 'outOfEnergy' ? 'outofenergy' : status.kind,
      message: status.kind === 'failed' ? status.error : undefined,
      args: this.#decodeArguments(reducer, call.args),
      timestamp: new Timestamp(BigInt(timestampMicros)),
    });
  }

  #decodeArguments(reducer: AsyncReducer | undefined, bytes: Uint8Array): readonly unknown[] {
    try {
      return reducer?.decodeArguments(new ByteReader(bytes)) ?? [];
    } catch (error) {
      const text = `the arguments of \`${reducer?.reducerName}\` do not fit the package: generate it again`;
      this.#config.log('error', text, error);
      return [];
    }
  }

  #emitRows(rows: readonly RowEvent[], event: ReducerCallEvent | undefined): void {
    for (const row of rows) {
      const table = this.#tables.get(row.view);
      if (table !== undefined) AsyncTable.emit(table, row, event, this.#report, this.#isOpen);
    }
  }

  #failed(error: ConnectionError): void {
    this.#calls?.close(error);
    this.#subscribing?.close(error);
    this.#callbacks?.onFailed(SpacetimeDBException.from(error));
  }

  readonly #isOpen = (): boolean => this.#connection?.isClosed === false;

  readonly #report = (error: unknown): void => this.#config.log('error', 'a callback threw', error);

  #takeRequestId(): number {
    const id = this.#nextRequestId;
    // u32; after 2^32 calls the early ids are long answered. 0 is everybody else's.
    this.#nextRequestId = id === 0xffff_ffff ? 1 : id + 1;
    return id;
  }
}

/** The views of a table's indexes stand beside its methods, under the names of the filters. */
function lookUp(view: TableView, index: string, value: unknown): Iterable<object> {
  const found = (view as unknown as Readonly<Record<string, IndexLike>>)[index]!;
  if (found.filter !== undefined) return found.filter(value);
  const row = found.find!(value);
  return row === null ? [] : [row];
}

interface IndexLike {
  find?(value: unknown): object | null;
  filter?(value: unknown): Iterable<object>;
}
