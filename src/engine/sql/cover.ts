import { assertNever } from '../../base/assert.js';
import type { BoundColumn, BoundExpression, Constant } from './bound.js';

/** `column = constant`. */
export interface Equality {
  readonly column: BoundColumn;
  readonly constant: Constant;
}

/** Equalities of which every row that fulfils a condition fulfils at least one. Empty when no row can. */
export interface Cover {
  readonly equalities: readonly Equality[];
  /** How selective the worst of them is. */
  readonly rank: number;
}

/** How selective an equality on a column is: larger is better. */
export type RankColumn = (column: BoundColumn) => number;

/** The most selective cover of a condition; undefined when it has none. */
export function findCover(where: BoundExpression, rankOf: RankColumn): Cover | undefined {
  switch (where.kind) {
    case 'constant':
      return where.value ? undefined : { equalities: [], rank: Infinity };
    case 'compareConstant':
      return where.comparison === '=' ? { equalities: [where], rank: rankOf(where.column) } : undefined;
    case 'compareColumns':
      return undefined;
    case 'and':
      return where.operands.map((operand) => findCover(operand, rankOf)).reduce(betterCover, undefined);
    case 'or':
      return where.operands.map((operand) => findCover(operand, rankOf)).reduce(unionOfCovers);
    default:
      return assertNever(where);
  }
}

/** What remains to be tested of a row that is known to fulfil `equality`. */
export function withoutEquality(where: BoundExpression, equality: Equality): BoundExpression {
  if (where === equality) return { kind: 'constant', value: true };
  if (where.kind !== 'and') return where;
  const operands = where.operands.filter((operand) => operand !== equality);
  return operands.length === 1 ? operands[0]! : { kind: 'and', operands };
}

function betterCover(a: Cover | undefined, b: Cover | undefined): Cover | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.rank !== b.rank) return a.rank > b.rank ? a : b;
  return a.equalities.length <= b.equalities.length ? a : b;
}

function unionOfCovers(a: Cover | undefined, b: Cover | undefined): Cover | undefined {
  if (a === undefined || b === undefined) return undefined;
  return { equalities: [...a.equalities, ...b.equalities], rank: Math.min(a.rank, b.rank) };
}
