import { assertNever } from '../../base/assert.js';
import type { Comparison } from './ast.js';
import type { BoundColumn, BoundExpression, Constant } from './bound.js';
import type { Comparand } from './comparable-type.js';

export const TRUE: BoundExpression = { kind: 'constant', value: true };
export const FALSE: BoundExpression = { kind: 'constant', value: false };

const NEGATED: Readonly<Record<Comparison, Comparison>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};
const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** `a < b` to `b > a`. */
export function mirror(comparison: Comparison): Comparison {
  return MIRRORED[comparison];
}

/** What a comparison says when its sides compare as `order`: negative, zero or positive. */
export function holds(comparison: Comparison, order: number): boolean {
  switch (comparison) {
    case '=':
      return order === 0;
    case '<>':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return assertNever(comparison);
  }
}

/** A comparison with a constant. Of a boolean it becomes an equality where it can, which an index can answer. */
export function compareConstant(
  comparison: Comparison,
  column: BoundColumn,
  constant: Constant,
): BoundExpression {
  if (column.kind === 'bool' && comparison === '<>') {
    const other = !(constant.comparand as boolean);
    return { kind: 'compareConstant', comparison: '=', column, constant: { value: other, comparand: other } };
  }
  return { kind: 'compareConstant', comparison, column, constant };
}

/** A comparison of two columns, in the order of the table. */
export function compareColumns(
  comparison: Comparison,
  left: BoundColumn,
  right: BoundColumn,
): BoundExpression {
  if (left.index === right.index) return holds(comparison, 0) ? TRUE : FALSE;
  return left.index < right.index
    ? { kind: 'compareColumns', comparison, left, right }
    : { kind: 'compareColumns', comparison: mirror(comparison), left: right, right: left };
}

/** Pushes NOT down to the comparisons. Exact, because every order here is total and there is no NULL. */
export function negate(expression: BoundExpression): BoundExpression {
  switch (expression.kind) {
    case 'constant':
      return expression.value ? FALSE : TRUE;
    case 'compareConstant':
      return compareConstant(NEGATED[expression.comparison], expression.column, expression.constant);
    case 'compareColumns':
      return { ...expression, comparison: NEGATED[expression.comparison] };
    case 'and':
    case 'or':
      return junction(expression.kind === 'and' ? 'or' : 'and', expression.operands.map(negate));
    default:
      return assertNever(expression);
  }
}

/** AND or OR of operands that are in normal form already. */
export function junction(kind: 'and' | 'or', operands: readonly BoundExpression[]): BoundExpression {
  const absorbing = kind === 'or';
  const distinct = new Map<string, BoundExpression>();
  for (const operand of operands) {
    for (const part of operand.kind === kind ? operand.operands : [operand]) {
      if (part.kind !== 'constant') distinct.set(identify(part), part);
      else if (part.value === absorbing) return part;
    }
  }
  if (distinct.size === 0) return absorbing ? FALSE : TRUE;
  const sorted = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
  return sorted.length === 1 ? sorted[0]! : { kind, operands: sorted };
}

/** The shape of an expression with `?` for constants, which are appended to `constants`. */
export function templateOf(expression: BoundExpression, constants: string[]): string {
  switch (expression.kind) {
    case 'constant':
      return String(expression.value);
    case 'compareConstant':
      constants.push(constantText(expression.constant.comparand));
      return `${expression.column.index}${expression.comparison}?`;
    case 'compareColumns':
      return `${expression.left.index}${expression.comparison}${expression.right.index}c`;
    case 'and':
    case 'or': {
      const operands = expression.operands.map((operand) => templateOf(operand, constants));
      return `${expression.kind}(${operands.join()})`;
    }
    default:
      return assertNever(expression);
  }
}

/** Sorts by shape first and by constants only then, so that equal shapes get equal templates. */
function identify(expression: BoundExpression): string {
  const constants: string[] = [];
  return `${templateOf(expression, constants)} ${constants.join()}`;
}

function constantText(comparand: Comparand): string {
  return typeof comparand === 'string' ? JSON.stringify(comparand) : String(comparand);
}
