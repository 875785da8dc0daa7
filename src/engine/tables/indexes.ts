import type { Row } from '../contract.js';
import type { IndexDef } from '../schema.js';
import { rowsOf } from './bucket.js';
import type { Cell } from './cell.js';
import type { HashKeys } from './hash-keys.js';
import { wrongAlgorithm } from './index-errors.js';
import type { KeyRange, OrderedKeys } from './ordered-keys.js';
import type { UniqueKeys } from './unique-keys.js';

/** What indexes ask of their table to change rows. */
export interface TableWrites {
  readonly name: string;
  updateBy(unique: UniqueKeys, row: Row): Row;
  deleteCells(cells: readonly Cell[]): number;
}

/**
 * A way to find rows. `filter` gives an array that later changes do not touch; its rows must not be changed in place.
 * `prefix` holds the values of the index's first columns, `range` bounds the column after them.
 */
export type Index = UniqueIndex | OrderedIndex | HashIndex;

/** At most one row per value. */
export class UniqueIndex {
  readonly kind = 'unique';
  readonly def: IndexDef;
  readonly #table: TableWrites;
  readonly #keys: UniqueKeys;
  /** Several columns, declared as btree: also finds by the first of them. */
  readonly #ordered: OrderedKeys | undefined;

  constructor(table: TableWrites, def: IndexDef, keys: UniqueKeys, ordered: OrderedKeys | undefined) {
    this.def = def;
    this.#table = table;
    this.#keys = keys;
    this.#ordered = ordered;
  }

  /** The row with `value`, or with the array of values when the index has several columns. */
  find(value: unknown): Row | undefined {
    return this.#keys.find(value)?.row;
  }

  filter(prefix: readonly unknown[], range?: KeyRange): Row[] {
    return rowsOf(this.#cells(prefix, range));
  }

  /** Deletes the row with `value`; false when there is none. */
  delete(value: unknown): boolean {
    const cell = this.#keys.find(value);
    return this.#table.deleteCells(cell === undefined ? [] : [cell]) > 0;
  }

  deleteMatching(prefix: readonly unknown[], range?: KeyRange): number {
    return this.#table.deleteCells(this.#cells(prefix, range));
  }

  /** Replaces the row that has this index's value of `row`. Gives the stored row; throws NoSuchRow when there is none. */
  update(row: Row): Row {
    return this.#table.updateBy(this.#keys, row);
  }

  #cells(prefix: readonly unknown[], range: KeyRange | undefined): Cell[] {
    const columnCount = this.def.columns.length;
    if (range === undefined && prefix.length === columnCount) {
      const cell = this.#keys.find(columnCount === 1 ? prefix[0] : prefix);
      return cell === undefined ? [] : [cell];
    }
    if (this.#ordered === undefined)
      throw wrongAlgorithm(this.#table.name, this.def, range === undefined ? 'some of them' : 'a range');
    return this.#ordered.find(prefix, range);
  }
}

/** Rows in the order of one or more columns: by value, by the first columns, by range. */
export class OrderedIndex {
  readonly kind = 'ordered';
  readonly def: IndexDef;
  readonly #table: TableWrites;
  readonly #keys: OrderedKeys;

  constructor(table: TableWrites, def: IndexDef, keys: OrderedKeys) {
    this.def = def;
    this.#table = table;
    this.#keys = keys;
  }

  /** The matching rows, in order. */
  filter(prefix: readonly unknown[], range?: KeyRange): Row[] {
    return rowsOf(this.#keys.find(prefix, range));
  }

  deleteMatching(prefix: readonly unknown[], range?: KeyRange): number {
    return this.#table.deleteCells(this.#keys.find(prefix, range));
  }
}

/** Rows by equality of all columns. */
export class HashIndex {
  readonly kind = 'hash';
  readonly def: IndexDef;
  readonly #table: TableWrites;
  readonly #keys: HashKeys;

  constructor(table: TableWrites, def: IndexDef, keys: HashKeys) {
    this.def = def;
    this.#table = table;
    this.#keys = keys;
  }

  filter(prefix: readonly unknown[], range?: KeyRange): Row[] {
    return rowsOf(this.#cells(prefix, range));
  }

  deleteMatching(prefix: readonly unknown[], range?: KeyRange): number {
    return this.#table.deleteCells(this.#cells(prefix, range));
  }

  #cells(prefix: readonly unknown[], range: KeyRange | undefined): Cell[] {
    const columnCount = this.def.columns.length;
    if (range !== undefined || prefix.length !== columnCount)
      throw wrongAlgorithm(this.#table.name, this.def, range === undefined ? 'some of them' : 'a range');
    return this.#keys.find(columnCount === 1 ? prefix[0] : prefix);
  }
}
