import { EngineError } from '../errors.js';
import type { Row } from '../contract.js';
import type { TableDef } from '../schema.js';
import type { Cell } from './cell.js';
import type { HashKeys } from './hash-keys.js';
import type { OrderedKeys } from './ordered-keys.js';
import type { RowKeys } from './row-keys.js';
import type { UniqueKeys } from './unique-keys.js';

/** What every kind of index does as rows come and go. */
interface CellIndex {
  isSame(a: Row, b: Row): boolean;
  add(cell: Cell, row: Row): void;
  remove(cell: Cell, row: Row): void;
}

/** The rows of one table and everything that points at them. Knows nothing of transactions. */
export class RowStore {
  readonly #table: TableDef;
  /** The primary key first; empty when rows are kept as a set. */
  readonly uniques: readonly UniqueKeys[];
  readonly rowKeys: RowKeys | undefined;
  readonly #indexes: readonly CellIndex[];

  constructor(
    table: TableDef,
    base: { readonly uniques: readonly UniqueKeys[]; readonly rowKeys: RowKeys | undefined },
    others: readonly (HashKeys | OrderedKeys)[],
  ) {
    this.#table = table;
    this.uniques = base.uniques;
    this.rowKeys = base.rowKeys;
    this.#indexes =
      base.rowKeys === undefined ? [...base.uniques, ...others] : [base.rowKeys, ...base.uniques, ...others];
  }

  get size(): number {
    return (this.rowKeys ?? this.uniques[0]!).size;
  }

  /** The cells as they are now; must not be used on across a change. */
  cells(): IterableIterator<Cell> {
    return (this.rowKeys ?? this.uniques[0]!).cells();
  }

  add(cell: Cell, row: Row): void {
    cell.row = row;
    for (const index of this.#indexes) index.add(cell, row);
  }

  remove(cell: Cell): void {
    const row = cell.row!;
    for (const index of this.#indexes) index.remove(cell, row);
    cell.row = undefined;
  }

  /** Puts `row` where another row with the same value of `unique` was; touches only indexes whose columns differ. */
  replace(cell: Cell, row: Row, unique: UniqueKeys): void {
    const before = cell.row!;
    for (const index of this.#indexes) {
      // Not even asked: with one index the row from before is not read, which would be most of a replay's time.
      if (index === unique || index.isSame(before, row)) continue;
      index.remove(cell, before);
      index.add(cell, row);
    }
    cell.row = row;
  }

  /** Throws UniqueAlreadyExists when a row other than that of `self` has a unique value of `row`. */
  checkUnique(row: Row, self: Cell | undefined): void {
    for (const unique of this.uniques) {
      if (self !== undefined && unique.isSame(self.row!, row)) continue;
      const other = unique.findSame(row);
      if (other !== undefined && other !== self) throw this.#violation(unique, row);
    }
  }

  /** First half of going back: takes out of each index what `before` did not have there. */
  unlinkAll(cell: Cell, before: Row | undefined): void {
    const row = cell.row;
    if (row === undefined) return;
    for (const index of this.#indexes) {
      if (before === undefined || !index.isSame(before, row)) index.remove(cell, row);
    }
  }

  /** Second half, once every cell was unlinked: `before` is the row again. */
  relinkAll(cell: Cell, before: Row | undefined): void {
    const row = cell.row;
    cell.row = before;
    if (before === undefined) return;
    for (const index of this.#indexes) {
      if (row === undefined || !index.isSame(before, row)) index.add(cell, before);
    }
  }

  #violation(unique: UniqueKeys, row: Row): EngineError {
    return new EngineError(
      'UniqueAlreadyExists',
      `table \`${this.#table.name}\`: a row with ${unique.keyColumns.describe(row)} exists already (unique constraint \`${unique.constraint}\`)`,
    );
  }
}
