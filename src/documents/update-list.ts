import type { VarReader } from '../base/var-reader.js';
import type { VarWriter } from '../base/var-writer.js';
import { Identity } from '../values/identity.js';
import type { UpdateOrigin } from './document-section.js';
import { mergeAll } from './merge-updates.js';
import type { Shelf } from './shelf.js';

/** Neighbours that are old enough to become one. */
export interface MergeGroup {
  readonly start: number;
  readonly count: number;
  readonly bytes: number;
}

// 64: that many small updates merge in a tenth of a millisecond, and until then they stay in memory, 5 kB; sixteen of those
// again, so that a document of a million updates is a few dozen pieces.
const WIDTHS = [64, 16] as const;
// Longer ones go to the shelf at once.
const TAIL_UPDATE_BYTES_MAX = 4096;

/** The columns of a row; one row for each update, flat in one array: an object each would be most of a quiet room's memory. */
const Column = { offset: 0, timestamp: 1, author: 2, level: 3, at: 4, bytes: 5 } as const;
const COLUMN_COUNT = 6;
/** In the column `at`: the update is in the tail, behind those of the rows before it. */
const IN_TAIL = -1;

/**
 * The updates of one document in the order of the log: small new ones in memory, the others on the shelf. What is durable is merged in
 * pieces as it grows old, small ones first, so that no single merge takes long and every piece remains a version that can be shown.
 */
export class UpdateList {
  readonly #shelf: Shelf;
  #rows: number[] = [];
  #tail: Uint8Array = new Uint8Array(0);
  #tailBytes = 0;
  #bytes = 0;
  /** Rows of level 0. */
  #newCount = 0;
  /** Whoever wrote one of them; a row's author is an index in it and one more, 0 for nobody. */
  #authors: readonly Identity[] = [];

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Of all updates together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** In memory. */
  get heldBytes(): number {
    return this.#rows.length * 8 + this.#tail.length + this.#authors.length * 100;
  }

  get count(): number {
    return this.#rows.length / COLUMN_COUNT;
  }

  get lastOffset(): number {
    return this.count === 0 ? 0 : this.#cell(this.count - 1, Column.offset);
  }

  origin(row: number): UpdateOrigin {
    return {
      offset: this.#cell(row, Column.offset),
      timestampMicros: this.#cell(row, Column.timestamp),
      author: this.#authors[this.#cell(row, Column.author) - 1],
    };
  }

  /** Takes a copy of `update`. */
  add(update: Uint8Array, { offset, timestampMicros, author }: UpdateOrigin): void {
    const isLong = update.length > TAIL_UPDATE_BYTES_MAX;
    const at = isLong ? this.#shelf.put(update) : IN_TAIL;
    if (!isLong) this.#addToTail(update);
    this.#rows.push(offset, timestampMicros, this.#indexOf(author), 0, at, update.length);
    this.#newCount += 1;
    this.#bytes += update.length;
  }

