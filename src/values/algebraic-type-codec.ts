import type { ByteReader } from '../base/byte-reader.js';
import type { ByteWriter } from '../base/byte-writer.js';
import { WireError } from '../base/wire-error.js';
import type { AlgebraicType, PrimitiveKind, Typespace } from './algebraic-type.js';
import { DEPTH_MAX, VARIANTS_MAX } from './bsatn/measure.js';
import type { JsonValue } from './sats-json/parse-json.js';

/*
 * Types as values: how a schema travels.
 *
 * | BSATN tag | type    | payload                                       | SATS-JSON                                |
 * | 0         | ref     | u32                                           | {"Ref":0}                                |
 * | 1         | sum     | array of { option<string> name, type }        | {"Sum":{"variants":[…]}}                 |
 * | 2         | product | array of { option<string> name, type }        | {"Product":{"elements":[…]}}             |
 * | 3         | array   | type                                          | {"Array":…}                              |
 * | 4..19     | String, Bool, I8, U8, I16, U16, I32, U32, I64, U64, I128, U128, I256, U256, F32, F64 | {"U64":[]} |
 *
 * In JSON an element is {"name":{"some":"x"},"algebraic_type":…}, without a name {"name":{"none":[]},…}. A typespace is
 * { types: array of type }. The wire knows only canonical names: decoded types have them as properties too, and an
 * element without one has its position.
 */

const TAG_REF = 0;
const TAG_SUM = 1;
const TAG_PRODUCT = 2;
const TAG_ARRAY = 3;
const TAG_FIRST_PRIMITIVE = 4;

/** In the order of their tags. */
const PRIMITIVES: readonly (readonly [PrimitiveKind, string])[] = [
  ['string', 'String'], ['bool', 'Bool'], ['i8', 'I8'], ['u8', 'U8'], ['i16', 'I16'], ['u16', 'U16'], ['i32', 'I32'],
  ['u32', 'U32'], ['i64', 'I64'], ['u64', 'U64'], ['i128', 'I128'], ['u128', 'U128'], ['i256', 'I256'],
  ['u256', 'U256'], ['f32', 'F32'], ['f64', 'F64'],
]; // prettier-ignore

const TAG_BY_KIND = new Map(PRIMITIVES.map(([kind], i) => [kind, i + TAG_FIRST_PRIMITIVE]));
const JSON_BY_KIND = new Map(PRIMITIVES);
const KIND_BY_JSON = new Map(PRIMITIVES.map(([kind, json]) => [json, kind]));

interface Named {
  readonly name: string | undefined;
  readonly type: AlgebraicType;
}

export function encodeAlgebraicType(writer: ByteWriter, type: AlgebraicType, depth = 0): void {
  checkDepth(depth);
  switch (type.kind) {
    case 'ref':
      writer.writeU8(TAG_REF);
      return writer.writeU32(type.ref);
    case 'sum':
      writer.writeU8(TAG_SUM);
      return encodeNamed(writer, type.variants, depth);
    case 'product':
      writer.writeU8(TAG_PRODUCT);
      return encodeNamed(writer, type.elements, depth);
    case 'array':
      writer.writeU8(TAG_ARRAY);
      return encodeAlgebraicType(writer, type.element, depth + 1);
    default:
      return writer.writeU8(TAG_BY_KIND.get(type.kind)!);
  }
}

function encodeNamed(writer: ByteWriter, parts: readonly Named[], depth: number): void {
  writer.writeU32(parts.length);
  for (const { name, type } of parts) {
    writer.writeU8(name === undefined ? 1 : 0);
    if (name !== undefined) writer.writeString(name);
    encodeAlgebraicType(writer, type, depth + 1);
  }
}

/** Throws WireError for bytes that are not a type, or one nested too deep. References are not followed here. */
export function decodeAlgebraicType(reader: ByteReader, depth = 0): AlgebraicType {
  checkDepth(depth);
  const tag = reader.readU8();
  switch (tag) {
    case TAG_REF:
      return { kind: 'ref', ref: reader.readU32() };
    case TAG_SUM:
      return sumOf(decodeNamed(reader, depth));
    case TAG_PRODUCT:
      return productOf(decodeNamed(reader, depth));
    case TAG_ARRAY:
      return { kind: 'array', element: decodeAlgebraicType(reader, depth + 1) };
    default: {
      const primitive = PRIMITIVES[tag - TAG_FIRST_PRIMITIVE];
      if (primitive !== undefined) return { kind: primitive[0] };
      throw new WireError('BAD_TAG', `there is no type with tag ${tag}, at offset ${reader.offset - 1}`, {
        tag,
        offset: reader.offset - 1,
      });
    }
  }
}

function decodeNamed(reader: ByteReader, depth: number): Named[] {
  const count = reader.readU32();
  // The shortest part is a missing name and the tag of a type.
  reader.need(count * 2);
  return Array.from({ length: count }, () => ({
    name: decodeName(reader),
    type: decodeAlgebraicType(reader, depth + 1),
  }));
}

