import { expect, test } from 'vitest';
import { runLoad } from '../framework/run.js';
import { wampClient } from './benchmark.js';

// The figures mean nothing here; that every client starts, gets right answers and ends is what is tested.
test.each(wampClient.metrics)('$name runs on both sides', async ({ ours, peer }) => {
  for (const contestant of [ours, peer]) {
    const result = await runLoad(contestant, 0.05);
    expect(result.ops).toBeGreaterThan(0);
    expect(result.loadCpuMicrosPerOp).toBeGreaterThan(0);
  }
});
