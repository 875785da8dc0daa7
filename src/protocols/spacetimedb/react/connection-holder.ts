import type { DbConnectionBuilder, Identity, TableQuery, UntypedRemoteModule } from '../client/index.js';
import { systemRandom } from '../../../base/random.js';
import { Backoff } from '../client/connection/backoff.js';
import type { AnyConnection, ConnectionState } from './connection-state.js';
import { TableStore } from './table-store.js';
import type { TableSnapshot } from './table-store.js';

export type AnyBuilder = DbConnectionBuilder<AnyConnection, UntypedRemoteModule>;

/** A connection, or one that a callback tells of. Its id is another one after each cut. */
interface HasConnectionId {
  readonly connectionId: AnyConnection['connectionId'];
}

interface ConnectionWaiter {
  readonly resolve: (connection: AnyConnection) => void;
  readonly reject: (error: Error) => void;
}

const NOT_CONNECTED: ConnectionState = {
  isActive: false,
  identity: undefined,
  token: undefined,
  connectionId: undefined,
  connectionError: undefined,
  getConnection: () => null,
};

/**
 * | state    | event                        | next                                            |
 * | idle     | the first component          | open                                            |
 * | open     | the connection is cut        | open: the connection comes back by itself       |
 * | open     | it could not be made, or has | waiting, unless nobody is left or the           |
 * |          | ended for good               | application has disconnected                    |
 * | waiting  | the backoff is over          | open: a new one, with the token of before       |
 * | any      | the last component leaves    | idle, at the end of the turn: it may come back  |
 */
export class ConnectionHolder {
  readonly #builder: AnyBuilder;
  readonly #stores = new Map<string, TableStore>();
  readonly #listeners = new Set<() => void>();
  #waiters: ConnectionWaiter[] = [];
  #state = NOT_CONNECTED;
  #connection: AnyConnection | undefined;
  #users = 0;
  #isBuilderPrepared = false;
  readonly #backoff = new Backoff(systemRandom, {});
  #leaveTimer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(builder: AnyBuilder) {
    this.#builder = builder;
  }

  /** Somebody needs the connection; call what is returned when he does not any more. */
  retain(): () => void {
    this.#users++;
    clearTimeout(this.#leaveTimer);
    this.#prepareBuilder();
    if (this.#connection === undefined && this.#retryTimer === undefined) this.#open();
    return () => {
      if (--this.#users > 0) return;
      // StrictMode takes a component out and puts it back in one turn.
      this.#leaveTimer = setTimeout(() => this.#leave(), 0);
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): ConnectionState => this.#state;

  readonly getServerState = (): ConnectionState => NOT_CONNECTED;

  /** The rows of a query as far as they are known. Pure: rendering may call it as often as it likes. */
  snapshot(query: TableQuery): TableSnapshot | undefined {
    return this.#stores.get(keyOf(query))?.snapshot;
  }

  /** Follows a query until what is returned is called. */
  watch(query: TableQuery, listener: () => void): () => void {
    const key = keyOf(query);
    let store = this.#stores.get(key);
    if (store === undefined) {
      store = new TableStore(query, () => this.#stores.delete(key));
      this.#stores.set(key, store);
      if (this.#connection !== undefined) store.attach(this.#connection);
    }
    return store.addListener(listener);
  }

  /** The connection, as soon as there is one. Rejects when everybody has left before. */
  connection(): Promise<AnyConnection> {
    const connection = this.#connection;
    if (connection !== undefined) return Promise.resolve(connection);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** A builder's callbacks cannot be taken back, so they are given once. */
  #prepareBuilder(): void {
    if (this.#isBuilderPrepared) return;
    this.#isBuilderPrepared = true;
    this.#builder
      .onConnect((connection, identity, token) => this.#connected(connection, identity, token))
      .onReconnecting((ctx, { error }) => this.#cut(ctx, error))
      .onReconnected((connection) => this.#cameBack(connection))
      .onConnectError((ctx, error) => this.#lost(ctx, error))
      .onDisconnect((ctx, error) => this.#lost(ctx, error));
  }

  #open(): void {
    this.#retryTimer = undefined;
    if (this.#state.token !== undefined) this.#builder.withToken(this.#state.token);
    const connection = this.#builder.build();
    this.#connection = connection;
    this.#setState({ getConnection: () => connection, connectionId: connection.connectionId });
    for (const store of this.#stores.values()) store.attach(connection);
    for (const { resolve } of this.#waiters.splice(0)) resolve(connection);
  }

  #connected(connection: AnyConnection, identity: Identity, token: string): void {
    if (connection !== this.#connection) return;
    this.#backoff.reset();
    this.#setState({ isActive: true, identity, token, connectionError: undefined });
  }

  /** The connection goes on with its cache and subscriptions, but what it shows is old until then. */
  #cut({ connectionId }: HasConnectionId, error: Error): void {
    if (this.#connection?.connectionId.key !== connectionId.key) return;
    for (const store of this.#stores.values()) store.pause();
    this.#setState({ isActive: false, connectionError: error });
  }

  #cameBack(connection: AnyConnection): void {
    if (connection !== this.#connection) return;
    for (const store of this.#stores.values()) store.resume();
    const { connectionId } = connection;
    this.#setState({ isActive: true, connectionId, connectionError: undefined });
  }

  #lost({ connectionId }: HasConnectionId, error?: Error): void {
    if (this.#connection?.connectionId.key !== connectionId.key) return;
    this.#connection = undefined;
    for (const store of this.#stores.values()) store.detach();
    this.#setState({ isActive: false, connectionError: error, getConnection: () => null });
    // Without an error the application has disconnected, and wants to stay so.
    if (error === undefined || this.#users === 0) return;
    this.#retryTimer = setTimeout(() => this.#open(), this.#backoff.next());
  }

  #leave(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#backoff.reset();
    this.#connection?.disconnect();
    this.#connection = undefined;
    this.#setState({ isActive: false, connectionError: undefined, getConnection: () => null });
    const error = new Error('the component that called has left before there was a connection');
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }

  #setState(changed: Partial<ConnectionState>): void {
    this.#state = { ...this.#state, ...changed };
    for (const listener of this.#listeners) listener();
  }
}

const holders = new WeakMap<object, ConnectionHolder>();

/** The one holder of a builder, however often a component is rendered. */
export function holderOf(builder: object): ConnectionHolder {
  let holder = holders.get(builder);
  if (holder === undefined) {
    // Every builder is one of some remote module; which one, the hooks' types know.
    holder = new ConnectionHolder(builder as AnyBuilder);
    holders.set(builder, holder);
  }
  return holder;
}

function keyOf(query: TableQuery): string {
  return `${query.sourceName}\0${query.toSql()}`;
}
