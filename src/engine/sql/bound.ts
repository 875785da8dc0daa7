import type { Identity } from '../../values/identity.js';
import type { Row } from '../contract.js';
import type { TableDef } from '../schema.js';
import type { Comparison } from './ast.js';
import type { Comparand, ComparableKind } from './comparable-type.js';

/*
 * A statement whose names are resolved and whose literals have types, in normal form: no NOT, nothing constant inside
 * AND and OR, their operands flat, sorted and distinct. Two texts that ask the same in another order bind to the same
 * template and constants.
 */

export interface BoundColumn {
  /** Its position in the table. */
  readonly index: number;
  readonly property: string;
  readonly kind: ComparableKind;
}

export type BoundExpression =
  | { readonly kind: 'constant'; readonly value: boolean }
  | {
      readonly kind: 'compareConstant';
      readonly comparison: Comparison;
      readonly column: BoundColumn;
      readonly constant: Constant;
    }
  | {
      readonly kind: 'compareColumns';
      readonly comparison: Comparison;
      readonly left: BoundColumn;
      readonly right: BoundColumn;
    }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly BoundExpression[] };

export interface Constant {
  /** As a row would hold it. */
  readonly value: unknown;
  readonly comparand: Comparand;
}

/** Whole rows of one table that fulfil a condition. */
export interface BoundQuery {
  readonly sql: string;
  readonly table: TableDef;
  readonly where: BoundExpression;
  /** The shape of the query with `?` for its constants; equal templates differ in constants only. */
  readonly template: string;
  /** The constants in the order of the template, as text: template and constants together identify the query. */
  readonly constantsKey: string;
  /** Whom `:sender` stood for, if it was used. */
  readonly sender: Identity | undefined;
}

export interface BoundSelect extends BoundQuery {
  readonly projection: Projection;
  readonly limit: number | undefined;
}

export type Projection =
  | { readonly kind: 'columns'; readonly columns: readonly ProjectedColumn[] }
  | { readonly kind: 'count'; readonly name: string };

export interface ProjectedColumn {
  readonly name: string;
  readonly index: number;
}

/** Tells whether a row fulfils a condition. Throws only when the row is not what the schema says. */
export type Predicate = (row: Row) => boolean;
