import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { documentToText } from '../documents/document-json.js';
import type { DocumentStore } from '../documents/document-store.js';
import type { Database } from '../engine/database.js';
import { readBackup, writeFromBackup } from '../engine/log/backup-file.js';
import { waitUntilDurable } from '../engine/log/commit-log.js';
import { cutLogAfter } from '../engine/log/cut-log.js';
import type { Disk } from '../engine/log/disk.js';
import { listSegments, recoverLog } from '../engine/log/recovery.js';
import { SimulatedDisk } from '../engine/log/simulated-disk.js';
import { programSection, recoverDatabase } from '../engine/recover-database.js';
import { Snapshotter } from '../engine/snapshotter.js';
import { schemaOf, TEST_ORIGIN, testOptions } from '../engine/testing/table-def.js';
import { Identity } from '../values/identity.js';
import { documentsOf, openDatabase } from './open-database.js';

const databaseKey = new Identity(1n).key;
const segmentBytesMax = 4000;
const schema = schemaOf({});
const ada = Identity.fromString('11'.repeat(32));

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'chorale-documents-'))));
afterAll(() => rm(folder, { recursive: true }));

const build = async (): Promise<Database> =>
  openDatabase(schema, testOptions(), { folder, onError: (error) => expect.unreachable(String(error)) });

async function create(disk: Disk): Promise<Database> {
  const database = await build();
  database.log = (await recoverLog(disk, { databaseKey, segmentBytesMax, apply: () => {} })).log;
  database.transact(TEST_ORIGIN, () => database.addSection(programSection(new Uint8Array(1), true)));
  return database;
}

async function recover(disk: Disk): Promise<Database> {
  return (await recoverDatabase(disk, { databaseKey, segmentBytesMax, build }))!.database;
}

/** Types letters into a document, each an update; gives the offset of the last one. */
async function type(database: Database, id: string, letters: string, doc: Y.Doc): Promise<number> {
  const documents = documentsOf(database);
  const document = documents.open(id);
  const send = (update: Uint8Array): void =>
    void documents.accept(document, update, { identity: ada, connectionId: undefined });
  doc.on('update', send);
  for (const letter of letters) {
    doc.getText('t').insert(doc.getText('t').length, letter);
    await waitUntilDurable(database.log);
  }
  doc.off('update', send);
  documents.close(document);
  return database.log.lastOffset;
}

function read<R>(
  database: Database,
  id: string,
  look: (document: ReturnType<DocumentStore['open']>) => R,
): R {
  const documents = documentsOf(database);
  const document = documents.open(id);
  try {
    return look(document);
  } finally {
    documents.close(document);
  }
}

const textOf = (database: Database, id: string): string =>
  read(database, id, (document) => documentToText(document.whole(), 't'));
const textAt = (database: Database, id: string, offset: number): string =>
  read(database, id, (document) => documentToText(document.at(offset), 't'));

function snapshot(disk: Disk, database: Database): Promise<number> {
  const pause = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  const sections = () => [programSection(new Uint8Array(1), true)];
  return new Snapshotter(disk, { databaseKey, epoch: 1, sections, pause, nowMs: () => 0 }).take(database);
}

describe('documents', () => {
  it('survive restarts and the removal of old log, with their past', async () => {
    const disk = new SimulatedDisk();
    let database = await create(disk.mount());
    const doc = new Y.Doc();
    await type(database, 'idle', 'quiet', new Y.Doc());
    const atTen = await type(database, 'a', 'x'.repeat(10), doc);
    for (let round = 0; round < 3; round++) {
      await type(database, 'a', 'y'.repeat(40), doc);
      await snapshot(disk.mount(), database);
      await database.log.close();
      database = await recover(disk.mount());
    }
    expect((await listSegments(disk.mount()))[0]!.firstOffset).toBeGreaterThan(atTen);
    await type(database, 'a', 'z', doc);
    expect(textOf(database, 'a')).toBe(`${'x'.repeat(10)}${'y'.repeat(120)}z`);
    expect(textOf(database, 'idle')).toBe('quiet');
    // The oldest version is sixty-four letters; each of the newest is one.
    const versions = read(database, 'a', (document) => document.versions());
    expect(textAt(database, 'a', versions[0]!.offset)).toBe('x'.repeat(10) + 'y'.repeat(54));
    expect(textAt(database, 'a', versions.at(-2)!.offset)).toBe('x'.repeat(10) + 'y'.repeat(120));
    expect(versions.map(({ author }) => author!.toHexString())).toContain(ada.toHexString());
    await database.log.close();
  });

  it('are in a backup, and come back as of any moment that it reaches', async () => {
    const disk = new SimulatedDisk();
    const database = await create(disk.mount());
    const doc = new Y.Doc();
    await type(database, 'a', 'abc', doc);
    await snapshot(disk.mount(), database);
    const then = await type(database, 'a', 'def', doc);
    await type(database, 'a', 'ghi', doc);
    const [copy, backup] = [new SimulatedDisk(), new SimulatedDisk()];
    const file = await backup.mount().create('backup', { writeThrough: false });
    let at = 0;
    for await (const piece of readBackup(disk.mount(), databaseKey)) {
      await file.write(piece, at);
      at += piece.length;
    }
    await writeFromBackup(file, async () => copy.mount());
    await cutLogAfter(copy.mount(), then);
    const restored = await recover(copy.mount());
    expect([textOf(restored, 'a'), textAt(restored, 'a', then - 1)]).toEqual(['abcdef', 'abcde']);
    for (const { log } of [database, restored]) await log.close();
  });

  it('a snapshot that is taken while people type is of one moment', async () => {
    const disk = new SimulatedDisk();
    const database = await create(disk.mount());
    const doc = new Y.Doc();
    await type(database, 'a', 'x'.repeat(300), doc);
    const taken = snapshot(disk.mount(), database);
    await type(database, 'a', 'y'.repeat(300), doc);
    await taken;
    disk.kill();
    const recovered = await recover(disk.mount());
    expect(textOf(recovered, 'a')).toBe('x'.repeat(300) + 'y'.repeat(300));
    await recovered.log.close();
  });
});
