import { assert } from '../../../base/assert.js';
import type { ByteReader } from '../../../base/byte-reader.js';
import { ByteWriter } from '../../../base/byte-writer.js';
import { WireError } from '../../../base/wire-error.js';

/*
 * BsatnRowList: rows of one table.
 *
 * | field     | type                      | bytes         |                                              |
 * | size_hint | sum 0 FixedSize u16       | 1 + 2         | every row has this many bytes                |
 * |           | sum 1 RowOffsets [u64]    | 1 + 4 + 8 n   | where each row starts in rows_data           |
 * | rows_data | bytes                     | 4 + size      | the rows in BSATN, back to back              |
 *
 * FixedSize is used when all rows have the same length, 1 to 65535. No rows is RowOffsets []; rows of zero bytes need
 * RowOffsets, as their count could not be recovered otherwise.
 */

const FIXED_SIZE = 0;
const ROW_OFFSETS = 1;
const ROW_SIZE_MAX = 0xffff;
const TWO_32 = 0x1_0000_0000;

/** Rows as they stand on the wire: packed once, then copied whole into every message that needs them. */
export class RowList {
  /** The whole encoding, size hint included. A view into the message when it was read from one. */
  readonly bytes: Uint8Array;
  /** The rows back to back: a decoder may read rows until it ends (unless `rowSize` and its length are zero). */
  readonly rowsData: Uint8Array;
  readonly rowCount: number;
  /** Bytes of each row, or 0 when they differ. */
  readonly rowSize: number;

  constructor(bytes: Uint8Array, rowsData: Uint8Array, rowCount: number, rowSize: number) {
    this.bytes = bytes;
    this.rowsData = rowsData;
    this.rowCount = rowCount;
    this.rowSize = rowSize;
  }

  /** The bytes of one row, a view. */
  rowAt(index: number): Uint8Array {
    assert(index >= 0 && index < this.rowCount, 'a row within the list');
    if (this.rowSize > 0) return this.rowsData.subarray(index * this.rowSize, (index + 1) * this.rowSize);
    const end = index + 1 < this.rowCount ? this.#offsetAt(index + 1) : this.rowsData.length;
    return this.rowsData.subarray(this.#offsetAt(index), end);
  }

  /** All rows, as views. */
  rows(): Uint8Array[] {
    return Array.from({ length: this.rowCount }, (_, index) => this.rowAt(index));
  }

  // Checked when the list was read: offsets are below 2^32.
  #offsetAt(index: number): number {
    const at = 5 + index * 8;
    const bytes = this.bytes;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }
}

/** Packs rows, each in BSATN. */
export function packRows(rows: readonly Uint8Array[]): RowList {
  if (rows.length === 0) return EMPTY_ROWS;
  const writer = new ByteWriter(9 + 64 * rows.length);
  writeRows(writer, rows);
  const bytes = writer.finish();
  const rowSize = commonSize(rows);
  const hintBytes = rowSize > 0 ? 3 : 5 + 8 * rows.length;
  return new RowList(bytes, bytes.subarray(hintBytes + 4), rows.length, rowSize);
}

/** Writes rows as a list, for lists that are used once: like `packRows`, without an object for the list. */
export function writeRows(writer: ByteWriter, rows: readonly Uint8Array[]): void {
  if (rows.length === 0) return writeRowList(writer, EMPTY_ROWS);
  const rowSize = commonSize(rows);
  const hintBytes = rowSize > 0 ? 3 : 5 + 8 * rows.length;
  let dataBytes = 0;
  for (const row of rows) dataBytes += row.length;
  writer.reserve(hintBytes + 4 + dataBytes);
  if (rowSize > 0) {
    writer.writeU8(FIXED_SIZE);
    writer.writeU16(rowSize);
  } else {
    writeOffsets(writer, rows);
  }
  writer.writeU32(dataBytes);
  for (const row of rows) writer.writeRaw(row);
}

/** The size that all rows share if the list may be FixedSize, else 0. */
function commonSize(rows: readonly Uint8Array[]): number {
  const size = rows[0]!.length;
  if (size > ROW_SIZE_MAX) return 0;
  for (const row of rows) if (row.length !== size) return 0;
  return size;
}

function writeOffsets(writer: ByteWriter, rows: readonly Uint8Array[]): void {
  writer.writeU8(ROW_OFFSETS);
  writer.writeU32(rows.length);
  let offset = 0;
  for (const row of rows) {
    writer.writeU32(offset);
    writer.writeU32(0);
    offset += row.length;
  }
}

export const EMPTY_ROWS: RowList = new RowList(
  Uint8Array.of(ROW_OFFSETS, 0, 0, 0, 0, 0, 0, 0, 0),
  new Uint8Array(0),
  0,
  0,
);

export function writeRowList(writer: ByteWriter, list: RowList): void {
  writer.writeRaw(list.bytes);
}

/** Reads a list as views into the message. Hints that contradict the data are refused. */
export function readRowList(reader: ByteReader): RowList {
  const start = reader.offset;
  const tag = reader.readU8();
  if (tag === FIXED_SIZE) return readFixedSize(reader, start);
  if (tag === ROW_OFFSETS) return readRowOffsets(reader, start);
  throw new WireError('BAD_TAG', `a row list starts with 0 or 1, got ${tag} at offset ${start}`, {
    tag,
    offset: start,
  });
}

function readFixedSize(reader: ByteReader, start: number): RowList {
  const rowSize = reader.readU16();
  const data = reader.readBytes();
  if (rowSize === 0 ? data.length > 0 : data.length % rowSize !== 0) {
    throw new WireError('BAD_LENGTH', `${data.length} bytes are not whole rows of ${rowSize} bytes`, {
      rowSize,
      dataBytes: data.length,
    });
  }
  const rowCount = rowSize === 0 ? 0 : data.length / rowSize;
  return new RowList(reader.bytes.subarray(start, reader.offset), data, rowCount, rowSize);
}

function readRowOffsets(reader: ByteReader, start: number): RowList {
  const rowCount = reader.readU32();
  // The count is below 2^32, so its product with 8 is exact.
  reader.need(rowCount * 8);
  const offsetsAt = reader.offset;
  reader.offset += rowCount * 8;
  const data = reader.readBytes();
  let last = 0;
  for (let i = 0; i < rowCount; i++) {
    const at = offsetsAt + i * 8;
    const offset = reader.view.getUint32(at, true) + reader.view.getUint32(at + 4, true) * TWO_32;
    if (offset < last || offset > data.length || (i === 0 && offset !== 0)) {
      throw new WireError('BAD_VALUE', `row ${i} cannot start at ${offset} of ${data.length} bytes`, {
        row: i,
        offset,
      });
    }
    last = offset;
  }
  if (rowCount === 0 && data.length > 0) {
    throw new WireError('BAD_LENGTH', `${data.length} bytes of rows, but no row`, { dataBytes: data.length });
  }
  return new RowList(reader.bytes.subarray(start, reader.offset), data, rowCount, 0);
}
