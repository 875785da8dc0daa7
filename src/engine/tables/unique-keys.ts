import type { Row } from '../contract.js';
import type { Cell } from './cell.js';
import { DenseMap } from './dense-map.js';
import type { KeyColumns } from './key-columns.js';
import type { KeyMap } from './key-map.js';

/** One cell per key: what stands behind a primary key or another unique constraint. */
export class UniqueKeys {
  /** The constraint's name, for messages. */
  readonly constraint: string;
  readonly keyColumns: KeyColumns;
  readonly #cells: KeyMap<Cell>;

  constructor(constraint: string, keyColumns: KeyColumns) {
    this.constraint = constraint;
    this.keyColumns = keyColumns;
    this.#cells = keyColumns.isInteger ? new DenseMap<Cell>() : new Map();
  }

  get size(): number {
    return this.#cells.size;
  }

  /** The cell with the given value, or values of several columns. */
  find(values: unknown): Cell | undefined {
    return this.#cells.get(this.keyColumns.keyOfValues(values));
  }

  /** The cell that has the key of `row`. */
  findSame(row: Row): Cell | undefined {
    return this.#cells.get(this.keyColumns.keyOf(row));
  }

  cells(): IterableIterator<Cell> {
    return this.#cells.values();
  }

  isSame(a: Row, b: Row): boolean {
    return this.keyColumns.isSame(a, b);
  }

  add(cell: Cell, row: Row): void {
    this.#cells.set(this.keyColumns.keyOf(row), cell);
  }

  remove(_cell: Cell, row: Row): void {
    this.#cells.delete(this.keyColumns.keyOf(row));
  }
}
