import { WireError } from '../../base/wire-error.js';
import { ByteReader } from '../../base/byte-reader.js';
import { type ByteWriter, putFrom, putVarUint, VAR_UINT_BYTES } from '../../base/byte-writer.js';
import { bytesToKey, keyToBytes } from '../../values/integer-bytes.js';
import { ConnectionId, Identity } from '../../values/identity.js';
import type {
  ChangedRows,
  LogSection,
  NewChanges,
  NewRecord,
  RowRange,
  TableChange,
  TransactionRecord,
} from './commit-log.js';

/*
 * One record of the log: one transaction, with everything it did. Little-endian.
 *
 * | field         | type                    |                                                                          |
 * | flags         | u8                      | 1 has caller, 2 has connection id; 4 alone: caller, connection and name  |
 * |               |                         | are those of the record before it in the batch and not written           |
 * | timestamp     | i64                     | microseconds since the Unix epoch                                        |
 * | caller        | 32 bytes, if flag 1     | identity                                                                 |
 * | connection    | 16 bytes, if flag 2     | connection id                                                            |
 * | function name | u32 length, UTF-8       |                                                                          |
 * | sections      | until the end           | u8 kind, u32 length, bytes                                               |
 *
 * Sections are open-ended: a reader skips kinds that it does not know.
 * | kind | holds           | bytes                                                                                  |
 * | 11   | row changes     | varuint length, table name; varuint count of deletes, count x (varuint length, row);   |
 * |      |                 | the same for inserts                                                                   |
 * |  1   | row changes     | the same with u32 instead of varuint: read only, format version 1 of segments wrote it |
 * |  2   | program         | u8 1 if the tables begin anew, else 0; then what the server needs to run the module    |
 * |  3   | document update | see documents/document-section.ts                                                      |
 * |  4   | published event | topic, payload                                                                         |
 * |  5   | epoch           | written when a process opens the log                                                   |
 * |  6   | close           | written when a process closes the log in good order                                    |
 * |  7   | sequence        | table name, sequence name, decimal text of the value to go on at after a restart      |
 * |  8   | connected       | identity (32 bytes), connection id (16 bytes): `clientConnected` ran in this transaction |
 * |  9   | disconnected    | the same, for `clientDisconnected`                                                       |
 * | 10   | schedule        | when a scheduled row is due and how often it failed (see schedule-state.ts)             |
 */

export const SectionKind = {
  rows: 11,
  program: 2,
  documentUpdate: 3,
  publishedEvent: 4,
  epoch: 5,
  close: 6,
  sequence: 7,
  connected: 8,
  disconnected: 9,
  schedule: 10,
} as const;

const utf8 = new TextEncoder();

// What format version 1 of segments wrote.
const ROWS_OF_VERSION_1 = 1;

const TWO_32 = 2 ** 32;
const HAS_CALLER = 1;
const HAS_CONNECTION = 2;
const SAME_ORIGIN = 4;

/** Who did something and by what: repeated from record to record while one connection has several calls in a batch. */
export type RecordOrigin = Pick<TransactionRecord, 'caller' | 'connectionId' | 'functionName'>;

// A record's length, flags and timestamp.
const RECORD_HEADER_BYTES = 13;

/**
 * Writes a record and its length before it. What cannot be encoded leaves nothing behind.
 *
 * @param before the record before this one in its batch, undefined for the first.
 */
export function appendRecord(writer: ByteWriter, record: NewRecord, before?: RecordOrigin): void {
  writer.reserve(RECORD_HEADER_BYTES);
  const start = writer.length;
  writer.length = start + 4;
  try {
    encodeRecord(writer, record, before);
  } catch (error) {
    writer.length = start;
    throw error;
  }
  writer.view.setUint32(start, writer.length - start - 4, true);
}

function encodeRecord(writer: ByteWriter, record: NewRecord, before?: RecordOrigin): void {
  const { timestampMicros, changes, sections } = record;
  const flagsAt = writer.length;
  // Two halves: a BigInt for each transaction would cost more than all else here.
  const high = Math.floor(timestampMicros / TWO_32);
  writer.view.setUint32(flagsAt + 1, timestampMicros - high * TWO_32, true);
  writer.view.setInt32(flagsAt + 5, high, true);
  writer.length += 9;
  writer.bytes[flagsAt] = isSameOrigin(record, before) ? SAME_ORIGIN : writeOrigin(writer, record);
  if (changes !== undefined) writeChanges(writer, changes);
  if (sections === undefined) return;
  for (const { kind, bytes: body } of sections) {
    writer.writeU8(kind);
    writer.writeBytes(body);
  }
}

