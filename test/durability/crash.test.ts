import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

import { runCrashRounds } from './crash-rounds.js';

it('ten times kill -9 under load: nothing acknowledged is missing, nothing is there twice, nobody saw what was lost', async () => {
  const report = await runCrashRounds(10, 1);
  expect(report.acked).toBeGreaterThan(100);
  expect(report).toMatchObject({ missing: [], repeated: [], unseen: [], halfTransactions: 0 });
}, 120_000);

it('the chat survives kill -9 under load without losing a message that was acknowledged', async () => {
  const chat = {
    database: 'chat',
    reducer: 'send_message',
    table: 'message',
    column: 2,
    // The sender's identity and the time.
    bytesBefore: 40,
    moduleFolder: fileURLToPath(new URL('../../examples/chat', import.meta.url)),
  };
  const report = await runCrashRounds(3, 2, chat);
  expect(report.acked).toBeGreaterThan(30);
  expect(report).toMatchObject({ missing: [], repeated: [], unseen: [] });
}, 120_000);
