import type { AlgebraicType } from '../../../../values/algebraic-type.js';
import type { ConnectionId, Identity } from '../../../../values/identity.js';
import { specialProduct } from '../../../../values/special-types.js';
import type { TimeDuration, Timestamp } from '../../../../values/timestamp.js';
import type { Uuid } from '../../../../values/uuid.js';
import type { RowEvent } from '../cache/table-cache.js';
import { table } from '../schema/remote-module.js';
import type { AnyTableSchema, IndexOptions } from '../schema/remote-module.js';
import { RowBuilder } from '../schema/type-builder.js';
import type { InferRow, RowShape } from '../schema/type-builder.js';
import { CallbackList } from './callback-list.js';
import type { ReducerCallEvent } from './reducer-call-event.js';
import { SpacetimeDBException } from './spacetimedb-exception.js';

export type RowOperation = 'insert' | 'update' | 'delete';

/** What happened to a row, the row as it was, the row as it is, and the reducer that did it, if one did. */
export type RowUpdateCallback<Row> = (
  operation: RowOperation,
  /** Undefined for an insert. */
  oldRow: Row | undefined,
  /** Undefined for a delete. */
  row: Row | undefined,
  event: ReducerCallEvent | undefined,
) => unknown;
type RowUpdate<Row> = Parameters<RowUpdateCallback<Row>>;

/** What a table reads: the rows of the client that its package was given to. */
export interface AsyncTableSource {
  iter(): IterableIterator<object>;
  /** @param accessor of the index: the name of the filter. */
  lookUp(accessor: string, value: unknown): Iterable<object>;
}

/**
 * A table of a generated package: `User`. It belongs to the package, so callbacks may be registered before there is a
 * client; rows are those of the client that was made with the package last.
 */
export class AsyncTable<S extends RowShape = RowShape> {
  /** Canonical: on the wire and in SQL. */
  readonly tableName: string;
  readonly schema: AnyTableSchema;
  readonly #callbacks = new CallbackList<RowUpdate<InferRow<S>>>();
  #source: AsyncTableSource | undefined;

  constructor(tableName: string, shape: S, options: { readonly event?: boolean } = {}) {
    this.tableName = tableName;
    const filters = filterableColumns(shape);
    const indexes = filters.map((column): IndexOptions => ({
      accessor: filterName(column),
      algorithm: 'btree',
      columns: [column],
    }));
    this.schema = table(
      { name: tableName, indexes, event: options.event === true },
      new RowBuilder<RowShape>(shape),
    );
    for (const column of filters) this.#defineFilter(column, isUnique(shape, column));
  }

  /**
   * @param callback is called for every row of a subscription that comes, changes or goes: with the operation, the old
   * row, the new row, and the reducer's event, which is undefined when the rows came because of a subscription.
   * @example
   * User.registerRowUpdate((operation, oldUser, user, event) => { if (operation === 'insert') greet(user); })
   */
  registerRowUpdate(callback: RowUpdateCallback<InferRow<S>>): void {
    this.#callbacks.add(callback);
  }

  unregisterRowUpdate(callback: RowUpdateCallback<InferRow<S>>): void {
    this.#callbacks.remove(callback);
  }

  /** All rows in the cache. Throws SpacetimeDBException before a client was made with the package. */
  iter(): IterableIterator<InferRow<S>> {
    return this.#rows().iter() as IterableIterator<InferRow<S>>;
  }

  /** For the client. */
  static attach(table: AsyncTable, source: AsyncTableSource): void {
    table.#source = source;
  }

  /** For the client: calls back for one row. */
  static emit(
    table: AsyncTable,
    rowEvent: RowEvent,
    event: ReducerCallEvent | undefined,
    onThrow: (error: unknown) => void,
    isOpen: () => boolean,
  ): void {
    if (table.#callbacks.size > 0) table.#callbacks.call(rowUpdate(rowEvent, event), onThrow, isOpen);
  }

  #rows(): AsyncTableSource {
    if (this.#source === undefined) {
      throw new SpacetimeDBException(
        'NOT_CONNECTED',
        `there are no rows of \`${this.tableName}\` yet: make a SpacetimeDBAsyncClient with this package first`,
      );
    }
    return this.#source;
  }

  #defineFilter(column: string, isUnique: boolean): void {
    const name = filterName(column);
    const value = (wanted: unknown): unknown => {
      const rows = [...this.#rows().lookUp(name, wanted)];
      return isUnique ? rows[0] : rows;
    };
    Object.defineProperty(this, name, { value, enumerable: true });
  }
}

function rowUpdate<Row>(rowEvent: RowEvent, event: ReducerCallEvent | undefined): RowUpdate<Row> {
  const row = rowEvent.row as Row;
  if (rowEvent.kind === 'update') return ['update', rowEvent.oldRow as Row, row, event];
  return rowEvent.kind === 'insert' ? ['insert', undefined, row, event] : ['delete', row, undefined, event];
}

type Filterable =
  | boolean | number | bigint | string | Identity | ConnectionId | Timestamp | TimeDuration | Uuid; // prettier-ignore

type ValueOf<B> = B extends { readonly type: infer T } ? T : never;
type IsUnique<B> = B extends {
  readonly metadata: { readonly isPrimaryKey: true } | { readonly isUnique: true };
}
  ? true
  : false;

/** `filterByIdentity`: the one row of a unique column, or all rows that have the value. */
export type TableFilters<S extends RowShape> = {
  readonly [
    K in keyof S & string as [ValueOf<S[K]>] extends [Filterable] ? `filterBy${Capitalize<K>}` : never
  ]: (value: ValueOf<S[K]>) => IsUnique<S[K]> extends true ? InferRow<S> | undefined : InferRow<S>[];
};

/**
 * A table as generated packages write it.
 *
 * @example
 * export const User = asyncTable('user', { identity: t.identity().primaryKey(), name: t.string() });
 * User.filterByIdentity(me)
 */
export function asyncTable<S extends RowShape>(
  tableName: string,
  row: RowBuilder<S> | S,
  options: { readonly event?: boolean } = {},
): AsyncTable<S> & TableFilters<S> {
  const shape = row instanceof RowBuilder ? row.shape : row;
  return new AsyncTable(tableName, shape, options) as AsyncTable<S> & TableFilters<S>;
}

function filterName(column: string): string {
  return `filterBy${column.charAt(0).toUpperCase()}${column.slice(1)}`;
}

function filterableColumns(shape: RowShape): readonly string[] {
  return Object.keys(shape).filter((column) => isFilterable(shape[column]!.algebraicType));
}

/** What has one value that can be compared: numbers, texts, ids and times, not what is made of several. */
function isFilterable(type: AlgebraicType): boolean {
  if (type.kind === 'product') return specialProduct(type) !== undefined;
  return type.kind !== 'array' && type.kind !== 'sum' && type.kind !== 'ref';
}

function isUnique(shape: RowShape, column: string): boolean {
  const { isPrimaryKey, isUnique } = shape[column]!.metadata;
  return isPrimaryKey === true || isUnique === true;
}
