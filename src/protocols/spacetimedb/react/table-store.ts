import type { SubscriptionHandleImpl, TableQuery, UntypedRemoteModule } from '../client/index.js';
import type { AnyConnection } from './connection-state.js';

export type AnyRow = Readonly<Record<string, unknown>>;

/** The rows of a query, and whether all of them are here and up to date. A new one for every change. */
export type TableSnapshot = readonly [rows: readonly AnyRow[], isReady: boolean];

/** What is used of a cached table, whatever its columns. */
interface CachedTable {
  iter(): IterableIterator<AnyRow>;
  onInsert(callback: (ctx: unknown, row: AnyRow) => void): void;
  removeOnInsert(callback: (ctx: unknown, row: AnyRow) => void): void;
  onDelete(callback: (ctx: unknown, row: AnyRow) => void): void;
  removeOnDelete(callback: (ctx: unknown, row: AnyRow) => void): void;
  onUpdate(callback: (ctx: unknown, oldRow: AnyRow, row: AnyRow) => void): void;
  removeOnUpdate(callback: (ctx: unknown, oldRow: AnyRow, row: AnyRow) => void): void;
}

const EMPTY: TableSnapshot = [[], false];

/**
 * One query: a subscription while anybody looks, and a snapshot of its rows. The cache may hold rows of other queries
 * of the same table; only those that match are shown.
 */
export class TableStore {
  readonly #query: TableQuery;
  readonly #onUnused: () => void;
  readonly #listeners = new Set<() => void>();
  #snapshot = EMPTY;
  #connection: AnyConnection | undefined;
  #handle: SubscriptionHandleImpl<UntypedRemoteModule> | undefined;
  #isApplied = false;
  /** The connection is cut: the cache stands still. */
  #isPaused = false;
  #isRefreshDue = false;
  #unusedTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(query: TableQuery, onUnused: () => void) {
    this.#query = query;
    this.#onUnused = onUnused;
  }

  get snapshot(): TableSnapshot {
    return this.#snapshot;
  }

  addListener(listener: () => void): () => void {
    clearTimeout(this.#unusedTimer);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      // As for connections: StrictMode, or a component that replaces another, asks for the same in this turn.
      this.#unusedTimer = setTimeout(() => this.#stop(), 0);
    };
  }

  /** There is a connection: follow the query on it. */
  attach(connection: AnyConnection): void {
    this.#connection = connection;
    const table = cachedTable(connection, this.#query);
    table.onInsert(this.#onRow);
    table.onDelete(this.#onRow);
    table.onUpdate(this.#onRowUpdate);
    this.#handle = connection
      .subscriptionBuilder()
      .onApplied(() => {
        this.#isApplied = true;
        this.#refreshSoon();
      })
      .subscribe(this.#query.toSql());
  }

  /** The connection is cut: what is shown stays, but is not up to date. */
  pause(): void {
    this.#isPaused = true;
    this.#publish([this.#snapshot[0], false]);
  }

  /** The connection has caught up. */
  resume(): void {
    this.#isPaused = false;
    this.#refreshSoon();
  }

  /** The connection is gone, and its cache with it: what was shown stays until there is another. */
  detach(): void {
    this.#removeCallbacks();
    this.#connection = undefined;
    this.#handle = undefined;
    this.#isApplied = false;
    this.#isPaused = false;
    this.#publish([this.#snapshot[0], false]);
  }

  #stop(): void {
    this.#removeCallbacks();
    this.#handle?.unsubscribe();
    this.#connection = undefined;
    this.#onUnused();
  }

  #removeCallbacks(): void {
    if (this.#connection === undefined) return;
    const table = cachedTable(this.#connection, this.#query);
    table.removeOnInsert(this.#onRow);
    table.removeOnDelete(this.#onRow);
    table.removeOnUpdate(this.#onRowUpdate);
  }

  readonly #onRow = (_: unknown, row: AnyRow): void => {
    if (this.#query.matches(row)) this.#refreshSoon();
  };

  readonly #onRowUpdate = (_: unknown, oldRow: AnyRow, row: AnyRow): void => {
    if (this.#query.matches(oldRow) || this.#query.matches(row)) this.#refreshSoon();
  };

  /** Callbacks come row by row; all of one message are one change. */
  #refreshSoon(): void {
    if (this.#isRefreshDue) return;
    this.#isRefreshDue = true;
    queueMicrotask(() => {
      this.#isRefreshDue = false;
      // Rows of a query that is not complete yet belong to others: what was shown stays.
      if (this.#connection === undefined || !this.#isApplied || this.#isPaused) return;
      const rows = [...cachedTable(this.#connection, this.#query).iter()];
      this.#publish([rows.filter((row) => this.#query.matches(row)), true]);
    });
  }

  #publish(snapshot: TableSnapshot): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener();
  }
}

/** The rows of a query's table in a connection's cache. Throws when the connection has other bindings. */
export function cachedTable(connection: AnyConnection, { accessorName }: TableQuery): CachedTable {
  const tables = connection.db as unknown as Readonly<Record<string, CachedTable | undefined>>;
  const table = tables[accessorName];
  if (table === undefined) {
    throw new Error(
      `the connection's bindings have no table \`${accessorName}\`: are they those of the query?`,
    );
  }
  return table;
}
