import { expect, it, onTestFinished } from 'vitest';

import { readBackup, writeFromBackup } from '../../src/engine/log/backup-file.js';
import { SimulatedDisk } from '../../src/engine/log/simulated-disk.js';
import { createServer } from '../../src/server/create-server.js';
import { SimulatedFolders } from '../sim/simulated-folders.js';
import { ledgerModule } from './ledger-module.js';
import { readLedger, WireClient } from './wire-client.js';

it('a backup that is made under load holds all that was acknowledged before it, and a prefix of the rest', async () => {
  const folders = new SimulatedFolders();
  const databases = { ledger: ledgerModule() };
  const server = await createServer({ folders, databases, onNotice: () => {} });
  onTestFinished(() => server.close({ drainMs: 0 }));
  const writer = await WireClient.connect(server.url);
  let next = 0;
  const asked: string[] = [];
  const put = (): void => {
    asked.push(`k${next++}`);
    writer.put(asked.at(-1)!);
  };
  writer.onAcked = put;
  for (let i = 0; i < 8; i++) put();
  await expect.poll(() => writer.acked.length).toBeGreaterThan(50);

  const before = [...writer.acked];
  const { identity } = server.database('ledger')!;
  const pieces: Uint8Array[] = [];
  for await (const piece of readBackup(folders.only.mount(), identity.key)) {
    pieces.push(piece);
    const { length } = writer.acked;
    // Others go on between any two pieces.
    await expect.poll(() => writer.acked.length, { interval: 1 }).toBeGreaterThan(length);
  }
  writer.close();

  const shelf = new SimulatedDisk();
  shelf.setContent('backup', Buffer.concat(pieces));
  const restored = new SimulatedFolders();
  const file = await shelf.mount().open('backup', { writable: false, writeThrough: false });
  await writeFromBackup(file, () => restored.open(identity.toHexString()));
  const again = await createServer({ folders: restored, databases, onNotice: () => {} });
  onTestFinished(() => again.close({ drainMs: 0 }));
  const { keys, total } = await readLedger(again.url);
  expect(keys.length).toBeGreaterThanOrEqual(before.length);
  expect([keys, total]).toEqual([asked.slice(0, keys.length), keys.length]);
});
