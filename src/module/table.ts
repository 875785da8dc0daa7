import { ColumnBuilder, RowBuilder } from './types/builders.js';
import type { AnyColumn, ColumnMeta, RowShape } from './types/builders.js';
import type { ModuleExport } from './reducer-export.js';

/** An index over one or more columns, reached as `ctx.db.<table>.<accessor>`. */
export type IndexOptions<C extends string = string> = {
  readonly accessor: string;
  /** The name in the database, when it is not the default `<table>_<columns>_idx_<algorithm>`. */
  readonly name?: string;
} & (
  | { readonly algorithm: 'btree' | 'hash'; readonly columns: readonly C[] }
  | { readonly algorithm: 'direct'; readonly column: C }
);

export interface ConstraintOptions<C extends string = string> {
  readonly name?: string;
  readonly constraint: 'unique';
  readonly columns: readonly C[];
}

export interface TableOptions<C extends string = string> {
  /** The name on the wire and in SQL, when it is not the converted accessor. */
  readonly name?: string;
  /** Every client may read a public table; a private one exists for the module and the owner only. */
  readonly public?: boolean;
  /** Rows of an event table are broadcast, never stored. */
  readonly event?: boolean;
  readonly indexes?: readonly IndexOptions<C>[];
  readonly constraints?: readonly ConstraintOptions<C>[];
  /** The reducer that runs when a row is due; the table then has one `t.scheduleAt()` column. */
  readonly scheduled?: () => ModuleExport;
}

/** A table as its author described it. Its name is the key it gets in `schema({ … })`. */
export class TableHandle<
  R extends RowShape = RowShape,
  I extends readonly IndexOptions[] = readonly IndexOptions[],
> {
  /** The type of a row, e.g. for the parameter of a scheduled reducer. */
  readonly rowType: RowBuilder<R>;
  readonly options: TableOptions;
  declare readonly indexes: I;

  constructor(rowType: RowBuilder<R>, options: TableOptions) {
    this.rowType = rowType;
    this.options = options;
  }
}

type Keyed = { readonly primaryKey: true } | { readonly unique: true } | { readonly autoInc: true };

type IsMisused<M extends ColumnMeta> = M extends { readonly hasDefault: true }
  ? M extends Keyed
    ? true
    : false
  : false;

/** Names the columns whose modifiers contradict each other, so that the compiler's message does. */
type Misuse<R extends RowShape> = {
  [P in keyof R]: R[P] extends ColumnBuilder<infer _T, infer _K, infer M>
    ? IsMisused<M> extends true
      ? 'default() cannot be combined with primaryKey(), unique() or autoInc()'
      : unknown
    : unknown;
};

type IndexesOf<O extends TableOptions> = O extends {
  readonly indexes: infer I extends readonly IndexOptions[];
}
  ? I
  : readonly [];

/**
 * Describes a table.
 *
 * @example
 * const user = table(
 *   { public: true, indexes: [{ accessor: 'byName', algorithm: 'btree', columns: ['name'] }] },
 *   { identity: t.identity().primaryKey(), name: t.string().optional(), online: t.bool() },
 * );
 */
export function table<R extends RowShape, const O extends TableOptions<keyof R & string>>(
  options: O,
  row: (R & Misuse<R>) | RowBuilder<R>,
): TableHandle<R, IndexesOf<O>> {
  const rowType = row instanceof RowBuilder ? row : new RowBuilder<R>(checkRow(row), undefined);
  return new TableHandle<R, IndexesOf<O>>(rowType, options);
}

function checkRow<R extends RowShape>(row: R): R {
  if (typeof row !== 'object' || row === null) {
    throw new TypeError('table(options, columns): the second argument is an object of columns');
  }
  return row;
}

/** True for a column, whatever its type. */
export function isColumn(value: unknown): value is AnyColumn {
  return value instanceof ColumnBuilder;
}
