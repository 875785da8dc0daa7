import { expect, it } from 'vitest';

import { runCrashRounds } from './crash-rounds.js';

it('ten times kill -9 under load: nothing acknowledged is missing, nothing is there twice, nobody saw what was lost', async () => {
  const report = await runCrashRounds(10, 1);
  expect(report.acked).toBeGreaterThan(100);
  expect(report).toMatchObject({ missing: [], repeated: [], unseen: [], halfTransactions: 0 });
}, 120_000);
