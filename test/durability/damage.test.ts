import { describe, expect, it } from 'vitest';

import { Database } from '../../src/engine/database.js';
import { waitUntilDurable } from '../../src/engine/log/commit-log.js';
import { BLOCK_BYTES } from '../../src/engine/log/disk.js';
import { LogError } from '../../src/engine/log/log-error.js';
import { recoverLog } from '../../src/engine/log/recovery.js';
import { SimulatedDisk } from '../../src/engine/log/simulated-disk.js';
import { programSection, recoverDatabase } from '../../src/engine/recover-database.js';
import { schemaOf, TEST_ORIGIN, testOptions } from '../../src/engine/testing/table-def.js';
import { primitiveType } from '../../src/values/algebraic-type.js';
import { Identity } from '../../src/values/identity.js';

/* What is made of a small log that is damaged anywhere, down to the rows of the tables: it is noticed, or changes nothing. */

const options = { databaseKey: new Identity(1n).key, preallocateBytes: 160 };
const schema = schemaOf({
  line: { columns: { id: primitiveType('u32'), text: primitiveType('string') }, primaryKey: 'id' },
});
const KEPT = ['1 ada', '2 bob'];

// Behind the program, batches of their own blocks.
const LARGE_BATCH_BYTES = 150;
const LARGE_KEPT = [`1 ${'a'.repeat(100)}`, `2 ${'b'.repeat(100)}`];

interface SmallLog {
  readonly name: string;
  /** Three batches and zeros written ahead, as a crash leaves them. */
  readonly bytes: Uint8Array;
  readonly lastBatchAt: number;
  readonly end: number;
}

async function makeLog(rows = KEPT): Promise<SmallLog> {
  const disk = new SimulatedDisk();
  const { log } = await recoverLog(disk.mount(), { ...options, largeBatchBytes: LARGE_BATCH_BYTES });
  const database = new Database(schema, testOptions());
  database.log = log;
  const contentLength = (): number => disk.contentOf(disk.list()[0]!).findLastIndex((byte) => byte !== 0) + 1;
  database.transact(TEST_ORIGIN, () => database.addSection(programSection(Uint8Array.of(7), true)));
  await waitUntilDurable(log);
  let lastBatchAt = 0;
  for (const row of rows) {
    lastBatchAt = contentLength();
    const [id, text] = row.split(' ');
    database.transact(TEST_ORIGIN, () => database.table('line').insert({ id: Number(id), text }));
    await waitUntilDurable(log);
  }
  // The zeros are on their way still.
  await expect.poll(() => disk.contentOf(disk.list()[0]!).length - contentLength()).toBeGreaterThan(40);
  const [name] = disk.list();
  return { name: name!, bytes: disk.contentOf(name!).slice(), lastBatchAt, end: contentLength() };
}

/** `refused`, or the rows that are there, behind `cut` when something was cut off and that was told. */
async function outcomeOf(name: string, bytes: Uint8Array): Promise<string> {
  const disk = new SimulatedDisk();
  disk.setContent(name, bytes);
  try {
    const build = async (): Promise<Database> => new Database(schema, testOptions());
    const recovered = await recoverDatabase(disk.mount(), { ...options, build });
    if (recovered === undefined) return 'nothing';
    const rows = recovered.database.table('line').rows();
    const lines = rows.map(({ id, text }) => `${id as number} ${text as string}`);
    return `${recovered.torn === undefined ? '' : 'cut, '}${lines.join(', ')}`;
  } catch (error) {
    if (error instanceof LogError) return 'refused';
    throw error;
  }
}

describe('a small log', () => {
  it('of which any bit is flipped is refused, or its last batch is cut off and that is told, or nothing is lost', async () => {
    const { name, bytes, lastBatchAt, end } = await makeLog();
    expect(await outcomeOf(name, bytes)).toBe(KEPT.join(', '));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const at = bit >> 3;
      const expected =
        at < lastBatchAt ? 'refused' : at < end ? `cut, ${KEPT[0]}` : `cut, ${KEPT.join(', ')}`;
      expect(await outcomeOf(name, flipped), `bit ${bit}`).toBe(expected);
    }
  });

  it('with large batches, of which any byte is changed, is refused, or its last batch is cut off, or nothing is lost', async () => {
    const { name, bytes, end } = await makeLog(LARGE_KEPT);
    const lastBatchAt = 2 * BLOCK_BYTES;
    expect(Buffer.from(bytes.subarray(lastBatchAt)).toString('latin1', 0, 4)).toBe('CHRB');
    expect(await outcomeOf(name, bytes)).toBe(LARGE_KEPT.join(', '));
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 1 << (at & 7);
      const expected =
        at < lastBatchAt ? 'refused' : at < end ? `cut, ${LARGE_KEPT[0]}` : `cut, ${LARGE_KEPT.join(', ')}`;
      expect(await outcomeOf(name, flipped), `byte ${at}`).toBe(expected);
    }
  });

  it('whose last batch is torn at any byte, in front of zeros or of the end of the file, loses that batch only', async () => {
    const { name, bytes, lastBatchAt, end } = await makeLog();
    for (let at = lastBatchAt + 1; at < end; at++) {
      const torn = bytes.slice().fill(0, at);
      expect(await outcomeOf(name, torn), `zeros from byte ${at}`).toBe(`cut, ${KEPT[0]}`);
      expect(await outcomeOf(name, bytes.slice(0, at)), `ends at byte ${at}`).toBe(`cut, ${KEPT[0]}`);
    }
  });

  it('whose zeros end anywhere is whole', async () => {
    const { name, bytes, end } = await makeLog();
    for (let size = end; size < bytes.length; size++)
      expect(await outcomeOf(name, bytes.slice(0, size))).toBe(KEPT.join(', '));
  });
});