function decodeName(reader: ByteReader): string | undefined {
  const tag = reader.readU8();
  if (tag > 1) {
    throw new WireError('BAD_TAG', `an option is 0 or 1, got ${tag} at offset ${reader.offset - 1}`, { tag });
  }
  return tag === 0 ? reader.readString() : undefined;
}

export function encodeTypespace(writer: ByteWriter, typespace: Typespace): void {
  writer.writeU32(typespace.types.length);
  for (const type of typespace.types) encodeAlgebraicType(writer, type);
}

export function decodeTypespace(reader: ByteReader): Typespace {
  const count = reader.readU32();
  reader.need(count);
  return { types: Array.from({ length: count }, () => decodeAlgebraicType(reader)) };
}

/** For `JSON.stringify`: there is no bigint in it. */
export function algebraicTypeToJson(type: AlgebraicType, depth = 0): JsonValue {
  checkDepth(depth);
  switch (type.kind) {
    case 'ref':
      return { Ref: type.ref };
    case 'sum':
      return { Sum: { variants: namedToJson(type.variants, depth) } };
    case 'product':
      return { Product: { elements: namedToJson(type.elements, depth) } };
    case 'array':
      return { Array: algebraicTypeToJson(type.element, depth + 1) };
    default:
      return { [JSON_BY_KIND.get(type.kind)!]: [] };
  }
}

function namedToJson(parts: readonly Named[], depth: number): JsonValue[] {
  return parts.map(({ name, type }) => ({
    name: name === undefined ? { none: [] } : { some: name },
    algebraic_type: algebraicTypeToJson(type, depth + 1),
  }));
}

export function typespaceToJson(typespace: Typespace): JsonValue {
  return { types: typespace.types.map((type) => algebraicTypeToJson(type)) };
}

export function algebraicTypeFromJson(json: JsonValue, depth = 0): AlgebraicType {
  checkDepth(depth);
  const [tag, payload] = onlyEntry(json);
  const kind = KIND_BY_JSON.get(tag);
  if (kind !== undefined) return { kind };
  switch (tag) {
    case 'Ref':
      if (typeof payload !== 'number' || payload >>> 0 !== payload) throw badJson('a reference is a u32');
      return { kind: 'ref', ref: payload };
    case 'Sum':
      return sumOf(namedFromJson(payload, 'variants', depth));
    case 'Product':
      return productOf(namedFromJson(payload, 'elements', depth));
    case 'Array':
      return { kind: 'array', element: algebraicTypeFromJson(payload, depth + 1) };
    default:
      throw badJson(`there is no type ${JSON.stringify(tag.slice(0, 80))}`);
  }
}

function namedFromJson(payload: JsonValue, field: string, depth: number): Named[] {
  const parts = fieldOf(payload, field);
  if (!Array.isArray(parts)) throw badJson(`${field} is an array`);
  return parts.map((part) => ({
    name: nameFromJson(fieldOf(part, 'name')),
    type: algebraicTypeFromJson(fieldOf(part, 'algebraic_type'), depth + 1),
  }));
}

function nameFromJson(json: JsonValue): string | undefined {
  if (json === null) return undefined;
  const [tag, payload] = onlyEntry(json);
  if (tag === 'none') return undefined;
  if (tag !== 'some' || typeof payload !== 'string') throw badJson('a name is {"some":text} or {"none":[]}');
  return payload;
}

export function typespaceFromJson(json: JsonValue): Typespace {
  const types = fieldOf(json, 'types');
  if (!Array.isArray(types)) throw badJson('types is an array');
  return { types: types.map((type) => algebraicTypeFromJson(type)) };
}

function fieldOf(json: JsonValue, name: string): JsonValue {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  const value = isObject && Object.hasOwn(json, name) ? json[name] : undefined;
  if (value === undefined) throw badJson(`${name} is missing`);
  return value;
}

function onlyEntry(json: JsonValue): readonly [string, JsonValue] {
  const entries =
    typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.entries(json) : [];
  const [first, ...more] = entries;
  if (first === undefined || more.length > 0) throw badJson('a type is an object with one key');
  return first;
}

function sumOf(parts: readonly Named[]): AlgebraicType {
  if (parts.length > VARIANTS_MAX) {
    throw new WireError('BAD_LENGTH', `a sum has at most ${VARIANTS_MAX} variants, got ${parts.length}`);
  }
  return {
    kind: 'sum',
    variants: parts.map(({ name, type }, i) => ({ name, tag: name ?? String(i), type })),
  };
}

function productOf(parts: readonly Named[]): AlgebraicType {
  return {
    kind: 'product',
    elements: parts.map(({ name, type }, i) => ({ name, property: name ?? String(i), type })),
  };
}

function checkDepth(depth: number): void {
  if (depth > DEPTH_MAX)
    throw new WireError('TOO_DEEP', `a type is nested more than ${DEPTH_MAX} levels deep`);
}

function badJson(text: string): WireError {
  return new WireError('BAD_VALUE', `not an algebraic type: ${text}`);
}
