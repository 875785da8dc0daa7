import { EMPTY_TYPESPACE, isUnitType, resolveType } from './algebraic-type.js';
import type { AlgebraicType, PrimitiveKind, ProductType, SumType, Typespace } from './algebraic-type.js';
import { compileCodec, encodeToBytes } from './bsatn/codec.js';
import { isPlainEnum } from './bsatn/measure.js';
import { bigintToKey, bytesToKey } from './integer-bytes.js';
import { optionInner, resultInner, specialProduct } from './special-types.js';
import type { SpecialProduct } from './special-types.js';

/*
 * Column values as keys of a Map: equal keys are equal values. Never a bigint, because V8 hashes only its low 64 bits
 * and whoever chooses the values could make all of them collide.
 *
 * | type                                   | key                                                      |
 * | i8..u32, f32, f64                      | the number; a Map takes NaN for NaN and -0 for 0         |
 * | i64, u64, Timestamp, TimeDuration      | a number up to 2^53, beyond that the decimal digits      |
 * | i128..u256                             | latin1 string of the little-endian bytes                 |
 * | Identity, ConnectionId, Uuid           | their `key`, which is the same                           |
 * | string, bool                           | as they are                                              |
 * | plain enum                             | the tag                                                  |
 * | all others                             | latin1 string of the BSATN bytes                         |
 */

export type Key = number | string | boolean;

/** Makes the function that turns a value of the type into a Map key. */
export function compileKey(
  type: AlgebraicType,
  typespace: Typespace = EMPTY_TYPESPACE,
): (value: unknown) => Key {
  const resolved = resolveType(type, typespace);
  if (resolved.kind === 'product') {
    const special = specialProduct(resolved);
    return special === undefined ? bytesKey(resolved, typespace) : SPECIAL_KEYS[special];
  }
  if (resolved.kind === 'sum' && isPlainEnum(resolved)) return (value) => (value as { tag: string }).tag;
  if (resolved.kind === 'sum' || resolved.kind === 'array') return bytesKey(resolved, typespace);
  return primitiveKey(resolved.kind);
}

const SPECIAL_KEYS: Readonly<Record<SpecialProduct, (value: unknown) => Key>> = {
  identity: (value) => (value as { key: string }).key,
  connectionId: (value) => (value as { key: string }).key,
  uuid: (value) => (value as { key: string }).key,
  timestamp: (value) => integerKey(microsOf(value, '__timestamp_micros_since_unix_epoch__')),
  timeDuration: (value) => integerKey(microsOf(value, '__time_duration_micros__')),
};

function microsOf(value: unknown, field: string): bigint {
  return (value as Record<string, bigint>)[field]!;
}

function primitiveKey(kind: PrimitiveKind): (value: unknown) => Key {
  switch (kind) {
    case 'i64':
    case 'u64':
      return (value) => integerKey(value as bigint);
    case 'i128':
    case 'u128':
      return (value) => bigintToKey(value as bigint, 16);
    case 'i256':
    case 'u256':
      return (value) => bigintToKey(value as bigint, 32);
    case 'f32':
      return (value) => Math.fround(value as number);
    default:
      return (value) => value as Key;
  }
}

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

function integerKey(value: bigint): Key {
  return value <= SAFE_MAX && value >= -SAFE_MAX ? Number(value) : value.toString();
}

function bytesKey(type: AlgebraicType, typespace: Typespace): (value: unknown) => Key {
  const codec = compileCodec(type, typespace);
  const hasFloats = namesFloat(type, typespace, new Set());
  return (value) => {
    const plain = hasFloats ? withPlainFloats(value) : value;
    return bytesToKey(encodeToBytes(codec, plain));
  };
}

function namesFloat(type: AlgebraicType, typespace: Typespace, seen: Set<AlgebraicType>): boolean {
  const resolved = resolveType(type, typespace);
  if (seen.has(resolved)) return false;
  seen.add(resolved);
  if (resolved.kind === 'array') return namesFloat(resolved.element, typespace, seen);
  if (resolved.kind === 'product') return resolved.elements.some((e) => namesFloat(e.type, typespace, seen));
  if (resolved.kind === 'sum') return resolved.variants.some((v) => namesFloat(v.type, typespace, seen));
  return resolved.kind === 'f32' || resolved.kind === 'f64';
}

/** The same value with one zero and one NaN, so that equal floats have equal bytes. */
function withPlainFloats(value: unknown): unknown {
  if (typeof value === 'number') return value === 0 ? 0 : Number.isNaN(value) ? Number.NaN : value;
  if (Array.isArray(value)) return value.map(withPlainFloats);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withPlainFloats(inner)]));
}

export type Compare = (a: unknown, b: unknown) => number;

/**
 * Makes a total order of the type's values, for ordered indexes: negative, zero or positive. Zero exactly when the keys
 * are equal. Integers by value, strings by code point (the order of their UTF-8), floats with NaN last, arrays and
 * products part by part, sums by tag and then by payload (so `none` comes after every `some`, as in the reference).
 */
export function compileCompare(type: AlgebraicType, typespace: Typespace = EMPTY_TYPESPACE): Compare {
  return new CompareBuilder(typespace).build(type);
}

