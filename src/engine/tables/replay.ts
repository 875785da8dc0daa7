import { assert } from '../../base/assert.js';
import type { ByteReader } from '../../base/byte-reader.js';
import { decodeFromBytes } from '../../values/bsatn/codec.js';
import type { Codec } from '../../values/bsatn/codec.js';
import type { Row } from '../contract.js';
import type { TableChange } from '../log/commit-log.js';
import { readStoredRows } from '../log/record-codec.js';
import { Cell } from './cell.js';
import type { RowStore } from './row-store.js';
import type { UniqueKeys } from './unique-keys.js';

/**
 * Does to the rows of a table what a logged transaction did, outside of any transaction. The log is trusted to hold what
 * was committed: constraints are not asked again. Throws InvariantError when it deletes a row that is not there.
 */
export function replayChange(store: RowStore, codec: Codec<Row>, change: TableChange): void {
  // With one constraint, rows can be replaced one by one; with more, values may move between rows of the same change.
  if (store.uniques.length === 1) replaceRows(store, codec, change);
  else removeAndAdd(store, codec, change);
}

/**
 * The same for a change as it stands in the log, from the reader's position behind the table's name up to its end. Makes nothing
 * but the new rows: this is what restarts spend their time with.
 */
export function replayStored(store: RowStore, codec: Codec<Row>, reader: ByteReader, table: string): void {
  if (store.uniques.length !== 1) {
    const deletes = readStoredRows(reader);
    return removeAndAdd(store, codec, { table, deletes, inserts: readStoredRows(reader) });
  }
  const unique = store.uniques[0]!;
  const deleteCount = reader.readVarUint();
  const deletesAt = reader.offset;
  for (let i = 0; i < deleteCount; i++) skipRow(reader);
  const insertCount = reader.readVarUint();
  const insertsAt = reader.offset;
  let replacedCount = 0;
  for (let i = 0; i < insertCount; i++) {
    const row = readRow(reader, codec);
    const cell = deleteCount === 0 ? undefined : unique.findSame(row);
    if (cell === undefined) {
      store.add(new Cell(), row);
    } else {
      store.replace(cell, row, unique);
      replacedCount += 1;
    }
  }
  if (replacedCount === deleteCount) return;
  const end = reader.offset;
  reader.offset = insertsAt;
  const kept = new Set(readCells(reader, codec, unique, insertCount));
  reader.offset = deletesAt;
  for (const cell of readCells(reader, codec, unique, deleteCount)) {
    assert(cell !== undefined, `the log deletes a row that table \`${table}\` does not have`);
    if (!kept.has(cell)) store.remove(cell);
  }
  reader.offset = end;
}

/** The cells that have the keys of the rows that stand there. */
function readCells(
  reader: ByteReader,
  codec: Codec<Row>,
  unique: UniqueKeys,
  count: number,
): (Cell | undefined)[] {
  const cells: (Cell | undefined)[] = [];
  for (let i = 0; i < count; i++) cells.push(unique.findSame(readRow(reader, codec)));
  return cells;
}

function readRow(reader: ByteReader, codec: Codec<Row>): Row {
  const size = reader.readVarUint();
  const end = reader.offset + size;
  const row = codec.decode(reader);
  assert(reader.offset === end, 'a row in the log has the size that is written before it');
  return row;
}

function skipRow(reader: ByteReader): void {
  const size = reader.readVarUint();
  reader.need(size);
  reader.offset += size;
}

/** Recognises updates by their key, so that most deleted rows need not even be decoded. */
function replaceRows(store: RowStore, codec: Codec<Row>, { table, deletes, inserts }: TableChange): void {
  const unique = store.uniques[0]!;
  const replaced = new Set<Cell>();
  for (const bytes of inserts) {
    const row = decodeFromBytes(codec, bytes);
    const cell = deletes.length === 0 ? undefined : unique.findSame(row);
    if (cell === undefined) {
      store.add(new Cell(), row);
    } else {
      store.replace(cell, row, unique);
      replaced.add(cell);
    }
  }
  if (replaced.size === deletes.length) return;
  for (const bytes of deletes) {
    const cell = unique.findSame(decodeFromBytes(codec, bytes));
    assert(cell !== undefined, `the log deletes a row that table \`${table}\` does not have`);
    if (!replaced.has(cell)) store.remove(cell);
  }
}

function removeAndAdd(store: RowStore, codec: Codec<Row>, { table, deletes, inserts }: TableChange): void {
  const { rowKeys, uniques } = store;
  for (const bytes of deletes) {
    const cell =
      rowKeys === undefined
        ? uniques[0]!.findSame(decodeFromBytes(codec, bytes))
        : rowKeys.find(bytes, 0, bytes.length);
    assert(cell !== undefined, `the log deletes a row that table \`${table}\` does not have`);
    store.remove(cell);
  }
  for (const bytes of inserts) store.add(new Cell(), decodeFromBytes(codec, bytes));
}
