import { arrayType, primitiveType, UNIT_TYPE } from '../../../../values/algebraic-type.js';
import type { AlgebraicType, PrimitiveKind } from '../../../../values/algebraic-type.js';
import type { ConnectionId, Identity } from '../../../../values/identity.js';
import {
  CONNECTION_ID_TYPE, IDENTITY_TYPE, optionType, resultType, SCHEDULE_AT_TYPE, TIME_DURATION_TYPE, TIMESTAMP_TYPE,
  UUID_TYPE,
} from '../../../../values/special-types.js'; // prettier-ignore
import type { ScheduleAt, TimeDuration, Timestamp } from '../../../../values/timestamp.js';
import type { Uuid } from '../../../../values/uuid.js';
import { lazyType, RowBuilder, TypeBuilder } from './type-builder.js';
import type { AnyTypeBuilder, Infer, RowShape } from './type-builder.js';

/** What a builder knows before a modifier was called. */
export interface NoMetadata {
  readonly isUnit?: never;
}
/** The value without content; never looked at. */
export type Unit = Readonly<Record<string, never>>;
export type UnitBuilder = TypeBuilder<Unit, { readonly isUnit: true }>;
type Variants = Readonly<Record<string, AnyTypeBuilder>>;

/** `{ tag: 'A' } | { tag: 'B', value: string }` */
export type EnumValue<V extends Variants> = {
  [K in keyof V & string]: V[K] extends { readonly metadata: { readonly isUnit: true } }
    ? { tag: K }
    : { tag: K; value: Infer<V[K]> };
}[keyof V & string];

type VariantsOf<V> = V extends readonly (infer N extends string)[]
  ? { readonly [K in N]: UnitBuilder }
  : V extends Variants
    ? V
    : never;

function primitive<T>(kind: PrimitiveKind): () => TypeBuilder<T, NoMetadata> {
  return () => of<T>(primitiveType(kind));
}

function of<T>(type: AlgebraicType): TypeBuilder<T, NoMetadata> {
  return new TypeBuilder<T, NoMetadata>(() => type, {});
}

function unit(): UnitBuilder {
  return new TypeBuilder(() => UNIT_TYPE, { isUnit: true });
}

function named<S extends RowShape>(shapeOrName: S | string, shape?: S): RowBuilder<S> {
  return new RowBuilder(typeof shapeOrName === 'string' ? shape! : shapeOrName);
}

function enumOf<const V extends Variants | readonly string[]>(
  _name: string,
  variants: V,
): TypeBuilder<EnumValue<VariantsOf<V>>, NoMetadata> {
  const entries = (): [string, AnyTypeBuilder][] =>
    Array.isArray(variants)
      ? variants.map((tag: string) => [tag, unit()])
      : Object.keys(variants).map((tag) => [tag, (variants as Variants)[tag]!]);
  return new TypeBuilder<EnumValue<VariantsOf<V>>, NoMetadata>(
    () => ({
      kind: 'sum',
      variants: entries().map(([tag, builder]) => ({ name: tag, tag, type: builder.algebraicType })),
    }),
    {},
  );
}

/**
 * Builders of every type that a table or reducer can use. Written by the code generator; readable enough to write
 * by hand.
 *
 * @example
 * const UserRow = t.row({ identity: t.identity().primaryKey(), name: t.option(t.string()), online: t.bool() });
 */
export const t = {
  bool: primitive<boolean>('bool'),
  string: primitive<string>('string'),
  number: primitive<number>('f64'),
  i8: primitive<number>('i8'),
  u8: primitive<number>('u8'),
  i16: primitive<number>('i16'),
  u16: primitive<number>('u16'),
  i32: primitive<number>('i32'),
  u32: primitive<number>('u32'),
  i64: primitive<bigint>('i64'),
  u64: primitive<bigint>('u64'),
  i128: primitive<bigint>('i128'),
  u128: primitive<bigint>('u128'),
  i256: primitive<bigint>('i256'),
  u256: primitive<bigint>('u256'),
  f32: primitive<number>('f32'),
  f64: primitive<number>('f64'),
  object: named,
  row: named,
  enum: enumOf,
  unit,
  array: <T>(element: TypeBuilder<T>): TypeBuilder<T[], NoMetadata> =>
    new TypeBuilder<T[], NoMetadata>(() => arrayType(element.algebraicType), {}),
  byteArray: (): TypeBuilder<Uint8Array, NoMetadata> => of(arrayType(primitiveType('u8'))),
  option: <T>(value: TypeBuilder<T>): TypeBuilder<T | undefined, NoMetadata> =>
    new TypeBuilder<T | undefined, NoMetadata>(() => optionType(value.algebraicType), {}),
  result: <Ok, Err>(
    ok: TypeBuilder<Ok>,
    err: TypeBuilder<Err>,
  ): TypeBuilder<{ ok: Ok } | { err: Err }, NoMetadata> =>
    new TypeBuilder<{ ok: Ok } | { err: Err }, NoMetadata>(
      () => resultType(ok.algebraicType, err.algebraicType),
      {},
    ),
  /** A type that is defined further down or contains itself. */
  lazy: <T>(thunk: () => TypeBuilder<T>): TypeBuilder<T, NoMetadata> =>
    new TypeBuilder<T, NoMetadata>(lazyType(thunk), {}),
  identity: (): TypeBuilder<Identity, NoMetadata> => of(IDENTITY_TYPE),
  connectionId: (): TypeBuilder<ConnectionId, NoMetadata> => of(CONNECTION_ID_TYPE),
  timestamp: (): TypeBuilder<Timestamp, NoMetadata> => of(TIMESTAMP_TYPE),
  timeDuration: (): TypeBuilder<TimeDuration, NoMetadata> => of(TIME_DURATION_TYPE),
  uuid: (): TypeBuilder<Uuid, NoMetadata> => of(UUID_TYPE),
  scheduleAt: (): TypeBuilder<ScheduleAt, NoMetadata> => of(SCHEDULE_AT_TYPE),
} as const;
