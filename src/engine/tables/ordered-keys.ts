import type { Row } from '../contract.js';
import { BTree } from './b-tree.js';
import { addToBucket, emptiesBucket, pushCells } from './bucket.js';
import type { Bucket } from './bucket.js';
import type { Cell } from './cell.js';
import type { KeyColumns } from './key-columns.js';

/** One end of a range. */
export type RangeBound =
  | { readonly kind: 'included'; readonly value: unknown }
  | { readonly kind: 'excluded'; readonly value: unknown }
  | { readonly kind: 'unbounded' };

export interface KeyRange {
  readonly from: RangeBound;
  readonly to: RangeBound;
}

/** A place in the order just before (-1) or just after (+1) all keys that start with `prefix`. Never equal to a key. */
class Place {
  readonly prefix: readonly unknown[];
  readonly side: -1 | 1;

  constructor(prefix: readonly unknown[], side: -1 | 1) {
    this.prefix = prefix;
    this.side = side;
  }
}

/** Stands for NaN in the tree, which expects a key to be `===` to itself when it deletes. */
const NAN_KEY = Symbol('NaN');

function treeKey(key: unknown): unknown {
  return Number.isNaN(key) ? NAN_KEY : key;
}

function sortKey(key: unknown): unknown {
  return key === NAN_KEY ? Number.NaN : key;
}

/** Any number of cells per key, in the order of the keys. */
export class OrderedKeys {
  readonly keyColumns: KeyColumns;
  readonly #tree: BTree<unknown, Bucket>;

  constructor(keyColumns: KeyColumns) {
    this.keyColumns = keyColumns;
    this.#tree = new BTree<unknown, Bucket>(undefined, compileOrder(keyColumns));
  }

  /** The cells whose first columns are `prefix` and whose next column is in `range`, in order. */
  find(prefix: readonly unknown[], range?: KeyRange): Cell[] {
    prefix.forEach((value, position) => this.keyColumns.check(position, value));
    const low = this.#place(prefix, range?.from, -1);
    const high = this.#place(prefix, range?.to, 1);
    const found: Cell[] = [];
    this.#tree.forRange(low, high, false, (_key, bucket) => pushCells(bucket, found));
    return found;
  }

  isSame(a: Row, b: Row): boolean {
    return this.keyColumns.isSame(a, b);
  }

  add(cell: Cell, row: Row): void {
    const key = treeKey(this.keyColumns.sortKeyOf(row));
    const bucket = this.#tree.get(key);
    const next = bucket === undefined ? cell : addToBucket(bucket, cell);
    if (next !== bucket) this.#tree.set(key, next);
  }

  remove(cell: Cell, row: Row): void {
    const key = treeKey(this.keyColumns.sortKeyOf(row));
    const bucket = this.#tree.get(key);
    if (bucket !== undefined && emptiesBucket(bucket, cell)) this.#tree.delete(key);
  }

  #place(prefix: readonly unknown[], bound: RangeBound | undefined, side: -1 | 1): Place {
    if (bound === undefined || bound.kind === 'unbounded') return new Place(prefix, side);
    this.keyColumns.check(prefix.length, bound.value);
    // Included at the lower end starts before the equal keys, at the upper end it stops after them.
    const outward = bound.kind === 'included' ? side : side === -1 ? 1 : -1;
    return new Place([...prefix, bound.value], outward);
  }
}

function compileOrder(keyColumns: KeyColumns): (a: unknown, b: unknown) => number {
  const isSingle = keyColumns.columns.length === 1;
  const compareToPlace = (key: unknown, place: Place): number => {
    for (let i = 0; i < place.prefix.length; i++) {
      const value = isSingle ? sortKey(key) : (key as readonly unknown[])[i];
      const order = keyColumns.compareValues(i, value, place.prefix[i]);
      if (order !== 0) return order;
    }
    return -place.side;
  };
  const compareKeys = isSingle
    ? (a: unknown, b: unknown): number => keyColumns.compareValues(0, sortKey(a), sortKey(b))
    : (a: unknown, b: unknown): number => {
        for (let i = 0; i < keyColumns.columns.length; i++) {
          const order = keyColumns.compareValues(
            i,
            (a as readonly unknown[])[i],
            (b as readonly unknown[])[i],
          );
          if (order !== 0) return order;
        }
        return 0;
      };
  return (a, b) => {
    if (b instanceof Place)
      return a instanceof Place ? comparePlaces(keyColumns, a, b) : compareToPlace(a, b);
    return a instanceof Place ? -compareToPlace(b, a) : compareKeys(a, b);
  };
}

/** The tree compares the two ends of a range with each other. */
function comparePlaces(keyColumns: KeyColumns, a: Place, b: Place): number {
  const shared = Math.min(a.prefix.length, b.prefix.length);
  for (let i = 0; i < shared; i++) {
    const order = keyColumns.compareValues(i, a.prefix[i], b.prefix[i]);
    if (order !== 0) return order;
  }
  if (a.prefix.length === b.prefix.length) return a.side - b.side;
  return a.prefix.length < b.prefix.length ? a.side : -b.side;
}
