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
import { makeFolder, PREALLOCATE_BYTES } from './folder.js';
import { runWriters, type WriterOptions, type WriterResult } from './writers.js';

/* The whole engine: a table with a counted key and a column of text, each insert a transaction in the log on disk. */

const identity = new Identity(1n);

async function open(): Promise<{ database: Database; log: FileLog }> {
  const { log } = await recoverLog(await openFolderDisk(makeFolder()), {
    databaseKey: identity.key,
    preallocateBytes: PREALLOCATE_BYTES,
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
  async measure(options: WriterOptions): Promise<WriterResult> {
    const { database, log } = await opened;
    const table = database.table('entry');
    const data = 'x'.repeat(options.bytes);
    let stop = (): void => {};
    const result = await runWriters(options, (acknowledge) => {
      // Every transaction is one of ours: those that wait have the offsets that follow the durable one.
      let reached = log.durableOffset;
      stop = log.onDurable((durable) => {
        const count = durable - reached;
        reached = durable;
        acknowledge(count);
      });
      return () => {
        // Spelled out as the server does it: a spread costs more than the transaction.
        const origin = {
          caller: identity,
          connectionId: undefined,
          functionName: 'put',
          timestampMicros: systemClock.nowMicros(),
        };
        database.transact(origin, () => table.insert({ id: 0n, data }));
      };
    });
    stop();
    return result;
  },
});
