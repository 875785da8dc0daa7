import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../../src/base/clock.js';
import { systemRandom } from '../../src/base/random.js';
import { Database } from '../../src/engine/database.js';
import type { FileLog } from '../../src/engine/log/file-log.js';
import { openFolderDisk } from '../../src/engine/log/folder-disk.js';
import { recoverLog } from '../../src/engine/log/recovery.js';
import { schemaOf } from '../../src/engine/testing/table-def.js';
import { primitiveType } from '../../src/values/algebraic-type.js';
import { Identity } from '../../src/values/identity.js';
import { answerParent } from '../framework/child.js';
import type { LoadResult } from '../framework/messages.js';
import { runWriters, type WriterOptions } from './writers.js';

/* The whole engine: a table with a counted key and a column of text, each insert a transaction in the log on disk. */

const folder = mkdtempSync(join(tmpdir(), 'chorale-durability-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const identity = new Identity(1n);
const origin = { caller: identity, connectionId: undefined, functionName: 'put' };

async function open(): Promise<{ database: Database; log: FileLog }> {
  const { log } = await recoverLog(await openFolderDisk(folder), {
    databaseKey: identity.key,
    preallocateBytes: 1024 * 1024,
  });
  const schema = schemaOf({
    entry: {
      columns: { id: primitiveType('u64'), data: primitiveType('string') },
      primaryKey: 'id',
      autoInc: 'id',
    },
  });
  const options = { identity, owner: identity, clock: systemClock, random: systemRandom, log };
  return { database: new Database(schema, options), log };
}

const opened = open();

answerParent({
  async measure(options: WriterOptions): Promise<LoadResult> {
    const { database, log } = await opened;
    const table = database.table('entry');
    const data = 'x'.repeat(options.bytes);
    // Every transaction is one of ours: those that wait have the offsets that follow the durable one.
    let waiting: (() => void)[] = [];
    let reached = log.durableOffset;
    const stop = log.onDurable((durable) => {
      const count = durable - reached;
      reached = durable;
      const told = waiting;
      waiting = told.slice(count);
      for (let i = 0; i < count; i++) told[i]!();
    });
    const result = await runWriters(options, (done) => {
      const timestampMicros = systemClock.nowMicros();
      database.transact({ ...origin, timestampMicros }, () => table.insert({ id: 0n, data }));
      waiting.push(done);
    });
    stop();
    return result;
  },
});
