import type { ByteWriter } from '../../base/byte-writer.js';
import type { Codec } from '../../values/bsatn/codec.js';
import type { Row } from '../contract.js';
import { Touch } from './cell.js';
import type { Cell } from './cell.js';
import { cancelEqual, EncodedChange } from './net-changes.js';
import type { RowStore } from './row-store.js';

/** The net change of a table, before its rows' bytes are cut out of the transaction's buffer. */
export interface NetChanges {
  readonly deletes: EncodedChange[];
  readonly inserts: EncodedChange[];
}

/**
 * What the open transaction did to one table: for each cell it changed, the row that was there before. From that follow
 * both the way back and the net change, whatever happened in between.
 */
export class Journal {
  readonly #store: RowStore;
  readonly #codec: Codec<Row>;
  #touches: Touch[] = [];
  #hasInserted = false;
  #hasDeleted = false;

  constructor(store: RowStore, codec: Codec<Row>) {
    this.#store = store;
    this.#codec = codec;
  }

  get isEmpty(): boolean {
    return this.#touches.length === 0;
  }

  /** To be called before each change of a cell. `start` and `end` are where the new row stands among the transaction's bytes. */
  record(kind: 'insert' | 'delete' | 'update' | 'move', cell: Cell, start: number, end: number): void {
    const touch = cell.touch;
    if (touch === undefined) {
      cell.touch = new Touch(cell, start, end);
      this.#touches.push(cell.touch);
    } else {
      touch.start = start;
      touch.end = end;
    }
    // An update that keeps the primary key cannot make a row equal to one of another cell.
    if (kind !== 'delete' && kind !== 'update') this.#hasInserted = true;
    if (kind !== 'insert' && kind !== 'update') this.#hasDeleted = true;
  }

  /** What changed in the end. Rows that come out equal are left out; old rows are encoded behind the new ones. */
  netChanges(writer: ByteWriter): NetChanges {
    const net: NetChanges = { deletes: [], inserts: [] };
    for (const touch of this.#touches) this.#addNet(touch, writer, net);
    return this.#hasInserted && this.#hasDeleted ? cancelEqual(writer.bytes, net) : net;
  }

  #addNet({ before, cell, start, end }: Touch, writer: ByteWriter, net: NetChanges): void {
    const after = cell.row;
    if (before === undefined) {
      if (after !== undefined) net.inserts.push(new EncodedChange(after, start, end));
      return;
    }
    const oldStart = writer.length;
    this.#codec.encode(writer, before);
    const deleted = new EncodedChange(before, oldStart, writer.length);
    if (after === undefined) {
      net.deletes.push(deleted);
      return;
    }
    const inserted = new EncodedChange(after, start, end);
    if (inserted.isEqual(deleted, writer.bytes)) {
      writer.length = oldStart;
      return;
    }
    net.deletes.push(deleted);
    net.inserts.push(inserted);
  }

  /** Puts every touched row back as it was. */
  undo(): void {
    // All out before anything goes in: a value may have moved from one row to another.
    for (const { cell, before } of this.#touches) this.#store.unlinkAll(cell, before);
    for (const { cell, before } of this.#touches) this.#store.relinkAll(cell, before);
    this.forget();
  }

  /** The changes stay; the next transaction starts afresh. */
  forget(): void {
    for (const touch of this.#touches) touch.cell.touch = undefined;
    this.#touches = [];
    this.#hasInserted = false;
    this.#hasDeleted = false;
  }
}
