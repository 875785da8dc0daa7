import { WireError } from '../../base/wire-error.js';
import type { AlgebraicType, ProductType, SumType, Typespace } from '../algebraic-type.js';
import { PRIMITIVE_KINDS } from '../algebraic-type.js';
import type { PrimitiveKind } from '../algebraic-type.js';

/*
 * What can be said of a type before any value of it is seen: sizes, nesting, and whether we take it at all. Schemas
 * come from outside, so everything here is linear in the schema and every recursion is bounded.
 */

/** 256 levels: some 80 items of a list linked through options, and a small part of the smallest stack we run on. */
export const DEPTH_MAX = 256;

/** 65,536 parts in one value besides array elements: types that double at each reference reach it at once. */
export const PARTS_MAX = 65_536;

/** 255: the tag of a sum is one byte, and the reference server takes no more. */
export const VARIANTS_MAX = 255;

/** 256: an element without bytes costs memory but no input, so a count alone must not be able to ask for much. */
export const EMPTY_ELEMENTS_MAX = 256;

/** 32 parts: a reference to something that small and fixed is written out where it stands. */
const INLINE_PARTS_MAX = 32;

export interface Measure {
  /** No value has fewer bytes. */
  readonly minBytes: number;
  /** The bytes of every value, when they all have the same. */
  readonly fixedBytes: number | undefined;
  /** Levels of nesting; a type inside itself counts once. */
  readonly height: number;
  /** Parts of the largest value, counting each array as one element. */
  readonly parts: number;
  /** Numbers, bools, special products, plain enums and products of these: every byte has a place known beforehand. */
  readonly isFlat: boolean;
}

const PRIMITIVE_BYTES: Readonly<Record<PrimitiveKind, number>> = {
  string: 4, bool: 1, i8: 1, u8: 1, i16: 2, u16: 2, i32: 4, u32: 4, i64: 8, u64: 8,
  i128: 16, u128: 16, i256: 32, u256: 32, f32: 4, f64: 8,
}; // prettier-ignore

/** A type met again inside itself: its values are finite only through a sum or an array. */
const INSIDE_ITSELF: Measure = { minBytes: 0, fixedBytes: undefined, height: 0, parts: 1, isFlat: false };

const measuredPrimitives = new Map<string, Measure>(
  PRIMITIVE_KINDS.map((kind) => {
    const fixedBytes = kind === 'string' ? undefined : PRIMITIVE_BYTES[kind];
    const isFlat = kind !== 'string';
    return [kind, { minBytes: PRIMITIVE_BYTES[kind], fixedBytes, height: 0, parts: 1, isFlat }];
  }),
);

/** Measures and checks types of one typespace; throws WireError for a type that we do not take. */
export class TypeMeasurer {
  readonly typespace: Typespace;
  readonly #refs = new Map<number, Measure | 'under way'>();
  readonly #types = new WeakMap<AlgebraicType, Measure>();

  constructor(typespace: Typespace) {
    this.typespace = typespace;
  }

  measure(type: AlgebraicType, depth = 0): Measure {
    const known = measuredPrimitives.get(type.kind) ?? this.#types.get(type);
    if (known !== undefined && depth + known.height <= DEPTH_MAX) return known;
    if (depth > DEPTH_MAX || known !== undefined) throw tooDeepType();
    const measure = this.#measureNew(type, depth);
    // What was seen while one of the types it names was under way is a lower bound, and safe to keep as such.
    this.#types.set(type, measure);
    return measure;
  }

  /** The type behind a reference; throws WireError when there is none. */
  target(ref: number): AlgebraicType {
    const type = this.typespace.types[ref];
    if (type === undefined) {
      const count = this.typespace.types.length;
      throw new WireError('BAD_VALUE', `type reference ${ref} is outside the typespace of ${count} types`, {
        ref,
        count,
      });
    }
    return type;
  }

  /** True when a reference is written out where it stands; others become functions, called with the depth. */
  isInlined(ref: number): boolean {
    const measure = this.measure({ kind: 'ref', ref });
    return measure.isFlat && measure.parts <= INLINE_PARTS_MAX;
  }

