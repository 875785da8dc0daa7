import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayType, primitiveType, productType, sumType, UNIT_TYPE } from './algebraic-type.js';
import type { AlgebraicType } from './algebraic-type.js';
import { Identity } from './identity.js';
import { compileCompare, compileKey } from './key.js';
import { IDENTITY_TYPE, optionType, resultType, SCHEDULE_AT_TYPE } from './special-types.js';
import { arbitraryType, primitiveValues } from './testing/arbitrary-type.js';
import { ScheduleAt } from './timestamp.js';

const f64 = primitiveType('f64');
const i32 = primitiveType('i32');
const string = primitiveType('string');

const pairs = arbitraryType.chain(({ type, values }) =>
  fc.tuple(values, values, values).map(([a, b, c]) => ({ type, a, b, c })),
);

function sorted(type: AlgebraicType, values: unknown[]): unknown[] {
  return values.toSorted(compileCompare(type));
}

describe('compileKey', () => {
  it('never makes a bigint', () => {
    fc.assert(
      fc.property(pairs, ({ type, a }) => {
        expect(['number', 'string', 'boolean']).toContain(typeof compileKey(type)(a));
      }),
    );
  });

  it('gives 64-bit integers on both sides of 2^53 different keys', () => {
    const key = compileKey(primitiveType('u64'));
    const values = Array.from({ length: 64 }, (_, i) => (1n << 53n) - 32n + BigInt(i));
    expect(new Set(values.map(key)).size).toBe(64);
    expect(key(5n)).toBe(5);
    expect(key((1n << 64n) - 1n)).toBe('18446744073709551615');
  });

  it('takes one zero and one NaN, also inside a product', () => {
    const inside = compileKey(productType({ x: f64 }));
    expect(inside({ x: -0 })).toBe(inside({ x: 0 }));
    expect(new Map([[compileKey(f64)(Number.NaN), 1]]).get(compileKey(f64)(-Number.NaN))).toBe(1);
    expect(new Map([[compileKey(f64)(-0), 1]]).get(compileKey(f64)(0))).toBe(1);
  });

  it('rounds to f32 what is looked up in a column of f32', () => {
    const key = compileKey(primitiveType('f32'));
    expect(key(0.1)).toBe(key(Math.fround(0.1)));
  });

  it('10,000 wide integers with equal low 64 bits cost as much as with different ones', () => {
    const key = compileKey(primitiveType('u256'));
    const timeOf = (makeValue: (i: bigint) => bigint): number => {
      const values = Array.from({ length: 10_000 }, (_, i) => makeValue(BigInt(i)));
      const start = performance.now();
      const map = new Map(values.map((value) => [key(value), value]));
      expect(map.size).toBe(10_000);
      return performance.now() - start;
    };
    const best = (makeValue: (i: bigint) => bigint): number =>
      Math.min(...Array.from({ length: 3 }, () => timeOf(makeValue)));
    // Bigint keys need a hundred times as long when they collide; 20 leaves room for a busy machine.
    expect(best((i) => (i << 64n) | 7n)).toBeLessThan(
      20 *
        Math.max(
          2,
          best((i) => (i << 64n) | i),
        ),
    );
  });
});

describe('compileCompare', () => {
  it('is zero exactly when the keys are equal', () => {
    fc.assert(
      fc.property(pairs, ({ type, a, b }) => {
        const [key, compare] = [compileKey(type), compileCompare(type)];
        expect(compare(a, b) === 0).toBe(key(a) === key(b) || (Number.isNaN(key(a)) && Number.isNaN(key(b))));
        expect(compare(a, a)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('is a total order', () => {
    fc.assert(
      fc.property(pairs, ({ type, a, b, c }) => {
        const compare = compileCompare(type);
        expect(Math.sign(compare(a, b)) + Math.sign(compare(b, a))).toBe(0);
        const [low, middle, high] = [a, b, c].toSorted(compare);
        expect(compare(low, middle)).toBeLessThanOrEqual(0);
        expect(compare(low, high)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });

  it('orders strings as their UTF-8 bytes', () => {
    const utf8 = new TextEncoder();
    const text = fc.string({ unit: 'binary', maxLength: 6 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const bytes = Math.sign(
          compileCompare(arrayType(primitiveType('u8')))(utf8.encode(a), utf8.encode(b)),
        );
        expect(Math.sign(compileCompare(string)(a, b))).toBe(bytes);
      }),
      { numRuns: 1000 },
    );
    expect(sorted(string, ['\u{1f600}', '\uffee', 'z'])).toEqual(['z', '\uffee', '\u{1f600}']);
  });

  it('orders integers and identities by value', () => {
    fc.assert(
      fc.property(primitiveValues('u256'), primitiveValues('u256'), (a, b) => {
        const [left, right] = [a as bigint, b as bigint];
        const order = left < right ? -1 : left > right ? 1 : 0;
        expect(compileCompare(primitiveType('u256'))(a, b)).toBe(order);
        expect(Math.sign(compileCompare(IDENTITY_TYPE)(new Identity(left), new Identity(right)))).toBe(order);
      }),
    );
  });

  it('puts NaN last and none last', () => {
    expect(sorted(f64, [Number.NaN, Infinity, -0, -Infinity])).toEqual([-Infinity, -0, Infinity, Number.NaN]);
    expect(compileCompare(optionType(i32))(undefined, 5)).toBe(1);
    expect(compileCompare(optionType(i32))(null, undefined)).toBe(0);
  });

  it('orders products and sums part by part', () => {
    const point = productType({ x: i32, y: i32 });
    expect(compileCompare(point)({ x: 1, y: 9 }, { x: 2, y: 0 })).toBe(-1);
    const shape = sumType({ Dot: UNIT_TYPE, Line: optionType(i32) });
    expect(compileCompare(shape)({ tag: 'Line', value: 3 }, { tag: 'Dot' })).toBe(1);
    expect(compileCompare(shape)({ tag: 'Line', value: undefined }, { tag: 'Line', value: 3 })).toBe(1);
    expect(compileCompare(resultType(i32, i32))({ ok: 9 }, { err: 1 })).toBe(-1);
    expect(compileCompare(SCHEDULE_AT_TYPE)(ScheduleAt.interval(9n), ScheduleAt.time(1n))).toBe(-1);
  });
});
