import { readFile } from 'node:fs/promises';

import { expect, it } from 'vitest';

import { Database } from '../../src/engine/database.js';
import { waitUntilDurable } from '../../src/engine/log/commit-log.js';
import { recoverLog } from '../../src/engine/log/recovery.js';
import { SEGMENT_HEADER_BYTES, segmentName } from '../../src/engine/log/segment-format.js';
import { SimulatedDisk } from '../../src/engine/log/simulated-disk.js';
import { programSection, recoverDatabase } from '../../src/engine/recover-database.js';
import { Snapshotter } from '../../src/engine/snapshotter.js';
import { schemaOf, TEST_ORIGIN, testOptions } from '../../src/engine/testing/table-def.js';
import { primitiveType } from '../../src/values/algebraic-type.js';
import { Identity } from '../../src/values/identity.js';

/*
 * Folders of a database as format versions 1 to 3 write them, kept in `format-N.json` (file names, base64). Whoever changes a layout of
 * segments, records or snapshots gives it another version, and has these folders read or refused.
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

type Folder = Readonly<Record<string, string>>;

async function kept(version: number): Promise<Folder> {
  return JSON.parse(await readFile(new URL(`format-${version}.json`, import.meta.url), 'utf8')) as Folder;
}

/** A few transactions and a snapshot among them. */
async function write(): Promise<Folder> {
  const disk = new SimulatedDisk();
  // The second batch is a large one.
  const sizes = { segmentBytesMax: 400, largeBatchBytes: 140 };
  const { log, epoch } = await recoverLog(disk.mount(), { databaseKey, ...sizes });
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
  return Object.fromEntries(files) as Folder;
}

function mount(files: Folder): SimulatedDisk {
  const disk = new SimulatedDisk();
  for (const [name, text] of Object.entries(files)) disk.setContent(name, Buffer.from(text, 'base64'));
  return disk;
}

async function read(disk: SimulatedDisk): Promise<string[]> {
  const { database, log } = (await recoverDatabase(disk.mount(), { databaseKey, build }))!;
  await log.close();
  const rows = database.table('line').rows();
  return rows.map(({ id, text }) => `${id as bigint} ${text as string}`).toSorted();
}

it.each([1, 2, 3])(
  'what format version %d wrote is read, from the log alone and from its snapshot',
  async (version) => {
    const files = await kept(version);
    const segments = Object.entries(files).filter(([name]) => name.endsWith('.log'));
    expect(segments.length).toBeLessThan(Object.keys(files).length);
    for (const each of [files, Object.fromEntries(segments)]) {
      expect(await read(mount(each))).toEqual(['1 uno', '3 three']);
    }
  },
);

it.each(
  [1, 2].flatMap((version) =>
    ['', 'with an end that was torn', 'with a segment that nothing is in'].map((end) => ({ version, end })),
  ),
)('a log of format version $version $end goes on in a segment of version 3', async ({ version, end }) => {
  const disk = mount(await kept(version));
  const last = disk
    .list()
    .filter((name) => name.endsWith('.log'))
    .toSorted()
    .at(-1)!;
  const versionOf = (name: string): number => new DataView(disk.contentOf(name).buffer).getUint16(8, true);
  if (end.includes('torn')) disk.setContent(last, Uint8Array.of(...disk.contentOf(last), 1, 2, 3));
  if (end.includes('nothing')) disk.setContent(last, disk.contentOf(last).slice(0, SEGMENT_HEADER_BYTES));
  const before = await read(disk);
  const { database, log } = (await recoverDatabase(disk.mount(), { databaseKey, build }))!;
  database.transact(TEST_ORIGIN, () => void database.table('line').insert({ id: 9n, text: 'nine' }));
  await log.close();
  const added = segmentName(log.lastOffset);
  expect([versionOf(added), disk.list().includes(last)]).toEqual([
    3,
    !end.includes('nothing') || added === last,
  ]);
  expect(await read(disk)).toEqual([...before, '9 nine']);
});

it('what is written today is what format version 3 says', async () => {
  expect(await write()).toEqual(await kept(3));
});
