import { ByteWriter } from '../../base/byte-writer.js';
import type { Codec } from '../../values/bsatn/codec.js';
import { bytesToKey } from '../../values/integer-bytes.js';
import type { Row } from '../contract.js';
import type { Cell } from './cell.js';

/** The cells of a table without unique constraints, by the bytes of their rows: such a table is a set of rows. */
export class RowKeys {
  readonly #codec: Codec<Row>;
  readonly #writer = new ByteWriter();
  readonly #cells = new Map<string, Cell>();

  constructor(codec: Codec<Row>) {
    this.#codec = codec;
  }

  get size(): number {
    return this.#cells.size;
  }

  /** The cell whose row has these bytes. */
  find(bytes: Uint8Array, start: number, end: number): Cell | undefined {
    return this.#cells.get(bytesToKey(bytes, start, end));
  }

  findRow(row: Row): Cell | undefined {
    return this.#cells.get(this.#keyOf(row));
  }

  cells(): IterableIterator<Cell> {
    return this.#cells.values();
  }

  /** Rows of such a table are never updated: there is nothing to find the old one by. */
  isSame(): boolean {
    return false;
  }

  add(cell: Cell, row: Row): void {
    this.#cells.set(this.#keyOf(row), cell);
  }

  remove(_cell: Cell, row: Row): void {
    this.#cells.delete(this.#keyOf(row));
  }

  #keyOf(row: Row): string {
    this.#writer.reset();
    this.#codec.encode(this.#writer, row);
    return bytesToKey(this.#writer.bytes, 0, this.#writer.length);
  }
}
