import { closestWord } from '../../base/closest-word.js';
import { decodeHex } from '../../base/hex.js';
import { WireError } from '../../base/wire-error.js';
import { EMPTY_TYPESPACE, isUnitType } from '../algebraic-type.js';
import type {
  AlgebraicType,
  ArrayType,
  PrimitiveKind,
  ProductType,
  SumType,
  Typespace,
} from '../algebraic-type.js';
import { DEPTH_MAX, EMPTY_ELEMENTS_MAX, TypeMeasurer } from '../bsatn/measure.js';
import { isPrimitive } from '../bsatn/primitives.js';
import { ConnectionId, Identity } from '../identity.js';
import { optionInner, resultInner, specialProduct } from '../special-types.js';
import type { SpecialProduct } from '../special-types.js';
import { TimeDuration, Timestamp } from '../timestamp.js';
import { Uuid } from '../uuid.js';
import { parseJson } from './parse-json.js';
import type { JsonValue, ParseJsonOptions } from './parse-json.js';

/*
 * SATS-JSON, read. Takes both forms of encode-json.ts wherever they may stand, and besides
 *
 * | type            | also                                                                    |
 * | array of u8     | an array of numbers                                                     |
 * | 256 bits        | a bare integer; decimal digits as text; 0x digits with a minus          |
 * | product         | an object with the names that the module's author wrote                 |
 * | sum             | {"tag":payload}, {"0":payload}, [0,payload]                             |
 * | option          | null for none; a field that is absent is none                           |
 */

/**
 * The value of a JSON text. Throws WireError with the position in the text or the path to the value.
 *
 * @example
 * decodeJson(productType({ id: primitiveType('u64') }), '[18446744073709551615]') // { id: 18446744073709551615n }
 */
export function decodeJson(
  type: AlgebraicType,
  text: string,
  typespace: Typespace = EMPTY_TYPESPACE,
  options: ParseJsonOptions = {},
): unknown {
  return valueFromJson(type, parseJson(text, options), typespace);
}

/** The value of JSON that `parseJson` has read; `path` is what errors call it. */
export function valueFromJson(
  type: AlgebraicType,
  json: JsonValue,
  typespace: Typespace = EMPTY_TYPESPACE,
  path = '',
): unknown {
  const measurer = new TypeMeasurer(typespace);
  measurer.measure(type);
  return new JsonDecoder(measurer).decode(type, json, { path, depth: 0 });
}

interface Place {
  readonly path: string;
  readonly depth: number;
}

class JsonDecoder {
  readonly #measurer: TypeMeasurer;

  constructor(measurer: TypeMeasurer) {
    this.#measurer = measurer;
  }

  decode(type: AlgebraicType, json: JsonValue, place: Place): unknown {
    switch (type.kind) {
      case 'ref':
        if (place.depth > DEPTH_MAX) {
          throw failAt(place, 'TOO_DEEP', `the value is nested more than ${DEPTH_MAX} levels deep`);
        }
        return this.decode(this.#measurer.target(type.ref), json, place);
      case 'array':
        return this.#array(type, json, place);
      case 'product':
        return this.#product(type, json, place);
      case 'sum':
        return this.#sum(type, json, place);
      default:
        return decodePrimitive(type.kind, json, place);
    }
  }

  #array(type: ArrayType, json: JsonValue, place: Place): unknown {
    if (type.element.kind === 'u8' && typeof json === 'string') {
      return decodeHex(json) ?? fail(place, 'hexadecimal digits', json);
    }
    if (!Array.isArray(json))
      return fail(place, type.element.kind === 'u8' ? 'hexadecimal text or array' : 'array', json);
    if (this.#measurer.measure(type.element).minBytes === 0 && json.length > EMPTY_ELEMENTS_MAX) {
      throw failAt(place, 'BAD_LENGTH', `an array of empty elements has at most ${EMPTY_ELEMENTS_MAX}`);
    }
    const items = json.map((item, i) => this.decode(type.element, item, inside(place, `[${i}]`)));
    return type.element.kind === 'u8' ? Uint8Array.from(items as number[]) : items;
  }

