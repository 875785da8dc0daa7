import { assert } from '../../base/assert.js';
import { decodeFromBytes } from '../../values/bsatn/codec.js';
import type { Codec } from '../../values/bsatn/codec.js';
import type { Row } from '../contract.js';
import type { TableChange } from '../log/commit-log.js';
import { Cell } from './cell.js';
import type { RowStore } from './row-store.js';

/**
 * Does to the rows of a table what a logged transaction did, outside of any transaction. The log is trusted to hold what
 * was committed: constraints are not asked again. Throws InvariantError when it deletes a row that is not there.
 */
export function replayChange(store: RowStore, codec: Codec<Row>, change: TableChange): void {
  // With one constraint, rows can be replaced one by one; with more, values may move between rows of the same change.
  if (store.uniques.length === 1) replaceRows(store, codec, change);
  else removeAndAdd(store, codec, change);
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
      store.replace(cell, row);
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
