import { expect, test } from 'vitest';
import { loadModule } from '../../src/module/load-module.js';
import { generateTypeScript } from '../../src/protocols/spacetimedb/codegen/index.js';
import { readOrUpdate } from '../../src/protocols/spacetimedb/codegen/testing/committed.js';
import { drawPairs } from './keys.js';
import * as bank from './module.js';

test.each(['chorale', 'spacetimedb'] as const)('the bindings for %s are those of the module', (sdk) => {
  for (const [name, text] of generateTypeScript(loadModule(bank).def, { sdk })) {
    expect(readOrUpdate(`bank-${sdk}/${name}`, text), name).toBe(text);
  }
});

test('with a Zipf exponent few accounts are in most transfers', () => {
  const shareOfFirstTen = (zipf: number): number => {
    const pairs = drawPairs(100_000, zipf, 10_000, 1);
    return pairs.filter((account) => account < 10).length / pairs.length;
  };
  expect(shareOfFirstTen(0)).toBeLessThan(0.01);
  // 76 % by the formula for single draws, less as two of a pair differ.
  expect(shareOfFirstTen(1.5)).toBeGreaterThan(0.6);
});
