import type { AlgebraicType, ProductElement, Typespace } from '../../../../values/algebraic-type.js';
import { compileCompare, compileKey } from '../../../../values/key.js';
import type { Row } from './table-cache.js';

/* Ways into a table's rows by the values of some columns. Built at first use, kept up to date from then on. */

export type Bound<T> =
  | { readonly tag: 'included' | 'excluded'; readonly value: T }
  | { readonly tag: 'unbounded' };

/** A range of one column; a missing end is open. */
export class Range<T> {
  readonly from: Bound<T>;
  readonly to: Bound<T>;

  constructor(from?: Bound<T> | null, to?: Bound<T> | null) {
    this.from = from ?? { tag: 'unbounded' };
    this.to = to ?? { tag: 'unbounded' };
  }
}

type Key = string | number | boolean;

export class RowIndex {
  readonly columns: readonly ProductElement[];
  readonly #keyOf: (row: Row) => Key;
  readonly #typespace: Typespace;
  readonly #rows: () => Iterable<Row>;
  #buckets: Map<Key, Set<Row>> | undefined;

  constructor(columns: readonly ProductElement[], typespace: Typespace, rows: () => Iterable<Row>) {
    this.columns = columns;
    this.#typespace = typespace;
    this.#rows = rows;
    this.#keyOf = compileRowKey(columns, typespace);
  }

  added(row: Row): void {
    if (this.#buckets !== undefined) addTo(this.#buckets, this.#keyOf(row), row);
  }

  removed(row: Row): void {
    if (this.#buckets === undefined) return;
    const key = this.#keyOf(row);
    const bucket = this.#buckets.get(key);
    bucket?.delete(row);
    if (bucket?.size === 0) this.#buckets.delete(key);
  }

  /** The rows whose columns have these values; `values` may be only the first of several columns. */
  rowsAt(values: readonly unknown[]): Iterable<Row> {
    if (values.length === this.columns.length && !values.some((value) => value instanceof Range)) {
      return this.#built().get(this.#keyOf(this.#asRow(values))) ?? [];
    }
    return this.#scan(values);
  }

  #asRow(values: readonly unknown[]): Row {
    return Object.fromEntries(this.columns.map(({ property }, i) => [property, values[i]]));
  }

  #built(): Map<Key, Set<Row>> {
    if (this.#buckets === undefined) {
      this.#buckets = new Map();
      for (const row of this.#rows()) addTo(this.#buckets, this.#keyOf(row), row);
    }
    return this.#buckets;
  }

  #scan(values: readonly unknown[]): Row[] {
    const tests = values.map((value, i) => columnTest(this.columns[i]!, value, this.#typespace));
    return [...this.#rows()].filter((row) => tests.every((test) => test(row)));
  }
}

function addTo(buckets: Map<Key, Set<Row>>, key: Key, row: Row): void {
  const bucket = buckets.get(key);
  if (bucket === undefined) buckets.set(key, new Set([row]));
  else bucket.add(row);
}

/** One value for the columns of a row: equal values are equal keys. */
export function compileRowKey(columns: readonly ProductElement[], typespace: Typespace): (row: Row) => Key {
  const [first, ...more] = columns;
  if (first !== undefined && more.length === 0) {
    const keyOf = compileKey(first.type, typespace);
    const { property } = first;
    return (row) => keyOf(row[property]);
  }
  const type: AlgebraicType = { kind: 'product', elements: columns };
  return compileKey(type, typespace);
}

function columnTest(column: ProductElement, value: unknown, typespace: Typespace): (row: Row) => boolean {
  const compare = compileCompare(column.type, typespace);
  const { property } = column;
  if (!(value instanceof Range)) return (row) => compare(row[property], value) === 0;
  const { from, to } = value as Range<unknown>;
  return (row) => {
    const cell = row[property];
    return (
      isInside(from, 1, (bound) => compare(cell, bound)) && isInside(to, -1, (bound) => compare(cell, bound))
    );
  };
}

function isInside(bound: Bound<unknown>, direction: 1 | -1, compare: (bound: unknown) => number): boolean {
  if (bound.tag === 'unbounded') return true;
  const order = compare(bound.value) * direction;
  return bound.tag === 'included' ? order >= 0 : order > 0;
}