function isSameOrigin({ caller, connectionId, functionName }: RecordOrigin, before?: RecordOrigin): boolean {
  return (
    before !== undefined &&
    before.caller === caller &&
    before.connectionId === connectionId &&
    before.functionName === functionName
  );
}

/** Gives the flags that tell what there is. */
function writeOrigin(writer: ByteWriter, { caller, connectionId, functionName }: RecordOrigin): number {
  writer.reserve(48);
  if (caller !== undefined) {
    keyToBytes(caller.key, writer.bytes, writer.length);
    writer.length += 32;
  }
  if (connectionId !== undefined) {
    keyToBytes(connectionId.key, writer.bytes, writer.length);
    writer.length += 16;
  }
  writer.writeString(functionName);
  return (caller === undefined ? 0 : HAS_CALLER) | (connectionId === undefined ? 0 : HAS_CONNECTION);
}

/** Moves the reader over everything before the sections; gives the timestamp. */
export function skipToSections(reader: ByteReader): number {
  const flags = readFlags(reader);
  const timestampMicros = readTimestamp(reader);
  if (flags === SAME_ORIGIN) return timestampMicros;
  reader.offset += (flags & HAS_CALLER ? 32 : 0) + (flags & HAS_CONNECTION ? 16 : 0);
  const nameBytes = reader.readU32();
  reader.offset += nameBytes;
  return timestampMicros;
}

/** Whether the record that stands there says itself who its caller is; otherwise he is that of the record before it. */
export function hasOwnOrigin(bytes: Uint8Array, at: number): boolean {
  return bytes[at] !== SAME_ORIGIN;
}

function readFlags(reader: ByteReader): number {
  const flags = reader.readU8();
  if (flags > SAME_ORIGIN) throw new WireError('BAD_TAG', `unknown flags ${flags} of a log record`);
  return flags;
}

function readTimestamp(reader: ByteReader): number {
  reader.need(8);
  const low = reader.view.getUint32(reader.offset, true);
  const high = reader.view.getInt32(reader.offset + 4, true);
  reader.offset += 8;
  return high * TWO_32 + low;
}

const NO_ORIGIN: RecordOrigin = { caller: undefined, connectionId: undefined, functionName: '' };

function readOrigin(reader: ByteReader, flags: number, before: RecordOrigin): RecordOrigin {
  if (flags === SAME_ORIGIN) return before;
  const caller = flags & HAS_CALLER ? Identity.fromKey(bytesToKey(reader.readRaw(32))) : undefined;
  const connectionId =
    flags & HAS_CONNECTION ? ConnectionId.fromKey(bytesToKey(reader.readRaw(16))) : undefined;
  return { caller, connectionId, functionName: reader.readString() };
}

/** @param before the record before this one, for its caller and function; unknown ones are left out. */
export function decodeRecord(bytes: Uint8Array, before: RecordOrigin = NO_ORIGIN): TransactionRecord {
  const reader = new ByteReader(bytes);
  const flags = readFlags(reader);
  const timestampMicros = readTimestamp(reader);
  const { caller, connectionId, functionName } = readOrigin(reader, flags, before);
  const changes: TableChange[] = [];
  const sections: LogSection[] = [];
  while (reader.remaining > 0) {
    const kind = reader.readU8();
    const body = reader.readBytes();
    if (kind === SectionKind.rows) changes.push(decodeTableChange(body));
    else if (kind === ROWS_OF_VERSION_1) changes.push(decodeTableChangeOfVersion1(body));
    else sections.push({ kind, bytes: body });
  }
  return { timestampMicros, caller, connectionId, functionName, changes, sections };
}

// Kind and length.
const CHANGE_HEADER_BYTES = 5;

function writeChanges(writer: ByteWriter, { tables, writer: source }: NewChanges): void {
  for (let i = 0; i < tables.length; i++) writeTable(writer, tables[i]!, source);
}

