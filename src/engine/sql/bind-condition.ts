import { isDeepStrictEqual } from 'node:util';
import { assertNever } from '../../base/assert.js';
import { primitiveType, resolveType } from '../../values/algebraic-type.js';
import type { AlgebraicType } from '../../values/algebraic-type.js';
import type { Identity } from '../../values/identity.js';
import type { ColumnName, CompareExpression, Expression, Literal, Operand } from './ast.js';
import type { BoundColumn, BoundExpression, Constant } from './bound.js';
import { compareComparands, toComparand } from './comparand.js';
import { comparableKind, typeName } from './comparable-type.js';
import type { ComparableKind } from './comparable-type.js';
import { literalHint, literalValue, parseInteger } from './literal-value.js';
import {
  compareColumns,
  compareConstant,
  FALSE,
  holds,
  junction,
  mirror,
  negate,
  TRUE,
} from './normalise.js';
import { resolveColumn } from './scope.js';
import type { Scope } from './scope.js';
import { sqlErrorAt } from './sql-error.js';
import type { SqlError } from './sql-error.js';
import { shorten } from './token-cursor.js';

/** Gives names and literals of a WHERE their columns and types, and brings it into normal form. */
export function bindCondition(
  where: Expression | undefined,
  scope: Scope,
  sender: Identity,
): { readonly where: BoundExpression; readonly sender: Identity | undefined } {
  if (where === undefined) return { where: TRUE, sender: undefined };
  const binder = new ConditionBinder(scope, sender);
  return { where: binder.bind(where), sender: binder.usesSender ? sender : undefined };
}

/** An operand whose value does not depend on the row. */
type Known = Exclude<Operand, ColumnName>;

class ConditionBinder {
  usesSender = false;
  readonly #scope: Scope;
  readonly #sender: Identity;

  constructor(scope: Scope, sender: Identity) {
    this.#scope = scope;
    this.#sender = sender;
  }

  bind(expression: Expression): BoundExpression {
    switch (expression.kind) {
      case 'and':
      case 'or':
        return junction(
          expression.kind,
          expression.operands.map((operand) => this.bind(operand)),
        );
      case 'not':
        return negate(this.bind(expression.operand));
      case 'compare':
        return this.#bindComparison(expression);
      case 'column':
        return this.#bindBareColumn(expression);
      case 'literal':
        if (expression.form === 'bool') return expression.value === 'true' ? TRUE : FALSE;
        throw this.#unexpectedType(expression.at, 'Bool', literalTypeName(expression));
      case 'sender':
        throw this.#unexpectedType(expression.at, 'Bool', 'Identity');
      default:
        return assertNever(expression);
    }
  }

  #bindBareColumn(expression: ColumnName): BoundExpression {
    const index = resolveColumn(this.#scope, expression);
    if (this.#kindOf(index) !== 'bool')
      throw this.#unexpectedType(expression.at, 'Bool', this.#nameOf(index));
    return compareConstant('=', this.#columnAt(index, 'bool'), { value: true, comparand: true });
  }

  #bindComparison({ comparison, left, right }: CompareExpression): BoundExpression {
    if (left.kind !== 'column') {
      if (right.kind !== 'column') return this.#foldComparison(comparison, left, right);
      return this.#bindComparison({
        kind: 'compare',
        comparison: mirror(comparison),
        left: right,
        right: left,
        at: left.at,
      });
    }
    const index = resolveColumn(this.#scope, left);
    const kind = this.#kindOf(index);
    if (right.kind === 'column') {
      const other = resolveColumn(this.#scope, right);
      this.#checkSameType(index, other, right.at);
      if (kind === undefined) throw this.#notComparable(comparison, index, left.at);
      return compareColumns(comparison, this.#columnAt(index, kind), this.#columnAt(other, kind));
    }
    if (kind === undefined) throw this.#notComparable(comparison, index, left.at);
    return compareConstant(comparison, this.#columnAt(index, kind), this.#constant(right, kind, index));
  }

  /** Both sides are known already. Numbers compare by value, strings as text; anything else must be of one type. */
  #foldComparison(comparison: CompareExpression['comparison'], left: Known, right: Known): BoundExpression {
    const kind = foldedKind(left, right);
    if (kind === undefined) {
      throw this.#unexpectedType(right.at, literalTypeName(left), literalTypeName(right));
    }
    const a = this.#constant(left, kind).comparand;
    const b = this.#constant(right, kind).comparand;
    return holds(comparison, compareComparands(kind, a, b)) ? TRUE : FALSE;
  }

  /** An operand that is no column, as a value of `kind`: the type of the column at `index`, or the widest there is. */
  #constant(operand: Known, kind: ComparableKind, index?: number): Constant {
    const value =
      operand.kind === 'sender'
        ? this.#senderAs(kind, operand.at, index)
        : this.#literal(operand, kind, index);
    return { value, comparand: toComparand(kind)(value) };
  }

  #senderAs(kind: ComparableKind, at: number, index: number | undefined): unknown {
    this.usesSender = true;
    if (kind === 'identity') return this.#sender;
    // Bytes are in the order of the hexadecimal text.
    if (kind === 'bytes') return this.#sender.toUint8Array().reverse();
    throw this.#unexpectedType(at, index === undefined ? 'Identity' : this.#nameOf(index), 'Identity');
  }