class CompareBuilder {
  readonly #typespace: Typespace;
  readonly #refs = new Map<number, Compare>();

  constructor(typespace: Typespace) {
    this.#typespace = typespace;
  }

  build(type: AlgebraicType): Compare {
    switch (type.kind) {
      case 'ref':
        return this.#ref(type.ref);
      case 'array':
        return compareArrays(this.build(type.element));
      case 'product':
        return this.#product(type);
      case 'sum':
        return this.#sum(type);
      case 'string':
        return compareStrings;
      case 'f32':
      case 'f64':
        return type.kind === 'f32' ? compareSingles : compareFloats;
      default:
        return compareSimple;
    }
  }

  #ref(ref: number): Compare {
    const known = this.#refs.get(ref);
    if (known !== undefined) return known;
    let inner: Compare = compareSimple;
    this.#refs.set(ref, (a, b) => inner(a, b));
    inner = this.build(resolveType({ kind: 'ref', ref }, this.#typespace));
    return inner;
  }

  #product(type: ProductType): Compare {
    const special = specialProduct(type);
    if (special !== undefined) return SPECIAL_COMPARES[special];
    const fields = type.elements.map(({ property, type: inner }) => ({
      property,
      compare: this.build(inner),
    }));
    return (a, b) => {
      for (const { property, compare } of fields) {
        const order = compare((a as Row)[property], (b as Row)[property]);
        if (order !== 0) return order;
      }
      return 0;
    };
  }

  #sum(type: SumType): Compare {
    const some = optionInner(type);
    if (some !== undefined) return compareOptions(this.build(some));
    const result = resultInner(type);
    if (result !== undefined) return compareResults(this.build(result.ok), this.build(result.err));
    const indexes = new Map(type.variants.map(({ tag }, index) => [tag, index]));
    const compares = type.variants.map((variant) =>
      isUnitType(variant.type) ? undefined : this.build(variant.type),
    );
    return (a, b) => {
      const [left, right] = [a as Tagged, b as Tagged];
      const index = indexes.get(left.tag)!;
      const order = index - indexes.get(right.tag)!;
      return order === 0 ? (compares[index]?.(left.value, right.value) ?? 0) : order;
    };
  }
}

type Row = Readonly<Record<string, unknown>>;
type Tagged = { readonly tag: string; readonly value?: unknown };

const SPECIAL_COMPARES: Readonly<Record<SpecialProduct, Compare>> = {
  identity: compareKeyed,
  connectionId: compareKeyed,
  uuid: compareKeyed,
  timestamp: compareMicros('__timestamp_micros_since_unix_epoch__'),
  timeDuration: compareMicros('__time_duration_micros__'),
};

function compareSimple(a: unknown, b: unknown): number {
  const [left, right] = [a as number, b as number];
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareSingles(a: unknown, b: unknown): number {
  return compareFloats(Math.fround(a as number), Math.fround(b as number));
}

function compareFloats(a: unknown, b: unknown): number {
  const [left, right] = [a as number, b as number];
  if (left < right) return -1;
  if (left > right) return 1;
  // Equal, or one of them is NaN.
  return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

/** By code point. UTF-16 units order the same, except that surrogates stand for what comes after U+FFFF. */
function compareStrings(a: unknown, b: unknown): number {
  const [left, right] = [a as string, b as string];
  const size = Math.min(left.length, right.length);
  for (let i = 0; i < size; i++) {
    const [x, y] = [left.charCodeAt(i), right.charCodeAt(i)];
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return left.length - right.length;
}

/** For a pair of different units: a unit from U+E000 up is less than a surrogate, all below U+D800 are less anyway. */
function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xe000;
}

/** Keys hold the least significant byte first. */
function compareKeyed(a: unknown, b: unknown): number {
  const [left, right] = [(a as { key: string }).key, (b as { key: string }).key];
  for (let i = left.length - 1; i >= 0; i--) {
    const order = left.charCodeAt(i) - right.charCodeAt(i);
    if (order !== 0) return order;
  }
  return 0;
}

function compareMicros(field: string): Compare {
  return (a, b) => compareSimple(microsOf(a, field), microsOf(b, field));
}

function compareArrays(element: Compare): Compare {
  return (a, b) => {
    const [left, right] = [a as ArrayLike<unknown>, b as ArrayLike<unknown>];
    const size = Math.min(left.length, right.length);
    for (let i = 0; i < size; i++) {
      const order = element(left[i], right[i]);
      if (order !== 0) return order;
    }
    return left.length - right.length;
  };
}

function compareOptions(some: Compare): Compare {
  return (a, b) => {
    const [isNoneA, isNoneB] = [a === undefined || a === null, b === undefined || b === null];
    return isNoneA || isNoneB ? Number(isNoneA) - Number(isNoneB) : some(a, b);
  };
}

function compareResults(ok: Compare, err: Compare): Compare {
  return (a, b) => {
    const [isErrA, isErrB] = [Object.hasOwn(a as object, 'err'), Object.hasOwn(b as object, 'err')];
    if (isErrA !== isErrB) return isErrA ? 1 : -1;
    return isErrA
      ? err((a as { err: unknown }).err, (b as { err: unknown }).err)
      : ok((a as { ok: unknown }).ok, (b as { ok: unknown }).ok);
  };
}
