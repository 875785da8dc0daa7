import { attempt } from '../attempt.js';
import type { RowIndex } from './row-index.js';
import type { Row, RowEvent } from './table-cache.js';

type RowCallback = (ctx: unknown, row: Row) => void;
type UpdateCallback = (ctx: unknown, oldRow: Row, newRow: Row) => void;

/** What a table needs to answer an application's questions. */
export interface TableRowsSource {
  size(): number;
  rows(): IterableIterator<Row>;
  byPrimaryKey(value: unknown): Row | undefined;
}

/** `conn.db.user`: what applications see of a cached table. Typed by `ClientTable`. */
export class TableView {
  readonly #source: TableRowsSource;
  // Replaced, never changed, when a callback is added or removed: a running emission keeps its list.
  #inserts: readonly RowCallback[] = [];
  #deletes: readonly RowCallback[] = [];
  #updates: readonly UpdateCallback[] = [];

  constructor(source: TableRowsSource) {
    this.#source = source;
  }

  /** Calls back for one event. A callback that throws is reported and does not keep others from being called. */
  static emit(
    view: TableView,
    context: () => unknown,
    event: RowEvent,
    onThrow: (error: unknown) => void,
  ): void {
    if (event.kind === 'update') {
      for (const callback of view.#updates)
        attempt(() => callback(context(), event.oldRow, event.row), onThrow);
    } else {
      const callbacks = event.kind === 'insert' ? view.#inserts : view.#deletes;
      for (const callback of callbacks) attempt(() => callback(context(), event.row), onThrow);
    }
  }

  count(): bigint {
    return BigInt(this.#source.size());
  }

  iter(): IterableIterator<Row> {
    return this.#source.rows();
  }

  [Symbol.iterator](): IterableIterator<Row> {
    return this.#source.rows();
  }

  onInsert(callback: RowCallback): void {
    this.#inserts = [...this.#inserts, callback];
  }
  removeOnInsert(callback: RowCallback): void {
    this.#inserts = this.#inserts.filter((other) => other !== callback);
  }
  onDelete(callback: RowCallback): void {
    this.#deletes = [...this.#deletes, callback];
  }
  removeOnDelete(callback: RowCallback): void {
    this.#deletes = this.#deletes.filter((other) => other !== callback);
  }
  onUpdate(callback: UpdateCallback): void {
    this.#updates = [...this.#updates, callback];
  }
  removeOnUpdate(callback: UpdateCallback): void {
    this.#updates = this.#updates.filter((other) => other !== callback);
  }
}

/** `conn.db.user.identity`: rows by the primary key, which is how they are stored. */
export class PrimaryKeyView {
  readonly #source: TableRowsSource;

  constructor(source: TableRowsSource) {
    this.#source = source;
  }

  find(value: unknown): Row | null {
    return this.#source.byPrimaryKey(value) ?? null;
  }
}

/** Rows by columns that are unique together. */
export class UniqueIndexView {
  readonly #index: RowIndex;

  constructor(index: RowIndex) {
    this.#index = index;
  }

  find(value: unknown): Row | null {
    for (const row of this.#index.rowsAt(valuesOf(this.#index, value))) return row;
    return null;
  }
}

/** Rows by columns that several rows may share. */
export class IndexView {
  readonly #index: RowIndex;

  constructor(index: RowIndex) {
    this.#index = index;
  }

  /** @param value of the column, or a `Range` of it, or a list of them for the first columns of the index. */
  filter(value: unknown): IterableIterator<Row> {
    return [...this.#index.rowsAt(valuesOf(this.#index, value))].values();
  }
}

function valuesOf(index: RowIndex, value: unknown): readonly unknown[] {
  return index.columns.length > 1 && Array.isArray(value) ? value : [value];
}
