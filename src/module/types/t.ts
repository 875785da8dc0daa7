import { arrayType, primitiveType, UNIT_TYPE } from '../../values/algebraic-type.js';
import type { AlgebraicType, PrimitiveKind } from '../../values/algebraic-type.js';
import type { ConnectionId, Identity } from '../../values/identity.js';
import {
  CONNECTION_ID_TYPE,
  IDENTITY_TYPE,
  SCHEDULE_AT_TYPE,
  TIME_DURATION_TYPE,
  TIMESTAMP_TYPE,
  UUID_TYPE,
} from '../../values/special-types.js';
import type { ScheduleAt, TimeDuration, Timestamp } from '../../values/timestamp.js';
import type { Uuid } from '../../values/uuid.js';
import { RowBuilder, TypeBuilder } from './builders.js';
import type {
  AnyType,
  EnumBuilder,
  EnumValue,
  FieldsShape,
  InferRow,
  NoMeta,
  RowShape,
  TypeKind,
  VariantsShape,
} from './builders.js';

type UnitType = TypeBuilder<NoMeta, 'unit'>;

function fixed<T, K extends TypeKind>(type: AlgebraicType): () => TypeBuilder<T, K> {
  return () => new TypeBuilder<T, K>({ kind: 'fixed', type });
}

function primitive<T, K extends TypeKind>(kind: PrimitiveKind): () => TypeBuilder<T, K> {
  return fixed<T, K>(primitiveType(kind));
}

function object<F extends FieldsShape>(typeName: string, fields: F): TypeBuilder<InferRow<F>> {
  return new RowBuilder(fields, typeName);
}

function row<R extends RowShape>(columns: R): RowBuilder<R>;
function row<R extends RowShape>(typeName: string, columns: R): RowBuilder<R>;
function row<R extends RowShape>(nameOrColumns: string | R, columns?: R): RowBuilder<R> {
  if (typeof nameOrColumns !== 'string') return new RowBuilder(nameOrColumns, undefined);
  if (columns === undefined) throw new TypeError(`t.row('${nameOrColumns}', …) needs columns`);
  return new RowBuilder(columns, nameOrColumns);
}

function enumeration<const C extends string>(
  typeName: string,
  cases: readonly C[],
): EnumBuilder<Readonly<Record<C, UnitType>>>;
function enumeration<V extends VariantsShape>(typeName: string, variants: V): EnumBuilder<V>;
function enumeration(typeName: string, cases: readonly string[] | VariantsShape): AnyType {
  const variants = Array.isArray(cases)
    ? cases.map((tag: string) => ({ tag, type: t.unit() as AnyType }))
    : Object.entries(cases as VariantsShape).map(([tag, type]) => ({ tag, type }));
  const builder = new TypeBuilder<EnumValue<VariantsShape>, TypeKind>({
    kind: 'sum',
    typeName,
    variants: variants.map(({ tag, type }) => ({ tag, node: type.node })),
  });
  for (const { tag, type } of variants) {
    // A variant called like a modifier (`name`, `default`) gets no constructor; `{ tag: 'name' }` still works.
    if (tag in builder) continue;
    const isUnit = type.node.kind === 'fixed' && type.node.type === UNIT_TYPE;
    const make = isUnit ? Object.freeze({ tag }) : (value: unknown) => ({ tag, value });
    Object.defineProperty(builder, tag, { value: make, enumerable: true });
  }
  return builder;
}

/**
 * The types that columns, parameters and fields are made of.
 *
 * @example
 * const user = table({ public: true }, { id: t.u64().primaryKey().autoInc(), name: t.string().optional() });
 */
export const t = {
  bool: primitive<boolean, 'key'>('bool'),
  string: primitive<string, 'key'>('string'),
  /** A JavaScript number: 64-bit floating point. */
  number: primitive<number, 'plain'>('f64'),
  f32: primitive<number, 'plain'>('f32'),
  f64: primitive<number, 'plain'>('f64'),
  i8: primitive<number, 'integer'>('i8'),
  u8: primitive<number, 'unsigned'>('u8'),
  i16: primitive<number, 'integer'>('i16'),
  u16: primitive<number, 'unsigned'>('u16'),
  i32: primitive<number, 'integer'>('i32'),
  u32: primitive<number, 'unsigned'>('u32'),
  i64: primitive<bigint, 'integer'>('i64'),
  u64: primitive<bigint, 'unsigned'>('u64'),
  i128: primitive<bigint, 'integer'>('i128'),
  u128: primitive<bigint, 'integer'>('u128'),
  i256: primitive<bigint, 'integer'>('i256'),
  u256: primitive<bigint, 'integer'>('u256'),
  identity: fixed<Identity, 'key'>(IDENTITY_TYPE),
  connectionId: fixed<ConnectionId, 'key'>(CONNECTION_ID_TYPE),
  timestamp: fixed<Timestamp, 'key'>(TIMESTAMP_TYPE),
  timeDuration: fixed<TimeDuration, 'key'>(TIME_DURATION_TYPE),
  uuid: fixed<Uuid, 'key'>(UUID_TYPE),
  scheduleAt: fixed<ScheduleAt, 'plain'>(SCHEDULE_AT_TYPE),
  byteArray: fixed<Uint8Array, 'plain'>(arrayType(primitiveType('u8'))),
  /** Nothing: the payload of a plain enum variant. */
  unit: (): UnitType => new TypeBuilder({ kind: 'fixed', type: UNIT_TYPE }),
  /** A nested object with a name of its own. */
  object,
  /** The type of a table's rows, columns with their modifiers. */
  row,
  array: <B extends AnyType>(element: B): TypeBuilder<B['type'][]> =>
    new TypeBuilder({ kind: 'array', element: element.node }),
  /** One of several shapes, `{ tag, value }`; a list of names makes plain ones, `{ tag }`. */
  enum: enumeration,
  /** The value or undefined; the same as `.optional()`. */
  option: <B extends AnyType>(some: B): TypeBuilder<B['type'] | undefined> =>
    new TypeBuilder({ kind: 'option', some: some.node }),
  /** `{ ok }` or `{ err }`. */
  result: <O extends AnyType, E extends AnyType>(
    ok: O,
    err: E,
  ): TypeBuilder<{ ok: O['type'] } | { err: E['type'] }> =>
    new TypeBuilder({ kind: 'result', ok: ok.node, err: err.node }),
  /** A type that is looked up when it is needed, for types that contain themselves. */
  lazy: <B extends AnyType>(thunk: () => B): TypeBuilder<B['type'], B['kind']> =>
    new TypeBuilder({ kind: 'lazy', resolve: () => thunk().node }),
} as const;
