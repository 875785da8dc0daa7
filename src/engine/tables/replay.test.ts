import { describe, expect, it } from 'vitest';

import { ByteReader } from '../../base/byte-reader.js';
import { VarWriter } from '../../base/var-writer.js';
import { seededRandom } from '../../base/random.js';
import { primitiveType } from '../../values/algebraic-type.js';
import type { Row } from '../contract.js';
import { Database } from '../database.js';
import type { TableChange } from '../log/commit-log.js';
import { RecordingLog, schemaOf, TEST_ORIGIN, testOptions } from '../testing/table-def.js';

const columns = { id: primitiveType('u32'), spot: primitiveType('u32'), text: primitiveType('string') };
const tables = {
  'one key': { columns, primaryKey: 'id' },
  'one key and an index': { columns, primaryKey: 'id', indexes: [['btree', 'spot'] as const] },
  'two keys': { columns, primaryKey: 'id', unique: [['spot']] },
  'no key': { columns },
};
// Few, so that keys are deleted, taken again and exchanged all the time.
const KEYS = 6;

/** A few inserts, updates and deletes of rows with few keys, some refused. */
function changeSome(database: Database, random: ReturnType<typeof seededRandom>): void {
  const table = database.table('entry');
  const below = (end: number): number => random.nextUint32() % end;
  const changes = [
    (row: Row) => table.insert(row),
    (row: Row) => table.update(row),
    (row: Row) =>
      table
        .rows()
        .filter(({ id }) => id === row['id'])
        .map((old) => table.deleteRow(old)),
  ];
  database.transact(TEST_ORIGIN, () => {
    for (let i = below(8); i >= 0; i--) {
      try {
        changes[below(3)]!({ id: below(KEYS), spot: below(KEYS), text: `${below(KEYS)}` });
      } catch {
        // A key is taken or missing: nothing has changed.
      }
    }
  });
}

/** The change as it stands in the log behind the table's name. */
function encodeStored({ deletes, inserts }: TableChange): ByteReader {
  const writer = new VarWriter();
  for (const rows of [deletes, inserts]) {
    writer.writeVarUint(rows.length);
    for (const row of rows) writer.writeVarBytes(row);
  }
  return new ByteReader(writer.finish());
}

function rowsOf(database: Database): string[] {
  return database
    .table('entry')
    .rows()
    .map((row) => JSON.stringify(row))
    .toSorted();
}

describe.each(Object.entries(tables))('replay of a table with %s', (_name, definition) => {
  const schema = schemaOf({ entry: definition });

  it.each([1, 2, 3])('gives what the transactions gave, and backwards an empty table (seed %i)', (seed) => {
    const log = new RecordingLog();
    const original = new Database(schema, testOptions(log));
    const [decoded, stored] = [new Database(schema, testOptions()), new Database(schema, testOptions())];
    const random = seededRandom(seed);
    for (let i = 0; i < 200; i++) {
      const known = log.records.length;
      changeSome(original, random);
      for (const record of log.records.slice(known)) {
        decoded.applyChanges(record);
        const reader = encodeStored(record.changes[0]!);
        stored.table('entry').replayStored(reader);
        expect(reader.remaining).toBe(0);
      }
      expect([rowsOf(decoded), rowsOf(stored)]).toEqual([rowsOf(original), rowsOf(original)]);
    }
    expect(log.records.length).toBeGreaterThan(100);
    for (const database of [decoded, stored]) {
      database.takeBack(log.records.toReversed());
      expect(rowsOf(database)).toEqual([]);
    }
  });
});