  #product(type: ProductType, json: JsonValue, place: Place): unknown {
    if (typeof json !== 'object' || json === null) return fail(place, 'object or array', json);
    const parts = Array.isArray(json) ? listedParts(type, json, place) : namedParts(type, json, place);
    const values = type.elements.map((element, i) => {
      const part = parts[i];
      const at = inside(place, `.${element.name ?? i}`);
      if (part !== undefined) return this.decode(element.type, part, at);
      if (this.#isOption(element.type)) return undefined;
      throw failAt(at, 'BAD_VALUE', 'is missing');
    });
    const special = specialProduct(type);
    if (special !== undefined) return MAKE_SPECIAL[special](values[0] as bigint);
    return Object.fromEntries(type.elements.map(({ property }, i) => [property, values[i]]));
  }

  #isOption(type: AlgebraicType): boolean {
    let resolved = type;
    for (let hops = 0; resolved.kind === 'ref' && hops < DEPTH_MAX; hops++)
      resolved = this.#measurer.target(resolved.ref);
    return resolved.kind === 'sum' && optionInner(resolved) !== undefined;
  }

  #sum(type: SumType, json: JsonValue, place: Place): unknown {
    const isOption = optionInner(type) !== undefined;
    if (isOption && json === null) return undefined;
    const { index, payload } = openSum(type, json, place);
    const variant = type.variants[index]!;
    const value = this.decode(variant.type, payload, inside(place, `.${variant.name ?? index}`));
    if (isOption) return index === 0 ? value : undefined;
    if (resultInner(type) !== undefined) return index === 0 ? { ok: value } : { err: value };
    return isUnitType(variant.type) ? { tag: variant.tag } : { tag: variant.tag, value };
  }
}

function listedParts(type: ProductType, json: readonly JsonValue[], place: Place): readonly JsonValue[] {
  if (
    json.length > type.elements.length ||
    (type.elements.length > 0 && json.length < type.elements.length)
  ) {
    throw failAt(place, 'BAD_LENGTH', `expected ${type.elements.length} parts, got ${json.length}`);
  }
  return json;
}

/** The parts in the order of the type. A name that the type does not know is an error: it is most often a slip. */
function namedParts(
  type: ProductType,
  json: { readonly [name: string]: JsonValue },
  place: Place,
): (JsonValue | undefined)[] {
  const indexes = new Map<string, number>();
  type.elements.forEach(({ property }, i) => indexes.set(property, i));
  type.elements.forEach(({ name }, i) => indexes.set(name ?? String(i), i));
  const parts: (JsonValue | undefined)[] = type.elements.map(() => undefined);
  for (const [name, part] of Object.entries(json)) {
    const index = indexes.get(name);
    if (index === undefined) throw unknownName(place, 'field', name, indexes.keys());
    if (parts[index] !== undefined)
      throw failAt(place, 'BAD_VALUE', `the field ${quote(name)} is given twice`);
    parts[index] = part;
  }
  return parts;
}

function openSum(type: SumType, json: JsonValue, place: Place): { index: number; payload: JsonValue } {
  if (typeof json !== 'object' || json === null)
    return fail(place, '{"variant":payload} or [tag,payload]', json);
  const [key, payload, ...more] = Array.isArray(json) ? json : Object.entries(json).flat();
  if (key === undefined || payload === undefined || more.length > 0) {
    return fail(place, 'one variant, {"variant":payload} or [tag,payload]', json);
  }
  const index = Array.isArray(json) ? key : variantIndex(type, key as string);
  if (typeof index !== 'number' || type.variants[index] === undefined) {
    const names = type.variants.map((variant, i) => variant.name ?? String(i));
    throw unknownName(place, 'variant', typeof key === 'object' ? 'of that kind' : String(key), names);
  }
  return { index, payload };
}