  #literal(literal: Literal, kind: ComparableKind, index: number | undefined): unknown {
    const { typespace, sql } = this.#scope;
    const type: AlgebraicType = index === undefined ? widestType(kind) : this.#typeAt(index);
    const value = literalValue(literal, kind, type, typespace);
    if (value !== undefined) return value;
    const name = index === undefined && kind === 'identity' ? 'Identity' : typeName(type, typespace);
    if (literal.form === 'bool') throw this.#unexpectedType(literal.at, name, 'Bool');
    const text = `The literal expression \`${shorten(literal.text)}\` cannot be parsed as type \`${name}\``;
    throw sqlErrorAt(sql, literal.at, 'BAD_LITERAL', text, literalHint(kind));
  }

  #checkSameType(left: number, right: number, at: number): void {
    const { typespace } = this.#scope;
    const [a, b] = [resolveType(this.#typeAt(left), typespace), resolveType(this.#typeAt(right), typespace)];
    if (isDeepStrictEqual(a, b)) return;
    throw this.#unexpectedType(at, this.#nameOf(left), this.#nameOf(right));
  }

  #notComparable(comparison: string, index: number, at: number): SqlError {
    const text = `Invalid binary operator \`${comparison}\` for type \`${this.#nameOf(index)}\``;
    return sqlErrorAt(this.#scope.sql, at, 'TYPE_MISMATCH', text);
  }

  #unexpectedType(at: number, expected: string, inferred: string): SqlError {
    const text = `Unexpected type: (expected) ${expected} != ${inferred} (inferred)`;
    return sqlErrorAt(this.#scope.sql, at, 'TYPE_MISMATCH', text);
  }

  #columnAt(index: number, kind: ComparableKind): BoundColumn {
    return { index, property: this.#scope.table.columns[index]!.property, kind };
  }

  #typeAt(index: number): AlgebraicType {
    return this.#scope.table.columns[index]!.type;
  }

  #kindOf(index: number): ComparableKind | undefined {
    return comparableKind(this.#typeAt(index), this.#scope.typespace);
  }

  #nameOf(index: number): string {
    return typeName(this.#typeAt(index), this.#scope.typespace);
  }
}

function foldedKind(left: Known, right: Known): ComparableKind | undefined {
  if (left.kind === 'sender' || right.kind === 'sender') return 'identity';
  if (left.form !== right.form) return undefined;
  if (left.form === 'hex') return 'bytes';
  if (left.form !== 'number') return left.form;
  const areIntegers = parseInteger(left.value) !== undefined && parseInteger(right.value) !== undefined;
  return areIntegers ? 'bigInteger' : 'float';
}

/** What a literal that no column gives a type is read as. */
function widestType(kind: ComparableKind): AlgebraicType {
  if (kind === 'bigInteger') return primitiveType('i256');
  if (kind === 'float') return primitiveType('f64');
  return primitiveType('string');
}

function literalTypeName(literal: Known): string {
  if (literal.kind === 'sender') return 'Identity';
  const names = { bool: 'Bool', string: 'String', hex: 'Bytes', number: 'Number' };
  return names[literal.form];
}
