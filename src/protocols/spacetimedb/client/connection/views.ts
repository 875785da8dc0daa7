import type {
  ConstraintOptions, IndexOptions, RowOf, UntypedProcedureDef, UntypedReducerDef, UntypedRemoteModule, UntypedTableDef,
} from '../schema/remote-module.js'; // prettier-ignore
import type { Range } from '../cache/row-index.js';
import type { Infer, InferRow, RowShape } from '../schema/type-builder.js';
import type { EventContextInterface } from './event-context.js';

/* The types of `conn.db`, `conn.reducers` and `conn.procedures`, inferred from a remote module. */

type Columns<I extends IndexOptions> = I['columns'];

type ColumnValue<D extends UntypedTableDef, C> = C extends keyof RowOf<D>
  ? Exclude<RowOf<D>[C], undefined>
  : never;

type Values<D extends UntypedTableDef, Cs extends readonly string[]> = Cs extends readonly [
  infer C,
  ...infer More extends readonly string[],
]
  ? [ColumnValue<D, C>, ...Values<D, More>]
  : [];

type Point<V extends readonly unknown[]> = V extends readonly [infer Only] ? Only : V;

/** A value or range of the first column, or several columns' values of which the last may be a range. */
type Prefix<V extends readonly unknown[]> = V extends readonly [infer First, ...infer More]
  ?
      | First
      | Range<First>
      | (More extends readonly []
          ? never
          : readonly [First | Range<First>] | PrefixTail<readonly [First], More>)
  : never;
type PrefixTail<Head extends readonly unknown[], More extends readonly unknown[]> = More extends readonly [
  infer Next,
  ...infer Rest,
]
  ? readonly [...Head, Next | Range<Next>] | PrefixTail<readonly [...Head, Next], Rest>
  : never;

type SameColumns<A extends readonly string[], B extends readonly string[]> = A['length'] extends B['length']
  ? [A[number]] extends [B[number]]
    ? true
    : false
  : false;

type MatchesConstraint<
  Cs extends readonly ConstraintOptions[],
  Columns extends readonly string[],
> = Cs extends readonly [
  infer C extends ConstraintOptions,
  ...infer More extends readonly ConstraintOptions[],
]
  ? SameColumns<C['columns'], Columns> extends true
    ? true
    : MatchesConstraint<More, Columns>
  : false;

type IsColumnUnique<D extends UntypedTableDef, C> = C extends keyof D['columns']
  ? D['columns'][C] extends {
      readonly metadata: { readonly isPrimaryKey: true } | { readonly isUnique: true };
    }
    ? true
    : false
  : false;

type IsUnique<D extends UntypedTableDef, I extends IndexOptions> =
  Columns<I> extends readonly [infer Only]
    ? IsColumnUnique<D, Only> extends true
      ? true
      : MatchesConstraint<D['constraints'], Columns<I>>
    : MatchesConstraint<D['constraints'], Columns<I>>;

export interface UniqueIndex<Row, Key> {
  find(value: Key): Row | null;
}
export interface RangedIndex<Row, Key> {
  filter(value: Key): IterableIterator<Row>;
}

type IndexViews<D extends UntypedTableDef> = {
  readonly [I in D['indexes'][number] as I['accessor']]: IsUnique<D, I> extends true
    ? UniqueIndex<RowOf<D>, Point<Values<D, Columns<I>>>>
    : RangedIndex<RowOf<D>, Prefix<Values<D, Columns<I>>>>;
};

type RowListener<RM extends UntypedRemoteModule, D extends UntypedTableDef> = (
  ctx: EventContextInterface<RM>,
  row: RowOf<D>,
) => void;
type UpdateListener<RM extends UntypedRemoteModule, D extends UntypedTableDef> = (
  ctx: EventContextInterface<RM>,
  oldRow: RowOf<D>,
  newRow: RowOf<D>,
) => void;

/** A cached table: the rows that this client's subscriptions hold. */
export interface ClientTableCore<RM extends UntypedRemoteModule, D extends UntypedTableDef> {
  count(): bigint;
  iter(): IterableIterator<RowOf<D>>;
  [Symbol.iterator](): IterableIterator<RowOf<D>>;
  onInsert(callback: RowListener<RM, D>): void;
  removeOnInsert(callback: RowListener<RM, D>): void;
  onDelete(callback: RowListener<RM, D>): void;
  removeOnDelete(callback: RowListener<RM, D>): void;
  /** A row with the same primary key was replaced; never called for tables without one. */
  onUpdate(callback: UpdateListener<RM, D>): void;
  removeOnUpdate(callback: UpdateListener<RM, D>): void;
}

export type ClientTable<RM extends UntypedRemoteModule, D extends UntypedTableDef> = ClientTableCore<RM, D> &
  IndexViews<D>;

export type ClientDbView<RM extends UntypedRemoteModule> = {
  readonly [A in keyof RM['tables']]: ClientTable<RM, RM['tables'][A]>;
};

type Arguments<S extends RowShape> = [keyof S] extends [never]
  ? [params?: Readonly<Record<string, never>>]
  : [params: InferRow<S>];

export type ReducersView<RM extends UntypedRemoteModule> = {
  readonly [R in RM['reducers'][number] as R['accessorName']]: (
    ...args: Arguments<R['params']>
  ) => Promise<void>;
};

export type ProceduresView<RM extends UntypedRemoteModule> = {
  readonly [P in RM['procedures'][number] as P['accessorName']]: (
    ...args: Arguments<P['params']>
  ) => Promise<Infer<P['returnType']>>;
};

export type ReducerNames<RM extends UntypedRemoteModule> = RM['reducers'][number]['name'];
export type { UntypedProcedureDef, UntypedReducerDef };
