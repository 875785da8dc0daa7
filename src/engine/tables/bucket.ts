import type { Row } from '../contract.js';
import { Cell } from './cell.js';

/** The cells of one key of a non-unique index. Most keys have one cell, which then needs no Set. */
export type Bucket = Cell | Set<Cell>;

/** The bucket with `cell` in it: the same Set, or a new one. */
export function addToBucket(bucket: Bucket, cell: Cell): Bucket {
  if (bucket instanceof Cell) return new Set([bucket, cell]);
  return bucket.add(cell);
}

/** Takes `cell` out; true when nothing is left. */
export function emptiesBucket(bucket: Bucket, cell: Cell): boolean {
  if (bucket instanceof Cell) return bucket === cell;
  bucket.delete(cell);
  return bucket.size === 0;
}

export function pushCells(bucket: Bucket, target: Cell[]): void {
  if (bucket instanceof Cell) target.push(bucket);
  else for (const cell of bucket) target.push(cell);
}

export function rowsOf(cells: readonly Cell[]): Row[] {
  return cells.map((cell) => cell.row!);
}