  #measureNew(type: AlgebraicType, depth: number): Measure {
    switch (type.kind) {
      case 'array':
        return this.#measureArray(type.element, depth);
      case 'product':
        return this.#measureProduct(type, depth);
      case 'sum':
        return this.#measureSum(type, depth);
      case 'ref':
        return this.#measureRef(type.ref, depth);
      default:
        throw new WireError('BAD_VALUE', `there is no type of kind ${JSON.stringify(type.kind)}`);
    }
  }

  #measureArray(element: AlgebraicType, depth: number): Measure {
    const { height, parts } = this.measure(element, depth + 1);
    return {
      minBytes: 4,
      fixedBytes: undefined,
      height: height + 1,
      parts: checkParts(parts + 1),
      isFlat: false,
    };
  }

  #measureProduct(type: ProductType, depth: number): Measure {
    checkNames(
      type.elements.map((element) => element.property),
      'field',
    );
    const measures = type.elements.map((element) => this.measure(element.type, depth + 1));
    return {
      minBytes: sum(measures.map((m) => m.minBytes)),
      fixedBytes: measures.some((m) => m.fixedBytes === undefined)
        ? undefined
        : sum(measures.map((m) => m.fixedBytes!)),
      height: 1 + Math.max(0, ...measures.map((m) => m.height)),
      parts: checkParts(1 + sum(measures.map((m) => m.parts))),
      isFlat: measures.every((m) => m.isFlat),
    };
  }

  #measureSum(type: SumType, depth: number): Measure {
    checkNames(
      type.variants.map((variant) => variant.tag),
      'variant',
    );
    if (type.variants.length > VARIANTS_MAX) {
      throw new WireError(
        'BAD_LENGTH',
        `a sum has at most ${VARIANTS_MAX} variants, got ${type.variants.length}`,
      );
    }
    const measures = type.variants.map((variant) => this.measure(variant.type, depth + 1));
    const sizes = new Set(measures.map((m) => m.fixedBytes));
    const [size] = sizes;
    return {
      minBytes: 1 + (measures.length === 0 ? 0 : Math.min(...measures.map((m) => m.minBytes))),
      fixedBytes: sizes.size === 1 && size !== undefined ? 1 + size : undefined,
      height: 1 + Math.max(0, ...measures.map((m) => m.height)),
      parts: checkParts(1 + Math.max(0, ...measures.map((m) => m.parts))),
      isFlat: isPlainEnum(type),
    };
  }

  #measureRef(ref: number, depth: number): Measure {
    const known = this.#refs.get(ref);
    if (known === 'under way') return INSIDE_ITSELF;
    if (known !== undefined) {
      if (depth + known.height > DEPTH_MAX) throw tooDeepType();
      return known;
    }
    this.#refs.set(ref, 'under way');
    const inner = this.measure(this.target(ref), depth + 1);
    const measure = { ...inner, height: inner.height + 1 };
    this.#refs.set(ref, measure);
    return measure;
  }
}

/** True for a sum whose variants carry nothing, other than an option or result: `{ tag }`, one byte. */
export function isPlainEnum(type: SumType): boolean {
  return (
    type.variants.length > 0 &&
    type.variants.every((variant) => variant.type.kind === 'product' && variant.type.elements.length === 0) &&
    !['some', 'ok'].includes(type.variants[0]!.name ?? '')
  );
}

/**
 * How many bytes every value of the type has in BSATN, or undefined when they differ.
 *
 * @example
 * fixedSize(productType({ x: primitiveType('f32'), y: primitiveType('f32') })) // 8
 */
export function fixedSize(type: AlgebraicType, typespace: Typespace = { types: [] }): number | undefined {
  return new TypeMeasurer(typespace).measure(type).fixedBytes;
}

function checkNames(names: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    // An object literal with this key would set the prototype instead of a property.
    if (name === '__proto__') throw new WireError('BAD_VALUE', `a ${what} must not be called __proto__`);
    if (seen.has(name)) throw new WireError('BAD_VALUE', `two ${what}s are called ${JSON.stringify(name)}`);
    seen.add(name);
  }
}

function checkParts(parts: number): number {
  if (parts > PARTS_MAX)
    throw new WireError('TOO_DEEP', `a value of this type has more than ${PARTS_MAX} parts`);
  return parts;
}

function tooDeepType(): WireError {
  return new WireError('TOO_DEEP', `the type is nested more than ${DEPTH_MAX} levels deep`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
