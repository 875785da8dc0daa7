import { openFolderDisk } from '../../src/engine/log/folder-disk.js';
import { recoverLog } from '../../src/engine/log/recovery.js';
import { newChanges } from '../../src/engine/testing/log-records.js';
import { Identity } from '../../src/values/identity.js';
import { answerParent } from '../framework/child.js';
import { makeFolder, PREALLOCATE_BYTES } from './folder.js';
import { runWriters, type WriterOptions, type WriterResult } from './writers.js';

/*
 * The commit log by itself: records of a row that stands in memory as BSATN, each with its time, caller and function, in batches with
 * checksum and chain. No table is kept; `engine.ts` does all of it.
 */

const caller = new Identity(1n);

const opened = openFolderDisk(makeFolder()).then((disk) =>
  recoverLog(disk, { databaseKey: caller.key, preallocateBytes: PREALLOCATE_BYTES }),
);

answerParent({
  async measure(options: WriterOptions): Promise<WriterResult> {
    const { log } = await opened;
    const row = new Uint8Array(options.bytes).fill(120);
    // A clock is read by who makes a transaction: `engine.ts` has it.
    let timestampMicros = Date.now() * 1000;
    const changes = newChanges([{ table: 'entry', deletes: [], inserts: [row] }]);
    let stop = (): void => {};
    const result = await runWriters(options, (acknowledge) => {
      let reached = log.durableOffset;
      stop = log.onDurable((durable) => {
        const count = durable - reached;
        reached = durable;
        acknowledge(count);
      });
      return () => {
        log.append({
          timestampMicros: timestampMicros++,
          caller,
          connectionId: undefined,
          functionName: 'put',
          changes,
        });
      };
    });
    stop();
    return result;
  },
});
