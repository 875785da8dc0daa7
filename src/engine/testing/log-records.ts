import { ByteWriter } from '../../base/byte-writer.js';
import type { NewChanges, NewRecord, RowRange, TableChange, TransactionRecord } from '../log/commit-log.js';
import { appendRecord, decodeRecord } from '../log/record-codec.js';

/** Changes as a database hands them to its log. */
export function newChanges(changes: readonly TableChange[], writer = new ByteWriter()): NewChanges {
  const put = (row: Uint8Array): RowRange => {
    const start = writer.length;
    writer.writeRaw(row);
    return { start, end: writer.length };
  };
  const tables = changes.map(({ table: name, deletes, inserts }) => ({
    table: { name },
    deletes: deletes.map(put),
    inserts: inserts.map(put),
  }));
  return { tables, writer };
}

/** A record that was read, to be written again. */
export function asNewRecord(record: TransactionRecord): NewRecord {
  return { ...record, changes: newChanges(record.changes) };
}

/** What a reader of the log will see of it. */
export function asRead(record: NewRecord): TransactionRecord {
  const writer = new ByteWriter();
  appendRecord(writer, record);
  // Behind its length.
  return decodeRecord(writer.finish().slice(4));
}
