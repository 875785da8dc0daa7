import * as fc from 'fast-check';
import { arrayType, primitiveType } from '../../../values/algebraic-type.js';
import type { AlgebraicType } from '../../../values/algebraic-type.js';
import { ConnectionId, Identity } from '../../../values/identity.js';
import {
  CONNECTION_ID_TYPE,
  IDENTITY_TYPE,
  optionType,
  TIMESTAMP_TYPE,
  UUID_TYPE,
} from '../../../values/special-types.js';
import { Timestamp } from '../../../values/timestamp.js';
import { Uuid } from '../../../values/uuid.js';
import type { Row } from '../../contract.js';

/*
 * Random rows, and random conditions on them as text together with what they mean. The meaning is computed here, from
 * the values, and shares no code with the parser, the binder or the predicates that it judges.
 */

interface Sample {
  readonly value: unknown;
  /** How SQL writes it; absent for values that have no literal. */
  readonly sql?: string;
  /** Stands for the value in comparisons: numbers and bigints by size, strings by their UTF-8 bytes. */
  readonly order: number | bigint | string | boolean;
}

interface SampledColumn {
  readonly type: AlgebraicType;
  readonly samples: readonly Sample[];
}

export const SENDER = new Identity((7n << 200n) + 1n);

const numbers = (values: readonly (number | bigint)[]): Sample[] =>
  values.map((value) => ({ value, sql: String(value), order: value }));
const hex = (value: bigint, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;

/** Few values of each type, so that rows and constants meet; among them those that are easily confused. */
export const SAMPLED_COLUMNS: Readonly<Record<string, SampledColumn>> = {
  id: { type: primitiveType('u32'), samples: numbers([0, 1, 2, 3, 4, 5, 4_294_967_295]) },
  level: { type: primitiveType('i8'), samples: numbers([-128, -1, 0, 127]) },
  other: { type: primitiveType('i8'), samples: numbers([-128, -1, 0, 127]) },
  score: {
    type: primitiveType('i64'),
    samples: numbers([-1n, 0n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n]),
  },
  wide: { type: primitiveType('u256'), samples: numbers([1n, 1n + (1n << 64n), 1n + (1n << 200n)]) },
  speed: {
    type: primitiveType('f64'),
    samples: [
      { value: 0, sql: '0', order: 0 },
      { value: -0, sql: '-0.0', order: 0 },
      { value: 1.5, sql: '15e-1', order: 1.5 },
      { value: -Infinity, order: -Infinity },
      // Nothing is greater.
      { value: NaN, order: 2n ** 2000n },
    ],
  },
  name: {
    type: primitiveType('string'),
    samples: ['', 'a', 'A', "O'Brian", '\u{1F4A5}', '\uFFFD', 'null'].map((value) => ({
      value,
      sql: `'${value.replaceAll("'", "''")}'`,
      order: Buffer.from(value).toString('latin1'),
    })),
  },
  online: {
    type: primitiveType('bool'),
    samples: [
      { value: true, sql: 'true', order: true },
      { value: false, sql: 'FALSE', order: false },
    ],
  },
  owner: {
    type: IDENTITY_TYPE,
    samples: [
      { value: SENDER, sql: ':sender', order: SENDER.__identity__ },
      ...[1n, 1n << 248n].map((order) => ({ value: new Identity(order), sql: hex(order, 64), order })),
    ],
  },
  link: {
    type: CONNECTION_ID_TYPE,
    samples: [1n, 1n << 120n].map((order) => ({
      value: new ConnectionId(order),
      sql: hex(order, 32),
      order,
    })),
  },
  tag: {
    type: UUID_TYPE,
    samples: [1n, 1n << 120n].map((order) => ({ value: new Uuid(order), sql: hex(order, 32), order })),
  },
  seen: {
    type: TIMESTAMP_TYPE,
    samples: [
      { value: new Timestamp(-1n), sql: "'1969-12-31T23:59:59.999999Z'", order: -1n },
      {
        value: new Timestamp(1_735_689_600_000_001n),
        sql: "'2025-01-01T00:00:00.000001Z'",
        order: 1_735_689_600_000_001n,
      },
    ],
  },
  raw: {
    type: arrayType(primitiveType('u8')),
    samples: ['', '00', 'ff', '00ff'].map((digits) => ({
      value: Uint8Array.from(Buffer.from(digits, 'hex')),
      sql: `X'${digits}'`,
      order: Buffer.from(digits, 'hex').toString('latin1'),
    })),
  },
  nick: {
    type: optionType(primitiveType('string')),
    samples: [
      { value: undefined, order: 0 },
      { value: 'x', order: 0 },
    ],
  },
};

export interface Condition {
  readonly sql: string;
  readonly isTrueOf: (row: Row) => boolean;
}

/** A row of the sampled columns; a smaller `span` makes equal values more likely. */
export function arbitraryRow(columns: readonly string[]): fc.Arbitrary<Row> {
  const values = columns.map((column) =>
    fc.constantFrom(...SAMPLED_COLUMNS[column]!.samples.map(({ value }) => value)),
  );
  return fc
    .tuple(...values)
    .map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
}

export function arbitraryCondition(columns: readonly string[]): fc.Arbitrary<Condition> {
  const comparable = columns.filter((column) => column !== 'nick');
  const leaf = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...comparable).chain(comparisonWithLiteral) },
    { weight: 1, arbitrary: fc.constantFrom(...TRUISMS) },
    { weight: 1, arbitrary: comparisonOfColumns(comparable) },
    { weight: 1, arbitrary: bareColumn(comparable) },
  );
  return fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
      leaf,
      fc
        .tuple(fc.constantFrom('AND', 'OR'), fc.array(tie('condition'), { minLength: 2, maxLength: 3 }))
        .map(junction),
      tie('condition').map(negation),
    ),
  })).condition;
}

