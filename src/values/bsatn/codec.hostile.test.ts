import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../base/byte-reader.js';
import { ByteWriter } from '../../base/byte-writer.js';
import { WireError } from '../../base/wire-error.js';
import { arrayType, primitiveType, productType, sumType, UNIT_TYPE } from '../algebraic-type.js';
import type { AlgebraicType, Typespace } from '../algebraic-type.js';
import { IDENTITY_TYPE, optionType, resultType } from '../special-types.js';
import { arbitraryType, typeAndValue } from '../testing/arbitrary-type.js';
import { compileCodec, decodeFromBytes, encodeToBytes } from './codec.js';
import { generateSource } from './generate.js';
import { fixedSize, TypeMeasurer } from './measure.js';

const u8 = primitiveType('u8');
const u32 = primitiveType('u32');
const string = primitiveType('string');
const ref = (index: number): AlgebraicType => ({ kind: 'ref', ref: index });
const both = [{ codegen: true }, { codegen: false }];

function errorOf(action: () => unknown): WireError {
  try {
    action();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The value, or the code of the WireError; anything else thrown fails the test. */
function outcome(type: AlgebraicType, bytes: Uint8Array, options: { codegen: boolean }): unknown {
  try {
    return { value: decodeFromBytes(compileCodec(type, undefined, options), bytes) };
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
}

/** The same value, or a WireError each: where several things are wrong, a run's bounds are looked at first. */
function expectSameOutcome(type: AlgebraicType, bytes: Uint8Array): void {
  const [generated, closures] = both.map((options) => outcome(type, bytes, options));
  if (typeof generated === 'string') expect(closures).toBeTypeOf('string');
  else expect(closures).toEqual(generated);
}

describe('bytes from outside', () => {
  it('random bytes are a value or a WireError, the same for both engines', () => {
    fc.assert(
      fc.property(arbitraryType, fc.uint8Array({ maxLength: 200 }), ({ type }, bytes) => {
        expectSameOutcome(type, bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('a value cut at any length is a WireError', () => {
    fc.assert(
      fc.property(typeAndValue, ({ type, value }) => {
        const codec = compileCodec(type);
        const bytes = encodeToBytes(codec, value);
        for (let size = 0; size < Math.min(bytes.length, 300); size++) {
          expect(errorOf(() => decodeFromBytes(codec, bytes.subarray(0, size)))).toBeInstanceOf(WireError);
        }
        const longer = new Uint8Array(bytes.length + 1);
        longer.set(bytes);
        expect(errorOf(() => decodeFromBytes(codec, longer)).code).toBe('TRAILING_BYTES');
      }),
      { numRuns: 200 },
    );
  });

  it('a value with one byte changed is a value or a WireError, the same for both engines', () => {
    fc.assert(
      fc.property(typeAndValue, fc.nat(), fc.integer({ min: 0, max: 255 }), ({ type, value }, at, byte) => {
        const bytes = encodeToBytes(compileCodec(type), value);
        if (bytes.length > 0) bytes[at % bytes.length] = byte;
        expectSameOutcome(type, bytes);
      }),
      { numRuns: 300 },
    );
  });

  it.each(both)('lengths that lie cost nothing %j', (options) => {
    const message = new Uint8Array(20).fill(0xff, 0, 4);
    const types = [
      arrayType(u8), arrayType(u32), arrayType(string), arrayType(arrayType(u8)), string, arrayType(IDENTITY_TYPE),
      arrayType(optionType(u8)), arrayType(productType({ a: u32, b: string })),
    ]; // prettier-ignore
    for (const type of types) expect(outcome(type, message, options)).toBe('SHORT_READ');
  });

  it.each(both)('an array of empty elements has at most 256 %j', (options) => {
    const type = arrayType(productType({ a: UNIT_TYPE }));
    const codec = compileCodec(type, undefined, options);
    const count = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
    expect(decodeFromBytes(codec, count(256))).toHaveLength(256);
    expect(outcome(type, count(257), options)).toBe('BAD_LENGTH');
    expect(outcome(type, count(0xffff_ffff), options)).toBe('BAD_LENGTH');
    const values = (n: number): unknown => Array.from({ length: n }, () => ({ a: {} }));
    expect(encodeToBytes(codec, values(256))).toHaveLength(4);
    expect(errorOf(() => encodeToBytes(codec, values(257))).code).toBe('BAD_LENGTH');
  });

  it.each(both)('bools, tags and UTF-8 are strict %j', (options) => {
    expect(outcome(primitiveType('bool'), Uint8Array.of(2), options)).toBe('BAD_BOOL');
    expect(outcome(productType({ a: primitiveType('bool') }), Uint8Array.of(255), options)).toBe('BAD_BOOL');
    expect(outcome(sumType({ A: UNIT_TYPE, B: UNIT_TYPE }), Uint8Array.of(2), options)).toBe('BAD_TAG');
    expect(outcome(sumType({ A: UNIT_TYPE, B: u8 }), Uint8Array.of(2), options)).toBe('BAD_TAG');
    expect(outcome(optionType(u8), Uint8Array.of(2), options)).toBe('BAD_TAG');
    expect(outcome(resultType(u8, u8), Uint8Array.of(2, 0), options)).toBe('BAD_TAG');
    for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
      expect(outcome(string, Uint8Array.of(bad.length, 0, 0, 0, ...bad), options)).toBe('BAD_UTF8');
    }
  });
});

describe('values that do not fit', () => {
  const player = productType({
    name: string,
    level: u8,
    at: IDENTITY_TYPE,
    scores: arrayType(primitiveType('i64')),
    state: sumType({ Idle: UNIT_TYPE, Busy: productType({ until: u32 }) }),
  });
  const good = {
    name: 'ada',
    level: 1,
    at: { __identity__: 5n },
    scores: [1n],
    state: { tag: 'Busy', value: { until: 1 } },
  };
  const bad: readonly (readonly [object, string, string])[] = [
    [{ name: 5 }, 'BAD_VALUE', 'player.name: expected string, got number'],
    [{ name: undefined }, 'BAD_VALUE', 'player.name: expected string, got undefined'],
    [{ level: 256 }, 'OUT_OF_RANGE', 'player.level: 256 is not a whole number in the range of u8'],
    [{ level: 1.5 }, 'OUT_OF_RANGE', 'player.level: 1.5 is not a whole number in the range of u8'],
    [{ level: '1' }, 'BAD_VALUE', 'player.level: expected number (u8), got string'],
    [{ level: 1n }, 'BAD_VALUE', 'player.level: expected number (u8), got bigint'],
    [{ at: 'c200' }, 'BAD_VALUE', 'player.at: expected Identity, got string'],
    [{ at: { __identity__: -1n } }, 'BAD_VALUE', 'player.at: expected Identity, got object'],
    [{ at: null }, 'BAD_VALUE', 'player.at: expected Identity, got null'],
    [{ scores: [1n, 2] }, 'BAD_VALUE', 'player.scores[1]: expected bigint (i64), got number'],
    [
      { scores: [1n << 63n] },
      'OUT_OF_RANGE',
      'player.scores[0]: 9223372036854775808 is not a whole number in the range of i64',
    ],
    [{ scores: null }, 'BAD_VALUE', 'player.scores: expected array, got null'],
    [
      { state: { tag: 'Gone' } },
      'BAD_TAG',
      'player.state: expected one of the variants Idle, Busy, got "Gone"',
    ],
    [{ state: 'Idle' }, 'BAD_VALUE', 'player.state: expected { tag, value }, got string'],
    [{ state: { tag: 'Busy' } }, 'BAD_VALUE', 'player.state.Busy: expected object, got undefined'],
    [
      { state: { tag: 'Busy', value: { until: -1 } } },
      'OUT_OF_RANGE',
      'player.state.Busy.until: -1 is not a whole number in the range of u32',
    ],
  ];

  it.each(both)('name their place, and leave the writer as it was %j', (options) => {
    const codec = compileCodec(player, undefined, { ...options, name: 'player' });
    const writer = new ByteWriter();
    writer.writeU8(7);
    for (const [change, code, message] of bad) {
      const error = errorOf(() => codec.encode(writer, { ...good, ...change }));
      expect([error.code, error.message]).toEqual([code, message]);
      expect(writer.length).toBe(1);
    }
    codec.encode(writer, good);
  });

  it.each(both)(
    'of every integer type: the ends of the range are taken, one past them is not %j',
    (options) => {
      for (const bits of [8, 16, 32, 64, 128, 256]) {
        for (const sign of ['i', 'u']) {
          const codec = compileCodec(primitiveType(`${sign}${bits}` as 'u8'), undefined, options);
          const min = sign === 'u' ? 0n : -(1n << BigInt(bits - 1));
          const max = min + (1n << BigInt(bits)) - 1n;
          const asValue = (value: bigint): unknown => (bits > 32 ? value : Number(value));
          for (const value of [min, max]) {
            expect(decodeFromBytes(codec, encodeToBytes(codec, asValue(value)))).toBe(asValue(value));
          }
          for (const value of [min - 1n, max + 1n]) {
            expect(errorOf(() => encodeToBytes(codec, asValue(value))).code).toBe('OUT_OF_RANGE');
          }
        }
      }
    },
  );

  it('a value of another type is refused, or is one of this type too, by both engines alike', () => {
    fc.assert(
      fc.property(arbitraryType, typeAndValue, ({ type }, { value }) => {
        const results = both.map((options) => {
          try {
            return encodeToBytes(compileCodec(type, undefined, options), value);
          } catch (error) {
            return (error as WireError).code;
          }
        });
        expect(results[0]).toEqual(results[1]);
        expect(results[0]).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });

  it('a result with both sides or none is refused', () => {
    const codec = compileCodec(resultType(u8, u8));
    expect(errorOf(() => encodeToBytes(codec, { ok: 1, err: 2 }))).toBeInstanceOf(WireError);
    expect(errorOf(() => encodeToBytes(codec, {}))).toBeInstanceOf(WireError);
  });

  it('a getter that encodes something itself does no harm', () => {
    const codec = compileCodec(productType({ a: u8, b: arrayType(u8) }));
    const inner = compileCodec(u32);
    const value = { a: 1, get b() { return encodeToBytes(inner, 9); } }; // prettier-ignore
    expect([...encodeToBytes(codec, value)]).toEqual([1, 4, 0, 0, 0, 9, 0, 0, 0]);
  });
});

describe('recursive types', () => {
  /** 0: a tree, 1: its list of children as an option. */
  const typespace: Typespace = { types: [productType({ value: u32, next: optionType(ref(0)) })] };
  const list = (items: number): unknown => {
    let node: unknown;
    for (let i = 0; i < items; i++) node = { value: i, next: node };
    return node;
  };
  const listBytes = (items: number): Uint8Array =>
    Uint8Array.from({ length: items * 5 }, (_, i) => (i === items * 5 - 1 ? 1 : 0));

  it.each(both)('take 256 levels and no more %j', (options) => {
    const codec = compileCodec(ref(0), typespace, options);
    const value = list(129);
    expect(decodeFromBytes(codec, encodeToBytes(codec, value))).toEqual(value);
    expect(decodeFromBytes(codec, listBytes(129))).toBeDefined();
    expect(errorOf(() => decodeFromBytes(codec, listBytes(130))).code).toBe('TOO_DEEP');
    expect(errorOf(() => encodeToBytes(codec, list(130))).code).toBe('TOO_DEEP');
  });

  it.each(both)('a value inside itself is refused %j', (options) => {
    const node: { value: number; next: unknown } = { value: 1, next: undefined };
    node.next = node;
    expect(errorOf(() => encodeToBytes(compileCodec(ref(0), typespace, options), node)).code).toBe(
      'TOO_DEEP',
    );
  });

  it.each(both)('two types may name each other, through arrays and sums %j', (options) => {
    const json: Typespace = {
      types: [
        sumType({ Null: UNIT_TYPE, Text: string, List: arrayType(ref(0)), Object: arrayType(ref(1)) }),
        productType({ key: string, value: ref(0) }),
      ],
    };
    const value = {
      tag: 'Object',
      value: [{ key: 'a', value: { tag: 'List', value: [{ tag: 'Null' }, { tag: 'Text', value: 'x' }] } }],
    };
    const codec = compileCodec(ref(0), json, options);
    expect(decodeFromBytes(codec, encodeToBytes(codec, value))).toEqual(value);
  });

  it.each(both)('a type that has no finite value is refused when a value comes %j', (options) => {
    const codec = compileCodec(ref(0), { types: [productType({ a: ref(0), b: ref(0) })] }, options);
    expect(errorOf(() => decodeFromBytes(codec, new Uint8Array(8))).code).toBe('TOO_DEEP');
  });
});

describe('hostile schemas', () => {
  it('names never become code', () => {
    const evil = [
      '"]; globalThis.broken = 1; ["',
      '`${globalThis.broken = 1}`',
      '\u2028*/globalThis.broken=1/*',
      "\\'",
    ];
    for (const name of evil) {
      const type = productType({
        [name]: sumType({ [name]: u8, b: UNIT_TYPE }),
        [`${name}2`]: sumType({ [name]: UNIT_TYPE }),
      });
      const codec = compileCodec(type);
      const value = { [name]: { tag: name, value: 1 }, [`${name}2`]: { tag: name } };
      expect(decodeFromBytes(codec, encodeToBytes(codec, value))).toEqual(value);
    }
    expect(Reflect.get(globalThis, 'broken')).toBeUndefined();
  });

  it('a field __proto__ is refused, and so are two fields of one name', () => {
    const named = (...names: string[]): AlgebraicType => ({
      kind: 'product',
      elements: names.map((name) => ({ name, property: name, type: u32 })),
    });
    expect(errorOf(() => compileCodec(named('__proto__'))).message).toBe(
      'a field must not be called __proto__',
    );
    expect(errorOf(() => compileCodec(named('a', 'b', 'a'))).message).toBe('two fields are called "a"');
    expect(decodeFromBytes(compileCodec(named('constructor')), Uint8Array.of(1, 0, 0, 0))).toEqual({
      ['constructor']: 1,
    });
  });

  it('types that double at each reference are refused before they cost anything', () => {
    const types = Array.from({ length: 60 }, (_, i) => productType({ a: ref(i + 1), b: ref(i + 1) }));
    expect(errorOf(() => compileCodec(ref(0), { types: [...types, UNIT_TYPE] })).code).toBe('TOO_DEEP');
  });

  it('chains of references and nested arrays are bounded', () => {
    const chain = Array.from({ length: 10_000 }, (_, i) => productType({ a: ref(i + 1) }));
    expect(errorOf(() => compileCodec(ref(0), { types: [...chain, UNIT_TYPE] })).code).toBe('TOO_DEEP');
    const nested = (levels: number): AlgebraicType => {
      let type: AlgebraicType = string;
      for (let i = 0; i < levels; i++) type = arrayType(type);
      return type;
    };
    for (const options of both) {
      const codec = compileCodec(nested(256), undefined, options);
      expect(decodeFromBytes(codec, encodeToBytes(codec, []))).toEqual([]);
      expect(errorOf(() => compileCodec(nested(257), undefined, options)).code).toBe('TOO_DEEP');
    }
  });

  it('references go somewhere, sums have at most 255 variants, kinds are known', () => {
    expect(errorOf(() => compileCodec(ref(0))).message).toBe(
      'type reference 0 is outside the typespace of 0 types',
    );
    const wide = (count: number): AlgebraicType =>
      sumType(Object.fromEntries(Array.from({ length: count }, (_, i) => [`v${i}`, UNIT_TYPE])));
    expect(decodeFromBytes(compileCodec(wide(255)), Uint8Array.of(254))).toEqual({ tag: 'v254' });
    expect(errorOf(() => compileCodec(wide(256))).code).toBe('BAD_LENGTH');
    expect(errorOf(() => compileCodec({ kind: 'u7' as 'u8' })).code).toBe('BAD_VALUE');
    expect(errorOf(() => compileCodec({ kind: 'ref', ref: '0; evil()' as unknown as number })).code).toBe(
      'BAD_VALUE',
    );
  });
});

describe('generated code', () => {
  it('checks the bounds of a run of fixed fields once', () => {
    const row = productType({
      a: u32,
      b: IDENTITY_TYPE,
      c: productType({ d: u8, e: primitiveType('bool') }),
    });
    const source = generateSource(row, new TypeMeasurer({ types: [] }));
    expect(source.match(/r\.need\(/g)).toHaveLength(1);
    expect(source.match(/w\.reserve\(38\)/g)).toHaveLength(1);
  });

  it('writes each referenced type once', () => {
    const types = [productType({ a: string }), productType({ b: ref(0), c: ref(0), d: arrayType(ref(0)) })];
    const source = generateSource(ref(1), new TypeMeasurer({ types }));
    expect(source.match(/function decode0\(/g)).toHaveLength(1);
  });
});

describe('fixedSize', () => {
  it('is the size of every value', () => {
    fc.assert(
      fc.property(typeAndValue, ({ type, value }) => {
        const size = fixedSize(type);
        fc.pre(size !== undefined);
        expect(encodeToBytes(compileCodec(type), value)).toHaveLength(size!);
      }),
    );
    expect(fixedSize(productType({ x: primitiveType('f32'), y: primitiveType('f32') }))).toBe(8);
    expect(fixedSize(sumType({ A: u8, B: primitiveType('i8') }))).toBe(2);
    expect(fixedSize(optionType(u8))).toBeUndefined();
    expect(fixedSize(string)).toBeUndefined();
  });

  it('a reader may stand on a part of a larger buffer, also of a Buffer', () => {
    const bytes = Buffer.from([9, 9, 5, 0, 0, 0, 9]);
    const codec = compileCodec(productType({ a: u32 }));
    expect(codec.decode(new ByteReader(bytes.subarray(2, 6)))).toEqual({ a: 5 });
  });
});
