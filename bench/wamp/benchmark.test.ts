import { expect, test } from 'vitest';

import { runLoad } from '../framework/run.js';
import { wamp } from './benchmark.js';

// The figures mean nothing here; that both sides start, answer everything and end is what is tested.
test.each(['calls-256', 'events-1x100'])('%s runs on both sides', async (name) => {
  const metric = wamp.metrics.find((candidate) => candidate.name === name);
  for (const contestant of [metric?.ours, metric?.peer]) {
    const result = await runLoad(contestant!, 0.05);
    expect(result.ops).toBeGreaterThan(0);
    expect(result.serverCpuMicrosPerOp).toBeGreaterThan(0);
  }
});
