import { readFile } from 'node:fs/promises';

import { expect, it } from 'vitest';

import { Database } from '../../src/engine/database.js';
import { waitUntilDurable } from '../../src/engine/log/commit-log.js';
import { recoverLog } from '../../src/engine/log/recovery.js';
import { SimulatedDisk } from '../../src/engine/log/simulated-disk.js';
import { programSection, recoverDatabase } from '../../src/engine/recover-database.js';
import { Snapshotter } from '../../src/engine/snapshotter.js';
import { schemaOf, TEST_ORIGIN, testOptions } from '../../src/engine/testing/table-def.js';
import { primitiveType } from '../../src/values/algebraic-type.js';
import { Identity } from '../../src/values/identity.js';

/*
 * A folder of a database as format version 1 writes it, kept in `format-1.json` (file names, base64). Whoever changes a layout of
 * segments, records or snapshots gives it another version, and has this folder read or refused.
 */

const databaseKey = new Identity(1n).key;
const schema = schemaOf({
  line: {
    columns: { id: primitiveType('u64'), text: primitiveType('string') },
    primaryKey: 'id',
    autoInc: 'id',
  },
});
const build = async (): Promise<Database> => new Database(schema, testOptions());
const FOLDER = new URL('format-1.json', import.meta.url);

/** A few transactions and a snapshot among them. */
async function write(): Promise<Record<string, string>> {
  const disk = new SimulatedDisk();
  const { log, epoch } = await recoverLog(disk.mount(), { databaseKey, segmentBytesMax: 400 });
  const database = await build();
  database.log = log;
  const commit = async (change: () => void): Promise<void> => {
    database.transact({ ...TEST_ORIGIN, caller: new Identity(3n) }, change);
    await waitUntilDurable(log);
  };
  const table = database.table('line');
  await commit(() => database.addSection(programSection(new TextEncoder().encode('program'), true)));
  for (const text of ['one', 'two', 'three']) await commit(() => void table.insert({ id: 0n, text }));
  const snapshotter = new Snapshotter(disk.mount(), {
    databaseKey,
    epoch,
    sections: () => [programSection(new TextEncoder().encode('program'), true)],
    pause: async () => {},
    nowMs: () => 1_700_000_000_000,
  });
  await snapshotter.take(database);
  await commit(() => void table.update({ id: 1n, text: 'uno' }));
  await commit(() => void table.deleteRow({ id: 2n, text: 'two' }));
  await log.close();
  const files = disk.list().map((name) => [name, Buffer.from(disk.contentOf(name)).toString('base64')]);
  return Object.fromEntries(files) as Record<string, string>;
}

async function read(files: Readonly<Record<string, string>>): Promise<string[]> {
  const disk = new SimulatedDisk();
  for (const [name, text] of Object.entries(files)) disk.setContent(name, Buffer.from(text, 'base64'));
  const recovered = await recoverDatabase(disk.mount(), { databaseKey, build });
  return recovered!.database
    .table('line')
    .rows()
    .map(({ id, text }) => `${id as bigint} ${text as string}`);
}

it('what format version 1 wrote is read, from the log alone and from its snapshot', async () => {
  const files = JSON.parse(await readFile(FOLDER, 'utf8')) as Record<string, string>;
  const segments = Object.entries(files).filter(([name]) => name.endsWith('.log'));
  expect(segments.length).toBeLessThan(Object.keys(files).length);
  for (const each of [files, Object.fromEntries(segments)]) {
    expect((await read(each)).toSorted()).toEqual(['1 uno', '3 three']);
  }
});

it('what is written today is what format version 1 says', async () => {
  expect(await write()).toEqual(JSON.parse(await readFile(FOLDER, 'utf8')));
});
