import { encodeHex } from '../../base/hex.js';
import { EMPTY_TYPESPACE, isUnitType } from '../algebraic-type.js';
import type {
  AlgebraicType,
  ArrayType,
  PrimitiveKind,
  ProductType,
  SumType,
  Typespace,
} from '../algebraic-type.js';
import { explainMismatch } from '../bsatn/explain-mismatch.js';
import { DEPTH_MAX, TypeMeasurer } from '../bsatn/measure.js';
import {
  failDepth,
  failMismatch,
  isPrimitive,
  isSpecialValue,
  resultTag,
  SPECIALS,
} from '../bsatn/primitives.js';
import { optionInner, resultInner, specialProduct } from '../special-types.js';

/*
 * SATS-JSON, written. Typed is for readers who see names, untyped for rows whose type travels beside them. A third form,
 * `row`, has products as in the first and sums as in the second: what rows are in messages of v1.json.
 *
 * | type              | typed                          | untyped             |
 * | bool, string      | as JSON has them               | the same            |
 * | up to 128 bits    | bare integer, all digits       | the same            |
 * | 256 bits          | "0x" and hexadecimal digits    | the same            |
 * | f32, f64          | number; null for NaN, Infinity | the same            |
 * | array             | array; of u8: hexadecimal text | the same            |
 * | product           | {"name":value}                 | [value]             |
 * | sum               | {"variant":payload}            | [tag,payload]       |
 * | product of nothing| []                             | []                  |
 *
 * Special types are the products and sums they are: Identity {"__identity__":"0x…"} or ["0x…"], some(5) {"some":5} or
 * [0,5], none {"none":[]} or [1,[]]. Names are the canonical ones, or the position where there is none.
 */

export type JsonForm = 'typed' | 'untyped' | 'row';

export interface EncodeJsonOptions {
  readonly form: JsonForm;
  readonly typespace?: Typespace;
}

/**
 * The JSON text of a value. Throws WireError, naming the place, when the value does not fit the type.
 *
 * @example
 * encodeJson(productType({ id: primitiveType('u64') }), { id: 2n ** 64n - 1n }, { form: 'typed' })
 * // '{"id":18446744073709551615}'
 */
export function encodeJson(type: AlgebraicType, value: unknown, options: EncodeJsonOptions): string {
  const measurer = new TypeMeasurer(options.typespace ?? EMPTY_TYPESPACE);
  measurer.measure(type);
  try {
    return new JsonEncoder(measurer, options.form).encode(type, value, 0);
  } catch (error) {
    throw explainMismatch(type, value, measurer, '') ?? error;
  }
}

class JsonEncoder {
  readonly #measurer: TypeMeasurer;
  readonly #namesFields: boolean;
  readonly #namesVariants: boolean;

  constructor(measurer: TypeMeasurer, form: JsonForm) {
    this.#measurer = measurer;
    this.#namesFields = form !== 'untyped';
    this.#namesVariants = form === 'typed';
  }

  encode(type: AlgebraicType, value: unknown, depth: number): string {
    switch (type.kind) {
      case 'ref':
        if (depth > DEPTH_MAX) failDepth();
        return this.encode(this.#measurer.target(type.ref), value, depth);
      case 'array':
        return this.#array(type, value, depth);
      case 'product':
        return this.#product(type, value, depth);
      case 'sum':
        return this.#sum(type, value, depth);
      default:
        return encodePrimitive(type.kind, value);
    }
  }

  #array(type: ArrayType, value: unknown, depth: number): string {
    if (type.element.kind === 'u8' && value instanceof Uint8Array) return `"${encodeHex(value)}"`;
    if (!Array.isArray(value)) failMismatch();
    if (type.element.kind === 'u8') return this.#bytes(value as readonly unknown[]);
    const items = (value as readonly unknown[]).map((item) => this.encode(type.element, item, depth + 1));
    return `[${items.join(',')}]`;
  }

  #bytes(value: readonly unknown[]): string {
    if (!value.every((byte) => isPrimitive('u8', byte))) failMismatch();
    return `"${encodeHex(Uint8Array.from(value as readonly number[]))}"`;
  }

  #product(type: ProductType, value: unknown, depth: number): string {
    const special = specialProduct(type);
    if (special !== undefined) {
      if (!isSpecialValue(special, value)) failMismatch();
      const { field } = SPECIALS[special];
      const inner = this.encode(type.elements[0]!.type, (value as Record<string, unknown>)[field], depth + 1);
      return this.#namesFields ? `{"${field}":${inner}}` : `[${inner}]`;
    }
    if (isUnitType(type)) {
      if (typeof value !== 'object' && value !== undefined) failMismatch();
      return '[]';
    }
    if (typeof value !== 'object' || value === null) failMismatch();
    const row = value as Record<string, unknown>;
    const fields = type.elements.map(({ name, property, type: inner }, i) => {
      const text = this.encode(inner, row[property], depth + 1);
      return this.#namesFields ? `${JSON.stringify(name ?? String(i))}:${text}` : text;
    });
    return this.#namesFields ? `{${fields.join(',')}}` : `[${fields.join(',')}]`;
  }

  #sum(type: SumType, value: unknown, depth: number): string {
    const { index, payload } = openSum(type, value);
    const variant = type.variants[index]!;
    const text = isUnitType(variant.type) ? '[]' : this.encode(variant.type, payload, depth + 1);
    return this.#namesVariants
      ? `{${JSON.stringify(variant.name ?? String(index))}:${text}}`
      : `[${index},${text}]`;
  }
}

/** Which variant a JavaScript value is, and its payload. */
export function openSum(type: SumType, value: unknown): { index: number; payload: unknown } {
  if (optionInner(type) !== undefined) {
    return value === undefined || value === null ? { index: 1, payload: {} } : { index: 0, payload: value };
  }
  if (typeof value !== 'object' || value === null) return failMismatch();
  if (resultInner(type) !== undefined) {
    const tag = resultTag(value);
    return { index: tag === 'ok' ? 0 : 1, payload: Reflect.get(value, tag) };
  }
  const tag: unknown = Reflect.get(value, 'tag');
  const index = type.variants.findIndex((variant) => variant.tag === tag);
  return index < 0 ? failMismatch() : { index, payload: Reflect.get(value, 'value') };
}

function encodePrimitive(kind: PrimitiveKind, value: unknown): string {
  if (!isPrimitive(kind, value)) failMismatch();
  switch (kind) {
    case 'string':
      return JSON.stringify(value);
    case 'f32':
      return encodeFloat(shortestSingle(value as number));
    case 'f64':
      return encodeFloat(value as number);
    case 'i256':
    case 'u256':
      return `"${encodeHexInteger(value as bigint)}"`;
    default:
      return String(value);
  }
}

/** JSON has -0, which JSON.stringify does not say, but neither NaN nor Infinity. */
export function encodeFloat(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The number with the fewest digits that is the same f32: 0.1, not 0.10000000149011612. */
function shortestSingle(value: number): number {
  const single = Math.fround(value);
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(single.toPrecision(digits));
    if (Math.fround(shorter) === single) return shorter;
  }
  return single;
}

function encodeHexInteger(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
