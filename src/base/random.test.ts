import { describe, expect, it } from 'vitest';

import { systemRandom } from './random.js';

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('random bytes of the system', () => {
  it('are never given out twice, not even in part', () => {
    const sizes = Array.from({ length: 600 }, (_, i) => [16, 15, 64, 65, 20, 200][i % 6]!);
    const given = sizes.map((size) => hexOf(systemRandom.fill(new Uint8Array(size)))).join('');
    const windows = new Set<string>();
    // Eight octets that came before, at any place: a chance of 1 in 10^10.
    for (let at = 0; at <= given.length - 16; at += 2) windows.add(given.slice(at, at + 16));
    expect(windows.size).toBe(given.length / 2 - 7);
  });

  it('fill what was asked for and nothing beside it', () => {
    for (const size of [0, 1, 63, 64, 65, 50_000]) {
      const around = new Uint8Array(size + 20);
      const target = around.subarray(10, size + 10);
      expect(systemRandom.fill(target)).toBe(target);
      expect(hexOf(around.subarray(0, 10)) + hexOf(around.subarray(size + 10))).toBe('00'.repeat(20));
    }
  });

  it('are of all values at every place', () => {
    const values = Array.from({ length: 16 }, () => new Set<number>());
    // That one of 4096 is missing in the end has a chance of 1 in 10^13.
    for (let i = 0; i < 10_000; i++)
      systemRandom.fill(new Uint8Array(16)).forEach((value, at) => values[at]!.add(value));
    expect(values.map(({ size }) => size)).toEqual(Array.from({ length: 16 }, () => 256));
  });
});