  #addToTail(update: Uint8Array): void {
    const end = this.#tailBytes + update.length;
    if (end > this.#tail.length) {
      // By a half: what is spare stays spare in a room that falls quiet.
      const grown = new Uint8Array(Math.max(128, end, Math.min(this.#tail.length * 1.5, end + 4096)));
      grown.set(this.#tail.subarray(0, this.#tailBytes));
      this.#tail = grown;
    }
    this.#tail.set(update, this.#tailBytes);
    this.#tailBytes = end;
  }

  #indexOf(author: Identity | undefined): number {
    if (author === undefined) return 0;
    const last = this.#authors.findLastIndex((known) => known === author || known.isEqual(author));
    if (last >= 0) return last + 1;
    // Most documents have one or two: `push`, or spreading, makes room for 17.
    this.#authors = this.#authors.concat(author);
    return this.#authors.length;
  }

  /** The updates from row `from` up to row `to`. Views that are good until the list changes. */
  *updates(from = 0, to = this.count): IterableIterator<Uint8Array> {
    let tailAt = this.#tailBytes;
    for (let row = from; row < this.count; row++) tailAt -= this.#bytesInTail(row);
    for (let row = from; row < to; row++) {
      const at = this.#cell(row, Column.at);
      const length = this.#cell(row, Column.bytes);
      yield at === IN_TAIL ? this.#tail.subarray(tailAt, tailAt + length) : this.#shelf.get(at, length);
      tailAt += this.#bytesInTail(row);
    }
  }

  /** Whether so many new updates have become durable that they are to be merged. */
  isMergeDue(durableOffset: number): boolean {
    if (this.#newCount < WIDTHS[0] * 2) return false;
    return this.#cell(this.count - this.#newCount + WIDTHS[0] - 1, Column.offset) <= durableOffset;
  }

  /** The first row that is after `offset`. */
  rowAfter(offset: number): number {
    let row = this.count;
    while (row > 0 && this.#cell(row - 1, Column.offset) > offset) row -= 1;
    return row;
  }

  /** The next neighbours to be merged, if there are any; nothing after `durableOffset`, as that may still be taken back. */
  findMerge(durableOffset: number): MergeGroup | undefined {
    const newStart = this.count - this.#newCount;
    if (this.isMergeDue(durableOffset))
      return { start: newStart, count: WIDTHS[0], bytes: this.#bytesOf(newStart, WIDTHS[0]) };
    // Higher levels are older and come first.
    for (let end = newStart; end > 0;) {
      const level = this.#cell(end - 1, Column.level);
      let start = end;
      while (start > 0 && this.#cell(start - 1, Column.level) === level) start -= 1;
      if (end - start >= WIDTHS[1] * 2)
        return { start, count: WIDTHS[1], bytes: this.#bytesOf(start, WIDTHS[1]) };
      end = start;
    }
    return undefined;
  }

  #bytesOf(start: number, count: number): number {
    let bytes = 0;
    for (let row = start; row < start + count; row++) bytes += this.#cell(row, Column.bytes);
    return bytes;
  }

  /** Puts what the group has become in its place. */
  replace({ start, count }: MergeGroup, update: Uint8Array): void {
    const last = (start + count - 1) * COLUMN_COUNT;
    if (this.#rows[last + Column.level] === 0) this.#newCount -= count;
    const merged = this.#rows.slice(last, last + COLUMN_COUNT);
    merged[Column.level]! += 1;
    merged[Column.at] = this.#shelf.put(update);
    merged[Column.bytes] = update.length;
    this.#forget(start, count);
    this.#rows.splice(start * COLUMN_COUNT, count * COLUMN_COUNT, ...merged);
    this.#bytes += update.length;
  }

  /** Lets go of the bytes of the oldest of those that are in the tail, or of some that are on the shelf. */
  #forget(start: number, count: number): void {
    let fromTail = 0;
    for (let row = start; row < start + count; row++) {
      const at = this.#cell(row, Column.at);
      const length = this.#cell(row, Column.bytes);
      this.#bytes -= length;
      if (at === IN_TAIL) fromTail += length;
      else this.#shelf.drop(at, length);
    }
    if (fromTail === 0) return;
    this.#tail = this.#tail.slice(fromTail, this.#tailBytes);
    this.#tailBytes -= fromTail;
  }

  /** Forgets what is after `offset`: it will never be on disk. Whether there was any. */
  takeBack(offset: number): boolean {
    const kept = this.rowAfter(offset);
    if (kept === this.count) return false;
    for (let row = this.count - 1; row >= kept; row--) {
      const length = this.#cell(row, Column.bytes);
      this.#bytes -= length;
      this.#tailBytes -= this.#bytesInTail(row);
      if (this.#cell(row, Column.level) === 0) this.#newCount -= 1;
      if (this.#cell(row, Column.at) !== IN_TAIL) this.#shelf.drop(this.#cell(row, Column.at), length);
    }
    this.#rows.length = kept * COLUMN_COUNT;
    return true;
  }

  /** Everything that is in memory. */
  encode(writer: VarWriter): void {
    const authors = [...new Set(this.#rowsOf(Column.author).filter((index) => index > 0))];
    writer.writeVarUint(authors.length);
    for (const index of authors) writer.writeRaw(this.#authors[index - 1]!.toUint8Array());
    writer.writeVarUint(this.count);
    for (let row = 0; row < this.count; row++) {
      writer
        .writeVarUint(this.#cell(row, Column.offset))
        .writeVarUint(this.#cell(row, Column.timestamp))
        .writeVarUint(authors.indexOf(this.#cell(row, Column.author)) + 1)
        .writeVarUint(this.#cell(row, Column.level))
        .writeVarUint(this.#cell(row, Column.at) + 1)
        .writeVarUint(this.#cell(row, Column.bytes));
    }
    writer.writeVarBytes(this.#tail.subarray(0, this.#tailBytes));
  }

  static decode(reader: VarReader, shelf: Shelf): UpdateList {
    const list = new UpdateList(shelf);
    const authorCount = reader.readVarUint();
    list.#authors = Array.from({ length: authorCount }, () => Identity.fromBytes(reader.readRaw(32)));
    for (let left = reader.readVarUint(); left > 0; left--) {
      for (let column = 0; column < COLUMN_COUNT; column++)
        list.#rows.push(reader.readVarUint() - (column === Column.at ? 1 : 0));
      list.#bytes += list.#rows.at(-1)!;
      if (list.#rows.at(Column.level - COLUMN_COUNT) === 0) list.#newCount += 1;
    }
    list.#tail = reader.readVarBytes().slice();
    list.#tailBytes = list.#tail.length;
    return list;
  }

  /** The updates with where they are from. */
  *pieces(): IterableIterator<UpdateOrigin & { readonly update: Uint8Array }> {
    let row = 0;
    for (const update of this.updates()) yield { ...this.origin(row++), update };
  }

  #rowsOf(column: number): number[] {
    return Array.from({ length: this.count }, (_, row) => this.#cell(row, column));
  }

  #bytesInTail(row: number): number {
    return this.#cell(row, Column.at) === IN_TAIL ? this.#cell(row, Column.bytes) : 0;
  }

  #cell(row: number, column: number): number {
    return this.#rows[row * COLUMN_COUNT + column]!;
  }
}

/** The updates as one, in bytes of its own. */
export function mergeRows(list: UpdateList, from = 0, to: number = list.count): Uint8Array {
  const updates = [...list.updates(from, to)];
  const merged = mergeAll(updates);
  // A view of the tail would change; what is longer is not in it.
  return updates.length === 1 && merged.length <= TAIL_UPDATE_BYTES_MAX ? merged.slice() : merged;
}