/** In one go: room for all of it, then nothing but stores. */
function writeTable(
  writer: ByteWriter,
  { table: { name }, deletes, inserts }: ChangedRows,
  source: ByteWriter,
): void {
  // A UTF-16 unit is at most three UTF-8 bytes.
  const nameBytesMax = VAR_UINT_BYTES + name.length * 3;
  writer.reserve(CHANGE_HEADER_BYTES + nameBytesMax + rowsBytesMax(deletes) + rowsBytesMax(inserts));
  const start = writer.length;
  const bodyAt = start + CHANGE_HEADER_BYTES;
  const deletesAt = putText(writer.bytes, bodyAt, name);
  const end = putRows(writer, putRows(writer, deletesAt, deletes, source), inserts, source);
  writer.bytes[start] = SectionKind.rows;
  writer.view.setUint32(start + 1, end - bodyAt, true);
  writer.length = end;
}

function rowsBytesMax(rows: readonly RowRange[]): number {
  let size = VAR_UINT_BYTES * (1 + rows.length);
  for (let i = 0; i < rows.length; i++) size += rows[i]!.end - rows[i]!.start;
  return size;
}

/** Names are mostly short and ASCII: then nothing is called. */
function putText(bytes: Uint8Array, start: number, text: string): number {
  const size = text.length;
  let i = 0;
  for (; i < size && i < 0x80; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) break;
    bytes[start + 1 + i] = unit;
  }
  if (i === size && i < 0x80) {
    bytes[start] = size;
    return start + 1 + size;
  }
  const encoded = utf8.encode(text);
  const at = putVarUint(bytes, start, encoded.length);
  bytes.set(encoded, at);
  return at + encoded.length;
}

function putRows(
  { bytes, view }: ByteWriter,
  at: number,
  rows: readonly RowRange[],
  source: ByteWriter,
): number {
  let end = putVarUint(bytes, at, rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    end = putVarUint(bytes, end, row.end - row.start);
    end = putFrom(bytes, view, end, source, row.start, row.end);
  }
  return end;
}

/** The row changes of a record, those of tables that are wanted. Rows are views. */
export function readRowChanges(record: Uint8Array, isWanted: (table: string) => boolean): TableChange[] {
  const changes: TableChange[] = [];
  const reader = new ByteReader(record);
  skipToSections(reader);
  for (let end; (end = enterRows(reader)) !== undefined; reader.offset = end) {
    const table = reader.readVarString();
    if (isWanted(table))
      changes.push({ table, deletes: readStoredRows(reader), inserts: readStoredRows(reader) });
  }
  return changes;
}

/** How many rows a record changes, of any table. */
export function countChangedRows(record: Uint8Array): number {
  let count = 0;
  const reader = new ByteReader(record);
  skipToSections(reader);
  for (let end; (end = enterRows(reader)) !== undefined; reader.offset = end) {
    skipVarBytes(reader);
    const deletes = reader.readVarUint();
    for (let i = 0; i < deletes; i++) skipVarBytes(reader);
    count += deletes + reader.readVarUint();
  }
  return count;
}

/** Moves the reader into the next section of row changes and gives its end; undefined when there is none. */
function enterRows(reader: ByteReader): number | undefined {
  while (reader.remaining > 0) {
    const kind = reader.readU8();
    const end = reader.readU32() + reader.offset;
    if (kind === SectionKind.rows) return end;
    reader.offset = end;
  }
  return undefined;
}

function skipVarBytes(reader: ByteReader): void {
  const size = reader.readVarUint();
  reader.offset += size;
}

function decodeTableChange(bytes: Uint8Array): TableChange {
  const reader = new ByteReader(bytes);
  const table = reader.readVarString();
  const change = { table, deletes: readStoredRows(reader), inserts: readStoredRows(reader) };
  reader.expectEnd();
  return change;
}

/** The rows that stand there with their count before them, as views. */
export function readStoredRows(reader: ByteReader): Uint8Array[] {
  const count = reader.readVarUint();
  // Every row has at least its length: a count that lies cannot make us allocate more than the record holds.
  reader.need(count);
  const rows: Uint8Array[] = [];
  for (let i = 0; i < count; i++) rows.push(reader.readRaw(reader.readVarUint()));
  return rows;
}

function decodeTableChangeOfVersion1(bytes: Uint8Array): TableChange {
  const reader = new ByteReader(bytes);
  const readRows = (): Uint8Array[] => {
    const count = reader.readU32();
    reader.need(count * 4);
    const rows: Uint8Array[] = [];
    for (let i = 0; i < count; i++) rows.push(reader.readBytes());
    return rows;
  };
  const change = { table: reader.readString(), deletes: readRows(), inserts: readRows() };
  reader.expectEnd();
  return change;
}
