import type { Range } from './range.js';
import type { RowIterator } from './row-iterator.js';
import type { IndexOptions, TableHandle } from './table.js';
import type { ColumnMeta, InferRow, RowShape } from './types/builders.js';

/* The types of `ctx.db`. What stands behind them at run time is made by table-accessor.ts. */

/** The tables of a schema by their accessors. */
export type SchemaShape = Readonly<Record<string, TableHandle>>;

/** `ctx.db`: one accessor per table. */
export type DbView<S extends SchemaShape> = {
  readonly [P in keyof S]: S[P] extends TableHandle<infer R, infer I> ? TableAccessor<R, I> : never;
};

export interface TableMethods<Row> {
  /** How many rows there are, those of this transaction included. */
  count(): bigint;
  /** All rows, as the table is now: rows inserted or deleted during the iteration do not change it. */
  iter(): RowIterator<Row>;
  [Symbol.iterator](): RowIterator<Row>;
  /** Inserts a row; gives it back with what autoInc columns got for their zeros. */
  insert(row: Row): Row;
  /** Deletes the row that is equal in all columns; false when there is none. */
  delete(row: Row): boolean;
  /** Deletes all rows and says how many. */
  clear(): bigint;
}

export interface UniqueIndex<Row, V> {
  find(value: V): Row | null;
  delete(value: V): boolean;
}

export interface PrimaryKeyIndex<Row, V> extends UniqueIndex<Row, V> {
  /** Replaces the row that has the same primary key; an error when there is none. */
  update(row: Row): Row;
}

export interface RangeIndex<Row, B> {
  filter(bounds: B): RowIterator<Row>;
  /** Deletes what `filter` would give and says how many. */
  delete(bounds: B): number;
}

export interface PointIndex<Row, V> {
  filter(value: V): RowIterator<Row>;
  delete(value: V): number;
}

export type TableAccessor<R extends RowShape, I extends readonly IndexOptions[]> = TableMethods<InferRow<R>> &
  ColumnIndexes<R> &
  NamedIndexes<R, I>;

type IsUnique<M extends ColumnMeta> = M extends { readonly primaryKey: true } | { readonly unique: true }
  ? true
  : false;

type IndexedColumns<R extends RowShape> = {
  [P in keyof R & string]: IsUnique<R[P]['meta']> extends true
    ? P
    : R[P]['meta'] extends { readonly index: string }
      ? P
      : never;
}[keyof R & string];

type ColumnIndexes<R extends RowShape> = {
  readonly [P in IndexedColumns<R>]: IndexAccessor<R, readonly [P], AlgorithmOf<R[P]['meta']>>;
};

type AlgorithmOf<M extends ColumnMeta> = M extends { readonly index: infer A extends string } ? A : 'btree';

type NamedIndexes<R extends RowShape, I extends readonly IndexOptions[]> = {
  readonly [O in I[number] as O['accessor']]: IndexAccessor<R, ColumnsOf<O>, O['algorithm']>;
};

type ColumnsOf<O extends IndexOptions> = O extends { readonly columns: infer C extends readonly string[] }
  ? C
  : O extends { readonly column: infer C extends string }
    ? readonly [C]
    : never;

type IndexAccessor<R extends RowShape, C extends readonly string[], A extends string> =
  AllColumns<R, C, Unique> extends true
    ? AllColumns<R, C, { readonly primaryKey: true }> extends true
      ? PrimaryKeyIndex<InferRow<R>, Collapse<ValuesOf<R, C>>>
      : UniqueIndex<InferRow<R>, Collapse<ValuesOf<R, C>>>
    : A extends 'hash'
      ? PointIndex<InferRow<R>, Collapse<ValuesOf<R, C>>>
      : RangeIndex<InferRow<R>, BoundsOf<ValuesOf<R, C>>>;

type Unique = { readonly primaryKey: true } | { readonly unique: true };

type AllColumns<R extends RowShape, C extends readonly string[], Want> = C extends readonly [
  infer Head extends string,
  ...infer Tail extends readonly string[],
]
  ? R[Head]['meta'] extends Want
    ? AllColumns<R, Tail, Want>
    : false
  : true;

type ValuesOf<R extends RowShape, C extends readonly string[]> = C extends readonly [
  infer Head extends string,
  ...infer Tail extends readonly string[],
]
  ? readonly [R[Head]['type'], ...ValuesOf<R, Tail>]
  : readonly [];

/** One column is asked by its value, several by a tuple. */
type Collapse<V extends readonly unknown[]> = V extends readonly [infer Only] ? Only : V;

/** A value or range of the last column, after values of those before it; or the same of fewer columns. */
type BoundsOf<V extends readonly unknown[]> = V extends readonly [infer Only]
  ? Only | Range<Only>
  : V extends readonly [...infer Before, infer Last]
    ? readonly [...Before, Last | Range<Last>] | BoundsOf<Before>
    : never;
