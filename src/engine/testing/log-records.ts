import { ByteWriter } from '../../base/byte-writer.js';
import type { NewRecord, TableChange, TransactionRecord, WrittenRange } from '../log/commit-log.js';
import { decodeRecord, encodeRecord, type RowRange, writeChanges } from '../log/record-codec.js';

/** Changes as a database hands them to its log. */
export function writtenChanges(changes: readonly TableChange[], writer = new ByteWriter()): WrittenRange {
  const put = (row: Uint8Array): RowRange => {
    const start = writer.length;
    writer.writeRaw(row);
    return { start, end: writer.length };
  };
  const rows = changes.map(({ table: name, deletes, inserts }) => ({
    table: { name },
    deletes: deletes.map(put),
    inserts: inserts.map(put),
  }));
  return writeChanges(writer, rows);
}

/** A record that was read, to be written again. */
export function asNewRecord(record: TransactionRecord): NewRecord {
  return { ...record, changes: writtenChanges(record.changes) };
}

/** What a reader of the log will see of it. */
export function asRead(record: NewRecord): TransactionRecord {
  const writer = new ByteWriter();
  encodeRecord(writer, record);
  return decodeRecord(writer.finish());
}
