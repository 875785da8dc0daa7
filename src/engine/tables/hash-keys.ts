import type { Row } from '../contract.js';
import { addToBucket, emptiesBucket, pushCells } from './bucket.js';
import type { Bucket } from './bucket.js';
import type { Cell } from './cell.js';
import type { KeyColumns } from './key-columns.js';
import type { MapKey } from './key-map.js';

/** Any number of cells per key, found by equality only. */
export class HashKeys {
  readonly keyColumns: KeyColumns;
  readonly #buckets = new Map<MapKey, Bucket>();

  constructor(keyColumns: KeyColumns) {
    this.keyColumns = keyColumns;
  }

  find(values: unknown): Cell[] {
    const found: Cell[] = [];
    const bucket = this.#buckets.get(this.keyColumns.keyOfValues(values));
    if (bucket !== undefined) pushCells(bucket, found);
    return found;
  }

  isSame(a: Row, b: Row): boolean {
    return this.keyColumns.isSame(a, b);
  }

  add(cell: Cell, row: Row): void {
    const key = this.keyColumns.keyOf(row);
    const bucket = this.#buckets.get(key);
    const next = bucket === undefined ? cell : addToBucket(bucket, cell);
    if (next !== bucket) this.#buckets.set(key, next);
  }

  remove(cell: Cell, row: Row): void {
    const key = this.keyColumns.keyOf(row);
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined && emptiesBucket(bucket, cell)) this.#buckets.delete(key);
  }
}
