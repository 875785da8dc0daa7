/*
 * Algebraic types: the shape of every value that is stored, sent or received.
 *
 * | kind                            | JavaScript value                                  | BSATN                        |
 * | bool                            | boolean                                           | 1 byte, 0 or 1               |
 * | i8 u8 i16 u16 i32 u32           | number                                            | 1, 2, 4 bytes LE             |
 * | i64 u64 i128 u128 i256 u256     | bigint                                            | 8, 16, 32 bytes LE           |
 * | f32 f64                         | number                                            | IEEE 754 LE                  |
 * | string                          | string                                            | u32 bytes, UTF-8             |
 * | array                           | array; Uint8Array when the element is u8          | u32 count, elements          |
 * | product                         | object keyed by `property`                        | fields in order              |
 * | sum                             | `{ tag, value }`, `{ tag }` for a unit payload    | u8 tag, payload              |
 * | ref                             | what the type at that place of the typespace is   |                              |
 *
 * Special types are ordinary products and sums recognised by their names (see special-types.ts):
 * Identity, ConnectionId, Timestamp, TimeDuration, Uuid, ScheduleAt, option (value or undefined)
 * and result (`{ ok }` or `{ err }`).
 */

export const PRIMITIVE_KINDS = [
  'string', 'bool', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'i128', 'u128', 'i256', 'u256', 'f32', 'f64',
] as const; // prettier-ignore
export type PrimitiveKind = (typeof PRIMITIVE_KINDS)[number];

export interface ProductElement {
  /** The canonical name: on the wire, in SQL and in JSON. Absent in unnamed products. */
  readonly name: string | undefined;
  /** The property of the JavaScript object; what the module's author wrote. */
  readonly property: string;
  readonly type: AlgebraicType;
}

export interface SumVariant {
  /** The canonical name, used in JSON. */
  readonly name: string | undefined;
  /** The `tag` of the JavaScript value. */
  readonly tag: string;
  readonly type: AlgebraicType;
}

export interface PrimitiveType {
  readonly kind: PrimitiveKind;
}
export interface ArrayType {
  readonly kind: 'array';
  readonly element: AlgebraicType;
}
export interface ProductType {
  readonly kind: 'product';
  readonly elements: readonly ProductElement[];
}
export interface SumType {
  readonly kind: 'sum';
  readonly variants: readonly SumVariant[];
}
export interface RefType {
  readonly kind: 'ref';
  readonly ref: number;
}

export type AlgebraicType = PrimitiveType | ArrayType | ProductType | SumType | RefType;

/** The named types of a module: what `ref` points into. */
export interface Typespace {
  readonly types: readonly AlgebraicType[];
}

export const EMPTY_TYPESPACE: Typespace = { types: [] };

/** A product whose names on the wire and in JavaScript are the same. */
export function productType(fields: Readonly<Record<string, AlgebraicType>>): ProductType {
  return {
    kind: 'product',
    elements: Object.entries(fields).map(([name, type]) => ({ name, property: name, type })),
  };
}

/** A sum whose names on the wire and in JavaScript are the same. */
export function sumType(variants: Readonly<Record<string, AlgebraicType>>): SumType {
  return {
    kind: 'sum',
    variants: Object.entries(variants).map(([name, type]) => ({ name, tag: name, type })),
  };
}

export function arrayType(element: AlgebraicType): ArrayType {
  return { kind: 'array', element };
}

export function primitiveType(kind: PrimitiveKind): PrimitiveType {
  return { kind };
}

export const UNIT_TYPE: ProductType = { kind: 'product', elements: [] };

/** True for the product without fields, the payload of a plain enum variant. */
export function isUnitType(type: AlgebraicType): boolean {
  return type.kind === 'product' && type.elements.length === 0;
}

export function resolveType(type: AlgebraicType, typespace: Typespace): Exclude<AlgebraicType, RefType> {
  let current = type;
  // A chain of refs longer than the typespace is a cycle of refs.
  for (let hops = 0; hops <= typespace.types.length; hops++) {
    if (current.kind !== 'ref') return current;
    const next: AlgebraicType | undefined = typespace.types[current.ref];
    if (next === undefined)
      throw new RangeError(
        `type reference ${current.ref} is outside the typespace of ${typespace.types.length}`,
      );
    current = next;
  }
  throw new RangeError('a type that is only a reference to itself has no values');
}
