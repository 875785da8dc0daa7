import { assertNever } from '../../base/assert.js';
import type { Comparison } from './ast.js';
import type { BoundColumn, BoundExpression, Constant, Predicate } from './bound.js';
import {
  bigEndian,
  compareComparands,
  compareFloats,
  compareUtf8,
  latin1,
  toComparand,
} from './comparand.js';
import type { Comparand, ComparableKind } from './comparable-type.js';
import { holds } from './normalise.js';

/*
 * Conditions become functions. Their source is generated once per shape; constants are handed in, and property names
 * enter it as JSON strings only, so neither a statement nor a schema ever becomes code. Where eval is forbidden the
 * same is done with closures, which read a row about ten times slower.
 */

export interface PredicateOptions {
  /** False takes closures even where code could be generated. */
  readonly codegen?: boolean;
}

export function compilePredicate(where: BoundExpression, options: PredicateOptions = {}): Predicate {
  const generator = new PredicateGenerator();
  const body = generator.generate(where);
  const factory = options.codegen === false ? undefined : factoryFor(generator.slotCount, body);
  return factory === undefined ? interpret(where) : factory(SUPPORT, generator.constants);
}

type Factory = (support: typeof SUPPORT, constants: readonly Comparand[]) => Predicate;

/** What generated code may call. */
const SUPPORT = { bigEndian, compareFloats, compareUtf8, latin1 };

/** 1,000 shapes of queries: more than applications have, few enough to forget all when somebody plays with us. */
const FACTORIES_MAX = 1000;
const factories = new Map<string, Factory>();
let isEvalForbidden = false;

function factoryFor(slotCount: number, body: string): Factory | undefined {
  const known = factories.get(body);
  if (known !== undefined || isEvalForbidden) return known;
  const slots = Array.from({ length: slotCount }, (_, slot) => `const c${slot} = constants[${slot}];`).join(
    '',
  );
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- the source holds only what PredicateGenerator writes
    const factory = new Function(
      'support',
      'constants',
      `"use strict";${slots}return (row) => ${body};`,
    ) as Factory;
    if (factories.size >= FACTORIES_MAX) factories.clear();
    factories.set(body, factory);
    return factory;
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    isEvalForbidden = true;
    return undefined;
  }
}

/** Writes the body of a predicate and collects the constants it refers to as c0, c1, … */
class PredicateGenerator {
  readonly constants: Comparand[] = [];

  get slotCount(): number {
    return this.constants.length;
  }

  generate(expression: BoundExpression): string {
    switch (expression.kind) {
      case 'constant':
        return String(expression.value);
      case 'and':
      case 'or': {
        const operator = expression.kind === 'and' ? ' && ' : ' || ';
        return `(${expression.operands.map((operand) => this.generate(operand)).join(operator)})`;
      }
      case 'compareConstant':
        return this.#compareConstant(expression.comparison, expression.column, expression.constant);
      case 'compareColumns': {
        const { comparison, left, right } = expression;
        return generateComparison(comparison, left.kind, read(left, comparison), read(right, comparison));
      }
      default:
        return assertNever(expression);
    }
  }

  #compareConstant(comparison: Comparison, column: BoundColumn, constant: Constant): string {
    const isKeyed = isEquality(comparison) && isWide(column.kind);
    const comparand = isKeyed ? (constant.value as { readonly key: string }).key : constant.comparand;
    const slot = `c${this.constants.push(comparand) - 1}`;
    return generateComparison(comparison, column.kind, read(column, comparison), slot);
  }
}

function generateComparison(comparison: Comparison, kind: ComparableKind, a: string, b: string): string {
  const operator = comparison === '=' ? '===' : comparison === '<>' ? '!==' : comparison;
  if (kind === 'float') return `support.compareFloats(${a}, ${b}) ${operator} 0`;
  if (kind === 'string' && !isEquality(comparison)) return `support.compareUtf8(${a}, ${b}) ${operator} 0`;
  return `${a} ${operator} ${b}`;
}

/** The source that reads a column's comparand. */
function read({ property, kind }: BoundColumn, comparison: Comparison): string {
  const value = `row[${JSON.stringify(property)}]`;
  if (kind === 'bytes') return `support.latin1(${value})`;
  if (kind === 'timestamp') return `${value}.__timestamp_micros_since_unix_epoch__`;
  if (isWide(kind)) return isEquality(comparison) ? `${value}.key` : `support.bigEndian(${value}.key)`;
  return value;
}

function isEquality(comparison: Comparison): boolean {
  return comparison === '=' || comparison === '<>';
}

/** Kinds whose values keep their bytes as a key, which equality can use as it is. */
function isWide(kind: ComparableKind): boolean {
  return kind === 'identity' || kind === 'connectionId' || kind === 'uuid';
}

function interpret(expression: BoundExpression): Predicate {
  switch (expression.kind) {
    case 'constant':
      return () => expression.value;
    case 'and': {
      const operands = expression.operands.map(interpret);
      return (row) => operands.every((operand) => operand(row));
    }
    case 'or': {
      const operands = expression.operands.map(interpret);
      return (row) => operands.some((operand) => operand(row));
    }
    case 'compareConstant': {
      const { comparison, column, constant } = expression;
      const convert = toComparand(column.kind);
      return (row) =>
        holds(comparison, compareComparands(column.kind, convert(row[column.property]), constant.comparand));
    }
    case 'compareColumns': {
      const { comparison, left, right } = expression;
      const convert = toComparand(left.kind);
      return (row) =>
        holds(
          comparison,
          compareComparands(left.kind, convert(row[left.property]), convert(row[right.property])),
        );
    }
    default:
      return assertNever(expression);
  }
}
