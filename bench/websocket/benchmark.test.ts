import { expect, test } from 'vitest';

import { runLoad } from '../framework/run.js';
import { websocket } from './benchmark.js';

// The figures mean nothing here; that both sides start, answer everything and end is what is tested.
test.each(['echo-100x1', 'fan-out'])('%s runs on both sides', async (name) => {
  const metric = websocket.metrics.find((candidate) => candidate.name === name);
  for (const contestant of [metric?.ours, metric?.peer]) {
    const result = await runLoad(contestant!, 0.05);
    expect(result.ops).toBeGreaterThan(0);
    expect(result.serverCpuMicrosPerOp).toBeGreaterThan(0);
    expect(result.latencyP99Micros).toBeGreaterThanOrEqual(result.latencyP50Micros);
  }
});
