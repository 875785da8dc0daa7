import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeReducerRandom } from './reducer-random.js';

const NOW = 1_700_000_000_000_000;

test('the same transaction draws the same numbers, another one others', () => {
  const draw = (micros: number, offset: number): number[] => {
    const random = makeReducerRandom(micros, offset);
    return Array.from({ length: 5 }, () => random());
  };
  expect(draw(NOW, 1)).toEqual(draw(NOW, 1));
  expect(draw(NOW, 1)).not.toEqual(draw(NOW, 2));
  expect(draw(NOW, 1)).not.toEqual(draw(NOW + 1, 1));
});

test('first numbers of neighbouring transactions are spread evenly', () => {
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 10_000; i++) buckets[Math.floor(makeReducerRandom(NOW + i, i)() * 10)]! += 1;
  // 1000 expected each; 5 standard deviations are 150.
  for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test('a range gives all of its values and no others', () => {
  const random = makeReducerRandom(NOW, 1);
  const seen = new Set(Array.from({ length: 500 }, () => random.integerInRange(-2, 3)));
  expect([...seen].toSorted((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3]);
  expect(random.integerInRange(4, 4)).toBe(4);
  expect(() => random.integerInRange(2, 1)).toThrow(/the range is empty/);
  expect(() => random.integerInRange(0.5, 1)).toThrow(/whole numbers/);
});

test('wide ranges stay inside', () => {
  const random = makeReducerRandom(NOW, 1);
  fc.assert(
    fc.property(fc.bigInt(-(1n << 130n), 1n << 130n), fc.bigInt(0n, 1n << 130n), (min, span) => {
      const value = random.bigintInRange(min, min + span);
      return value >= min && value <= min + span;
    }),
  );
});

test('arrays are filled to the last byte', () => {
  const random = makeReducerRandom(NOW, 1);
  const bytes = random.fill(new Uint8Array(1001));
  expect(new Set(bytes).size).toBeGreaterThan(200);
  expect(bytes.subarray(990).some((byte) => byte !== 0)).toBe(true);
  const wide = random.fill(new BigUint64Array(4));
  expect(wide.every((value) => value > 0xffff_ffffn)).toBe(true);
});
