import { expect, test } from 'vitest';

import { Latencies } from './latencies.js';

test('quantiles are within 1.2 % of the exact ones', () => {
  const latencies = new Latencies();
  for (let micros = 1; micros <= 10_000; micros++) latencies.add(micros);
  for (const share of [0.1, 0.5, 0.99, 1]) {
    expect(Math.abs(latencies.quantile(share) / (share * 10_000) - 1)).toBeLessThan(0.012);
  }
  expect(latencies.count).toBe(10_000);
});

test('nothing measured is 0, and what is off the scale counts at its ends', () => {
  const latencies = new Latencies();
  expect(latencies.quantile(0.5)).toBe(0);
  latencies.add(0, 2);
  latencies.add(1e12);
  expect(latencies.quantile(0.5)).toBeLessThan(1.1);
  expect(latencies.quantile(1)).toBeGreaterThan(9e7);
});