function variantIndex(type: SumType, name: string): number {
  const byName = type.variants.findIndex((variant) => variant.name === name);
  if (byName >= 0) return byName;
  const byTag = type.variants.findIndex((variant) => variant.tag === name);
  if (byTag >= 0) return byTag;
  return /^(0|[1-9][0-9]{0,2})$/.test(name) ? Number(name) : -1;
}

function decodePrimitive(kind: PrimitiveKind, json: JsonValue, place: Place): unknown {
  switch (kind) {
    case 'string':
      return typeof json === 'string' ? json : fail(place, 'string', json);
    case 'bool':
      return typeof json === 'boolean' ? json : fail(place, 'boolean', json);
    case 'f32':
    case 'f64':
      return decodeFloat(kind, json, place);
    default:
      return decodeInteger(kind, json, place);
  }
}

function decodeFloat(kind: 'f32' | 'f64', json: JsonValue, place: Place): number {
  if (typeof json !== 'number' && typeof json !== 'bigint') return fail(place, `number (${kind})`, json);
  return kind === 'f32' ? Math.fround(Number(json)) : Number(json);
}

function decodeInteger(kind: PrimitiveKind, json: JsonValue, place: Place): number | bigint {
  const bits = Number(kind.slice(1));
  const whole = bits === 256 && typeof json === 'string' ? parseWide(json) : json;
  if (typeof whole !== 'number' && typeof whole !== 'bigint') return fail(place, `integer (${kind})`, json);
  const isExact = typeof whole === 'bigint' || Number.isSafeInteger(whole);
  // Minus zero is a zero among the integers.
  const value = !isExact ? undefined : bits > 32 ? BigInt(whole) : Number(whole) + 0;
  if (value === undefined || !isPrimitive(kind, value)) {
    throw failAt(
      place,
      'OUT_OF_RANGE',
      `${String(whole).slice(0, 80)} is not a whole number in the range of ${kind}`,
    );
  }
  return value;
}

/** At most 80 digits: 256 bits have 78, and BigInt takes ever longer for longer texts. */
function parseWide(text: string): bigint | undefined {
  const match = /^(-?)(0x[0-9a-f]{1,80}|[0-9]{1,80})$/i.exec(text);
  if (match === null) return undefined;
  return match[1] === '-' ? -BigInt(match[2]!) : BigInt(match[2]!);
}

const MAKE_SPECIAL: Readonly<Record<SpecialProduct, (value: bigint) => unknown>> = {
  identity: (value) => new Identity(value),
  connectionId: (value) => new ConnectionId(value),
  uuid: (value) => new Uuid(value),
  timestamp: (value) => new Timestamp(value),
  timeDuration: (value) => new TimeDuration(value),
};

function inside(place: Place, step: string): Place {
  return { path: place.path + step, depth: place.depth + 1 };
}

function fail(place: Place, expected: string, got: JsonValue): never {
  const what = got === null ? 'null' : Array.isArray(got) ? 'array' : typeof got;
  throw failAt(place, 'BAD_VALUE', `expected ${expected}, got ${what}`);
}

function unknownName(place: Place, what: string, name: string, known: Iterable<string>): WireError {
  const hint = closestWord(name, known);
  const question = hint === undefined ? '' : ` (did you mean ${quote(hint)}?)`;
  return failAt(place, 'BAD_TAG', `there is no ${what} ${quote(name)}${question}`);
}

function failAt(
  place: Place,
  code: 'BAD_VALUE' | 'BAD_LENGTH' | 'BAD_TAG' | 'OUT_OF_RANGE' | 'TOO_DEEP',
  text: string,
): WireError {
  const path = place.path.replace(/^\./, '').slice(0, 200);
  return new WireError(code, path === '' ? text : `${path}: ${text}`, { path });
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}
