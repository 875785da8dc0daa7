import { expect, test } from 'vitest';

import type { Metric } from '../framework/benchmark.js';
import { runLoad } from '../framework/run.js';
import { wamp } from './benchmark.js';
import { checkLimit } from './memory-run.js';

// The figures mean nothing here; that both sides start, answer everything rightly and end is what is tested.

function find(name: string): Metric {
  return wamp.metrics.find((candidate) => candidate.name === name)!;
}

test.each(['calls-256', 'events-1x100', 'acknowledged-64', 'progress', 'churn'])(
  '%s runs on both sides',
  async (name) => {
    const { ours, peer } = find(name);
    for (const contestant of [ours, peer]) {
      const result = await runLoad(contestant, 0.05);
      expect(result.ops).toBeGreaterThan(0);
      expect(result.serverCpuMicrosPerOp).toBeGreaterThan(0);
    }
  },
);

test('who does not read is held to the limit, which is looked at', async () => {
  const metric = find('progress-unread');
  const result = await metric.run!(metric.ours, 0.05);
  expect(result.extra['unread']).toBeGreaterThan(0);
  expect(result.extra['held KB']).toBeGreaterThan(1000);
  expect(() => checkLimit('held', 4000, 4000)).not.toThrow();
  expect(() => checkLimit('held', 4001, 4000)).toThrow('the router held 4001 bytes, more than 4000');
});
