import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

import { createServer } from '../../src/server/create-server.js';
import { runCrashRounds, withCrashServer } from './crash-rounds.js';
import { ledgerModule } from './ledger-module.js';
import { LEDGER, readLedger } from './wire-client.js';

it('ten times kill -9 under load: nothing acknowledged is missing, nothing is there twice, nobody saw or was refused for what was lost', async () => {
  const report = await runCrashRounds(10, 1);
  expect(report.acked).toBeGreaterThan(100);
  expect(report.refused).toBeGreaterThan(20);
  expect(report).toMatchObject({ missing: [], repeated: [], unseen: [], unfounded: [], halfTransactions: 0 });
}, 120_000);

it('the same with rows of 8 KiB, whose batches go to the disk by whole blocks', async () => {
  const report = await runCrashRounds(5, 3, { ...LEDGER, keyBytes: 8192 });
  expect(report.acked).toBeGreaterThan(100);
  expect(report).toMatchObject({ missing: [], repeated: [], unseen: [] });
}, 120_000);

it('a second process is refused at once with the pid of the first, and let in when that is killed', async () => {
  await withCrashServer(async ({ child }, dataDirectory) => {
    const databases = { ledger: ledgerModule() };
    await expect(createServer({ dataDirectory, databases })).rejects.toThrow(`(pid ${child.pid})`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await using server = await createServer({ dataDirectory, databases, onNotice: () => {} });
    expect(await readLedger(server.url)).toEqual({ keys: [], total: 0 });
  });
});

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
