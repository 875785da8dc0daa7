import { resolveType } from '../../values/algebraic-type.js';
import type { AlgebraicType, PrimitiveKind, Typespace } from '../../values/algebraic-type.js';
import { optionInner, specialProduct } from '../../values/special-types.js';

/*
 * What SQL can compare. A comparand is what stands for a value in comparisons: a number, bigint, string or boolean, so
 * that `===` and `<` do most of the work.
 *
 * | kind       | column types                          | comparand                                   | order     |
 * | bool       | bool                                  | boolean                                     | `<`       |
 * | integer    | i8 … u32                              | number                                      | `<`       |
 * | bigInteger | i64 … u256                            | bigint                                      | `<`       |
 * | float      | f32 f64                               | number; NaN is one value, the greatest      | own       |
 * | string     | string                                | string                                      | as UTF-8  |
 * | bytes      | array<u8>                             | latin1 string of the bytes                  | `<`       |
 * | identity   | Identity                              | latin1 string of the big-endian bytes       | `<`       |
 * | …          | ConnectionId, Uuid                    | likewise                                    | `<`       |
 * | timestamp  | Timestamp                             | bigint of microseconds                      | `<`       |
 */

export type ComparableKind =
  | 'bool'
  | 'integer'
  | 'bigInteger'
  | 'float'
  | 'string'
  | 'bytes'
  | 'identity'
  | 'connectionId'
  | 'uuid'
  | 'timestamp';

export type Comparand = number | bigint | string | boolean;

const PRIMITIVE_KINDS: Readonly<Record<PrimitiveKind, ComparableKind>> = {
  bool: 'bool',
  i8: 'integer',
  u8: 'integer',
  i16: 'integer',
  u16: 'integer',
  i32: 'integer',
  u32: 'integer',
  i64: 'bigInteger',
  u64: 'bigInteger',
  i128: 'bigInteger',
  u128: 'bigInteger',
  i256: 'bigInteger',
  u256: 'bigInteger',
  f32: 'float',
  f64: 'float',
  string: 'string',
};

/** Undefined for types that can be stored and returned, but not compared. */
export function comparableKind(type: AlgebraicType, typespace: Typespace): ComparableKind | undefined {
  const resolved = resolveType(type, typespace);
  switch (resolved.kind) {
    case 'product': {
      const special = specialProduct(resolved);
      return special === 'timeDuration' ? undefined : special;
    }
    case 'array':
      return resolveType(resolved.element, typespace).kind === 'u8' ? 'bytes' : undefined;
    case 'sum':
      return undefined;
    default:
      return PRIMITIVE_KINDS[resolved.kind];
  }
}

const SPECIAL_NAMES = {
  identity: 'Identity',
  connectionId: 'ConnectionId',
  timestamp: 'Timestamp',
  timeDuration: 'TimeDuration',
  uuid: 'Uuid',
};

/** A type as messages name it: `U8`, `String`, `Identity`, `Array<U8>`, `Option<String>`, `Product`, `Sum`. */
export function typeName(type: AlgebraicType, typespace: Typespace, depth = 0): string {
  const resolved = resolveType(type, typespace);
  // Types may be recursive; four levels are enough to recognise one.
  if (depth > 4) return '…';
  switch (resolved.kind) {
    case 'product': {
      const special = specialProduct(resolved);
      return special === undefined ? 'Product' : SPECIAL_NAMES[special];
    }
    case 'array':
      return `Array<${typeName(resolved.element, typespace, depth + 1)}>`;
    case 'sum': {
      const inner = optionInner(resolved);
      return inner === undefined ? 'Sum' : `Option<${typeName(inner, typespace, depth + 1)}>`;
    }
    default:
      return resolved.kind[0]!.toUpperCase() + resolved.kind.slice(1);
  }
}
