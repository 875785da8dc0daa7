import { Database } from '../../src/engine/database.js';
import { openFolderDisk } from '../../src/engine/log/folder-disk.js';
import { waitUntilDurable } from '../../src/engine/log/commit-log.js';
import { recoverLog } from '../../src/engine/log/recovery.js';
import { programSection, recoverDatabase } from '../../src/engine/recover-database.js';
import { Snapshotter } from '../../src/engine/snapshotter.js';
import { schemaOf, testOptions } from '../../src/engine/testing/table-def.js';
import { primitiveType } from '../../src/values/algebraic-type.js';
import { ConnectionId, Identity } from '../../src/values/identity.js';
import { answerParent } from '../framework/child.js';
import type { LoadResult } from '../framework/messages.js';

/* Writes the history of a bank to disk, and reads it back in another process. */

interface Preparation {
  readonly folder: string;
  readonly accounts: number;
  readonly transfers: number;
  readonly hasSnapshot: boolean;
}

const databaseKey = new Identity(1n).key;
const program = programSection(new Uint8Array(3), true);
const schema = schemaOf({
  account: {
    columns: { id: primitiveType('u32'), balance: primitiveType('i64') },
    primaryKey: 'id',
  },
});
// What 64 clients that wait for each reply put into one batch.
const TRANSFERS_PER_BATCH = 64;
const ACCOUNTS_PER_TRANSACTION = 1000;

answerParent({
  async prepare({ folder, accounts, transfers, hasSnapshot }: Preparation): Promise<void> {
    const disk = await openFolderDisk(folder);
    const { log, epoch } = await recoverLog(disk, { databaseKey });
    const database = new Database(schema, { ...testOptions(), log });
    const table = database.table('account');
    const byId = table.uniqueIndex('account_id_idx_btree');
    const origin = {
      caller: new Identity(5n),
      connectionId: new ConnectionId(9n),
      functionName: 'transfer',
      timestampMicros: 1_700_000_000_000_000,
    };
    database.transact(origin, () => database.addSection(program));
    for (let id = 0; id < accounts; id += ACCOUNTS_PER_TRANSACTION) {
      database.transact(origin, () => {
        const end = Math.min(accounts, id + ACCOUNTS_PER_TRANSACTION);
        for (let each = id; each < end; each++) table.insert({ id: each, balance: 1_000_000_000n });
      });
      await waitUntilDurable(log);
    }
    const add = (id: number, amount: bigint): void => {
      byId.update({ id, balance: (byId.find(id)!['balance'] as bigint) + amount });
    };
    for (let i = 0; i < transfers; i++) {
      const from = Math.floor(Math.random() * accounts);
      const to = (from + 1 + Math.floor(Math.random() * (accounts - 1))) % accounts;
      database.transact(origin, () => {
        add(from, -1n);
        add(to, 1n);
      });
      if (i % TRANSFERS_PER_BATCH === 0) await new Promise((resolve) => void setImmediate(resolve));
    }
    if (hasSnapshot) {
      const sections = (): (typeof program)[] => [program];
      const pause = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
      await new Snapshotter(disk, { databaseKey, epoch, sections, pause, nowMs: Date.now }).take(database);
    }
    await log.close();
  },

  async recover({ folder, accounts }: Preparation): Promise<LoadResult> {
    const startMs = performance.now();
    const recovered = await recoverDatabase(await openFolderDisk(folder), {
      databaseKey,
      build: async () => new Database(schema, testOptions()),
    });
    const seconds = (performance.now() - startMs) / 1000;
    if (recovered?.database.table('account').count !== accounts) throw new Error('accounts are missing');
    let total = 0n;
    for (const { balance } of recovered.database.table('account').scan()) total += balance as bigint;
    if (total !== 1_000_000_000n * BigInt(accounts)) throw new Error('the balances do not add up');
    return { ops: recovered.log.lastOffset, seconds, latencyP50Micros: 0, latencyP99Micros: 0 };
  },
});
