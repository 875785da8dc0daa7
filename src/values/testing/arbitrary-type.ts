import * as fc from 'fast-check';
import { arrayType, PRIMITIVE_KINDS, primitiveType, UNIT_TYPE } from '../algebraic-type.js';
import type { AlgebraicType, PrimitiveKind } from '../algebraic-type.js';
import { ConnectionId, Identity } from '../identity.js';
import {
  CONNECTION_ID_TYPE, IDENTITY_TYPE, optionInner, optionType, resultType, SCHEDULE_AT_TYPE, TIME_DURATION_TYPE,
  TIMESTAMP_TYPE, UUID_TYPE,
} from '../special-types.js'; // prettier-ignore
import { ScheduleAt, TimeDuration, Timestamp } from '../timestamp.js';
import { Uuid } from '../uuid.js';

/* Types with values of them, for property tests of everything that works on any type. */

export interface TypedValues {
  readonly type: AlgebraicType;
  readonly values: fc.Arbitrary<unknown>;
}

const NAMES = ['id', 'name', 'x y', "it's", '"; throw 1; "', '`${1}`', 'constructor', 'toString', 'ünï', '7'];

export function primitiveValues(kind: PrimitiveKind): fc.Arbitrary<unknown> {
  switch (kind) {
    case 'string':
      return fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii', maxLength: 80 }));
    case 'bool':
      return fc.boolean();
    case 'f32':
      return fc.float();
    case 'f64':
      return fc.double();
    default:
      return integerValues(kind);
  }
}

function integerValues(kind: string): fc.Arbitrary<unknown> {
  const bits = BigInt(kind.slice(1));
  const min = kind[0] === 'u' ? 0n : -(1n << (bits - 1n));
  const max = min + (1n << bits) - 1n;
  const values = fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max, 0n));
  return bits > 32n ? values : values.map(Number);
}

const specialTypes: readonly TypedValues[] = [
  { type: IDENTITY_TYPE, values: fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }).map((v) => new Identity(v)) },
  {
    type: CONNECTION_ID_TYPE,
    values: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((v) => new ConnectionId(v)),
  },
  { type: UUID_TYPE, values: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((v) => new Uuid(v)) },
  { type: TIMESTAMP_TYPE, values: primitiveValues('i64').map((v) => new Timestamp(v as bigint)) },
  { type: TIME_DURATION_TYPE, values: primitiveValues('i64').map((v) => new TimeDuration(v as bigint)) },
  {
    type: SCHEDULE_AT_TYPE,
    values: fc
      .tuple(fc.boolean(), primitiveValues('i64'))
      .map(([once, v]) => (once ? ScheduleAt.time(v as bigint) : ScheduleAt.interval(v as bigint))),
  },
];

const leaf: fc.Arbitrary<TypedValues> = fc.oneof(
  fc
    .constantFrom(...PRIMITIVE_KINDS)
    .map((kind) => ({ type: primitiveType(kind), values: primitiveValues(kind) })),
  fc.constantFrom(...specialTypes),
  fc.constant({ type: arrayType(primitiveType('u8')), values: fc.uint8Array({ maxLength: 40 }) }),
);

/** Any type, up to four levels, with an arbitrary of its values. No option directly in an option: see the README. */
export const arbitraryType: fc.Arbitrary<TypedValues> = fc.letrec<{ type: TypedValues }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    tie('type').map(arrayOf),
    tie('type').map(optionOf),
    fc.tuple(tie('type'), tie('type')).map(([ok, err]) => resultOf(ok, err)),
    fc.array(fc.tuple(fc.constantFrom(...NAMES), tie('type')), { maxLength: 5 }).map(productOf),
    fc
      .array(fc.tuple(fc.constantFrom(...NAMES), fc.option(tie('type'), { nil: undefined })), {
        minLength: 1,
        maxLength: 5,
      })
      .map(sumOf),
  ),
})).type;

function arrayOf({ type, values }: TypedValues): TypedValues {
  if (type.kind === 'u8') return { type: arrayType(type), values: fc.uint8Array({ maxLength: 40 }) };
  return { type: arrayType(type), values: fc.array(values, { maxLength: 5 }) };
}

function optionOf(inner: TypedValues): TypedValues {
  if (inner.type.kind === 'sum' && optionInner(inner.type) !== undefined) return inner;
  return { type: optionType(inner.type), values: fc.option(inner.values, { nil: undefined }) };
}

function resultOf(ok: TypedValues, err: TypedValues): TypedValues {
  return {
    type: resultType(ok.type, err.type),
    values: fc.oneof(
      ok.values.map((value) => ({ ok: value })),
      err.values.map((value) => ({ err: value })),
    ),
  };
}

function productOf(fields: readonly (readonly [string, TypedValues])[]): TypedValues {
  const unique = new Map(fields);
  return {
    type: {
      kind: 'product',
      elements: [...unique].map(([name, { type }]) => ({ name: `${name}_1`, property: name, type })),
    },
    values: fc
      .record(Object.fromEntries([...unique].map(([name, { values }]) => [name, values])))
      .map((row) => ({ ...row })),
  };
}

function sumOf(variants: readonly (readonly [string, TypedValues | undefined])[]): TypedValues {
  const unique = [...new Map(variants)];
  const isUnit = (type: AlgebraicType): boolean => type.kind === 'product' && type.elements.length === 0;
  return {
    type: {
      kind: 'sum',
      variants: unique.map(([tag, inner]) => ({ name: `${tag}_1`, tag, type: inner?.type ?? UNIT_TYPE })),
    },
    values: fc.oneof(
      ...unique.map(([tag, inner]) =>
        inner === undefined || isUnit(inner.type)
          ? fc.constant({ tag })
          : inner.values.map((value) => ({ tag, value })),
      ),
    ),
  };
}

/** A type and one value of it. */
export const typeAndValue: fc.Arbitrary<{ type: AlgebraicType; value: unknown }> = arbitraryType.chain(
  ({ type, values }) => values.map((value) => ({ type, value })),
);
