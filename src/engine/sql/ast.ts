/*
 * A statement as it was written: names are not resolved and literals have no types yet. `at` is always the offset of
 * the first character, for errors.
 */

/** `name`, `"name"` or `table.name`. */
export interface Name {
  readonly text: string;
  readonly at: number;
}

export interface ColumnName {
  readonly kind: 'column';
  /** What stands before the last dot. */
  readonly table: Name | undefined;
  readonly name: Name;
  readonly at: number;
}

export interface Literal {
  readonly kind: 'literal';
  readonly form: 'number' | 'string' | 'bool' | 'hex';
  /** A number with its sign; a string without quotes; `true`, `false`; hexadecimal digits without their mark. */
  readonly value: string;
  /** As written. */
  readonly text: string;
  readonly at: number;
}

/** `:sender`, the identity of the one who asks. */
export interface SenderParameter {
  readonly kind: 'sender';
  readonly at: number;
}

export type Operand = ColumnName | Literal | SenderParameter;

export const COMPARISONS = ['=', '<>', '<', '<=', '>', '>='] as const;
export type Comparison = (typeof COMPARISONS)[number];

export interface CompareExpression {
  readonly kind: 'compare';
  readonly comparison: Comparison;
  readonly left: Operand;
  readonly right: Operand;
  readonly at: number;
}

/** AND or OR of two or more. */
export interface JunctionExpression {
  readonly kind: 'and' | 'or';
  readonly operands: readonly Expression[];
  readonly at: number;
}

export interface NotExpression {
  readonly kind: 'not';
  readonly operand: Expression;
  readonly at: number;
}

export type Expression = Operand | CompareExpression | JunctionExpression | NotExpression;

export interface ColumnSelection {
  readonly column: ColumnName;
  readonly alias: Name | undefined;
}

export type Selection =
  /** `*`, or `t.*` with `table`. */
  | { readonly kind: 'star'; readonly table: Name | undefined; readonly at: number }
  | { readonly kind: 'columns'; readonly columns: readonly ColumnSelection[]; readonly at: number }
  | { readonly kind: 'count'; readonly alias: Name; readonly at: number };

export interface TableReference {
  readonly name: Name;
  readonly alias: Name | undefined;
}

export interface Join {
  readonly table: TableReference;
  readonly on: Expression | undefined;
  readonly at: number;
}

export interface SelectStatement {
  readonly kind: 'select';
  readonly sql: string;
  readonly selection: Selection;
  readonly from: TableReference;
  readonly joins: readonly Join[];
  readonly where: Expression | undefined;
  readonly limit: number | undefined;
}

/** `SELECT * FROM *`: every table the asker may read. Subscriptions only. */
export interface SelectAllTables {
  readonly kind: 'selectAllTables';
  readonly sql: string;
}

export type Statement = SelectStatement | SelectAllTables;