const TRUISMS: readonly Condition[] = [
  { sql: 'true', isTrueOf: () => true },
  { sql: 'False', isTrueOf: () => false },
  { sql: "'b' < 'a'", isTrueOf: () => false },
  { sql: '1e1 = 10', isTrueOf: () => true },
];

const OPERATORS: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};
/** Equality is what indexes answer, so it is drawn most often. */
const arbitraryOperator = fc.constantFrom('=', '=', '=', '=', ...Object.keys(OPERATORS));

function comparisonWithLiteral(column: string): fc.Arbitrary<Condition> {
  const literals = SAMPLED_COLUMNS[column]!.samples.filter(({ sql }) => sql !== undefined);
  return fc
    .tuple(
      arbitraryOperator,
      fc.constantFrom(...literals),
      fc.boolean(),
      fc.constantFrom(column, `"t"."${column}"`),
    )
    .map(([operator, literal, isMirrored, name]) => ({
      sql: isMirrored ? `${literal.sql} ${operator} ${name}` : `${name} ${operator} ${literal.sql}`,
      isTrueOf(row) {
        const order = compareOrders(orderOf(column, row[column]), literal.order);
        return OPERATORS[operator]!(isMirrored ? -order : order);
      },
    }));
}

function comparisonOfColumns(columns: readonly string[]): fc.Arbitrary<Condition> {
  const [left, right] = ['level', 'other'];
  const column = fc.constantFrom(...columns).map((name): readonly [string, string] => [name, name]);
  const pair = fc.constantFrom<readonly [string, string]>([left!, right!], [right!, left!]);
  const hasBoth = columns.includes(left!) && columns.includes(right!);
  return fc.tuple(hasBoth ? fc.oneof(pair, column) : column, arbitraryOperator).map(([[a, b], operator]) => ({
    sql: `${a} ${operator} ${b}`,
    isTrueOf: (row) => OPERATORS[operator]!(compareOrders(orderOf(a, row[a]), orderOf(b, row[b]))),
  }));
}

function bareColumn(columns: readonly string[]): fc.Arbitrary<Condition> {
  if (!columns.includes('online')) return fc.constant(TRUISMS[0]!);
  return fc
    .constantFrom('online', 't.online')
    .map((sql) => ({ sql, isTrueOf: (row) => row['online'] === true }));
}

function junction([word, operands]: [string, Condition[]]): Condition {
  return {
    sql: operands.map(({ sql }) => `(${sql})`).join(` ${word} `),
    isTrueOf: (row) =>
      word === 'AND'
        ? operands.every((each) => each.isTrueOf(row))
        : operands.some((each) => each.isTrueOf(row)),
  };
}

function negation(operand: Condition): Condition {
  return { sql: `NOT (${operand.sql})`, isTrueOf: (row) => !operand.isTrueOf(row) };
}

function orderOf(column: string, value: unknown): Sample['order'] {
  const isSame = (sample: unknown): boolean =>
    Object.is(sample, value) || (typeof value === 'object' && textOf(sample) === textOf(value));
  return SAMPLED_COLUMNS[column]!.samples.find((sample) => isSame(sample.value))!.order;
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}

function compareOrders(a: Sample['order'], b: Sample['order']): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
