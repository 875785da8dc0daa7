import type { Row } from '../contract.js';

/**
 * Where a row lives from its insert to its delete. Indexes point at the cell, so an update of a column that no index
 * covers touches no index.
 */
export class Cell {
  /** The row now; undefined once it is deleted. */
  row: Row | undefined = undefined;
  /** What the open transaction did to this cell, if anything. */
  touch: Touch | undefined = undefined;
}

/** The first time a transaction changes a cell: what was there before. All that rollback and deltas need. */
export class Touch {
  readonly cell: Cell;
  readonly before: Row | undefined;
  /** Where the row of now stands in the transaction's bytes. */
  start: number;
  end: number;

  constructor(cell: Cell, start: number, end: number) {
    this.cell = cell;
    this.before = cell.row;
    this.start = start;
    this.end = end;
  }
}
