import {
  arrayType,
  PRIMITIVE_KINDS,
  primitiveType,
  productType,
  sumType,
  UNIT_TYPE,
} from '../../../../values/algebraic-type.js';
import type { AlgebraicType, PrimitiveKind, RefType, Typespace } from '../../../../values/algebraic-type.js';
import { optionType } from '../../../../values/special-types.js';

/*
 * Module definitions as values: the types of RawModuleDefV9 and RawModuleDefV10. One description gives both the JSON of
 * `/schema` and the BSATN that modules describe themselves with. Field and variant order is the wire's.
 */

/** In the order of their tags. */
const PRIMITIVE_NAMES: Readonly<Record<PrimitiveKind, string>> = {
  string: 'String',
  bool: 'Bool',
  i8: 'I8',
  u8: 'U8',
  i16: 'I16',
  u16: 'U16',
  i32: 'I32',
  u32: 'U32',
  i64: 'I64',
  u64: 'U64',
  i128: 'I128',
  u128: 'U128',
  i256: 'I256',
  u256: 'U256',
  f32: 'F32',
  f64: 'F64',
};

export const STRING = primitiveType('string');
export const BOOL = primitiveType('bool');
export const U16 = primitiveType('u16');
export const U32 = primitiveType('u32');
export const I128 = primitiveType('i128');
export const BYTES = arrayType(primitiveType('u8'));
export const COLUMNS = arrayType(U16);

const units = (...names: readonly string[]): AlgebraicType =>
  sumType(Object.fromEntries(names.map((name) => [name, UNIT_TYPE])));

/** Where AlgebraicType stands, which contains itself. */
export const ALGEBRAIC_TYPE: RefType = { kind: 'ref', ref: 0 };

const named = productType({ name: optionType(STRING), algebraic_type: ALGEBRAIC_TYPE });

export const PRODUCT_TYPE = productType({ elements: arrayType(named) });

/** What `ALGEBRAIC_TYPE` points into. */
export const RAW_TYPESPACE: Typespace = {
  types: [
    sumType({
      Ref: U32,
      Sum: productType({ variants: arrayType(named) }),
      Product: PRODUCT_TYPE,
      Array: ALGEBRAIC_TYPE,
      ...Object.fromEntries(PRIMITIVE_KINDS.map((kind) => [PRIMITIVE_NAMES[kind], UNIT_TYPE])),
    }),
  ],
};

export const TYPESPACE = productType({ types: arrayType(ALGEBRAIC_TYPE) });
export const INDEX_ALGORITHM = sumType({ BTree: COLUMNS, Hash: COLUMNS, Direct: U16 });
export const CONSTRAINT_DATA = sumType({ Unique: productType({ columns: COLUMNS }) });
export const LIFECYCLE = units('Init', 'OnConnect', 'OnDisconnect');
export const TABLE_TYPE = units('System', 'User');
export const TABLE_ACCESS = units('Public', 'Private');
export const VISIBILITY = units('Private', 'ClientCallable');
export const CASE_CONVERSION = units('None', 'SnakeCase');
export const NOTHING = arrayType(UNIT_TYPE);

/** A type as a value of `ALGEBRAIC_TYPE`. `nameOf` chooses between the canonical name and the author's. */
export function describeType(type: AlgebraicType, nameOf: NameOf): unknown {
  switch (type.kind) {
    case 'ref':
      return { tag: 'Ref', value: type.ref };
    case 'array':
      return { tag: 'Array', value: describeType(type.element, nameOf) };
    case 'product':
      return { tag: 'Product', value: { elements: describeParts(type.elements, nameOf) } };
    case 'sum': {
      const variants = type.variants.map(({ name, tag, type: inner }) => ({
        name,
        property: tag,
        type: inner,
      }));
      return { tag: 'Sum', value: { variants: describeParts(variants, nameOf) } };
    }
    default:
      return { tag: PRIMITIVE_NAMES[type.kind] };
  }
}

interface Part {
  readonly name: string | undefined;
  readonly property: string;
  readonly type: AlgebraicType;
}

export type NameOf = (part: Part) => string | undefined;

export const canonicalName: NameOf = ({ name }) => name;

export function describeParts(parts: readonly Part[], nameOf: NameOf): unknown[] {
  return parts.map((part) => ({ name: nameOf(part), algebraic_type: describeType(part.type, nameOf) }));
}
