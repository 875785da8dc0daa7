import { assert } from '../../base/assert.js';
import type { Row, RowChange, TableDelta } from '../contract.js';
import type { TableDef } from '../schema.js';
import type { BoundColumn, Predicate } from '../sql/bound.js';
import { comparandKey, toEqualityComparand } from '../sql/comparand.js';
import type { ToComparand } from '../sql/comparand.js';
import { findCover, withoutEquality } from '../sql/cover.js';
import type { Equality } from '../sql/cover.js';
import { compilePredicate } from '../sql/predicate.js';
import type { QueryInstance, Snapshot } from './query-instance.js';

type Key = number | string | boolean;

/** Where a query is filed: under some `column = constant`, or among those that every changed row is tested with. */
export interface Placement {
  /** Undefined for queries that have no equality to be found by. */
  readonly equalities: readonly Equality[] | undefined;
  /** What is still to be tested of a row found there; undefined when nothing is. */
  readonly residual: Predicate | undefined;
}

export type ChangeSide = 'inserts' | 'deletes';

/** Takes what comes of looking at a commit. */
export interface MatchSink {
  /** A changed row fulfils a query. */
  visit(query: QueryInstance, side: ChangeSide, change: RowChange): void;
  /** A query threw while a row was tested. */
  fail(query: QueryInstance, error: unknown): void;
}

/**
 * The attached queries of one table, found by what a changed row holds: the cost of a change does not depend on how many
 * queries wait for other values.
 */
export class TableQueries {
  readonly table: TableDef;
  readonly #columns = new Map<number, ColumnQueries>();
  readonly #unfiled = new Set<QueryInstance>();
  #changeCount = 0;
  /** Those taken since the table last changed; entries go with their queries. */
  #snapshots: WeakMap<QueryInstance, Snapshot> | undefined;

  constructor(table: TableDef) {
    this.table = table;
  }

  get isEmpty(): boolean {
    return this.#columns.size === 0 && this.#unfiled.size === 0;
  }

  snapshotOf(query: QueryInstance): Snapshot | undefined {
    return this.#snapshots?.get(query);
  }

  keepSnapshot(query: QueryInstance, snapshot: Snapshot): void {
    this.#snapshots ??= new WeakMap();
    this.#snapshots.set(query, snapshot);
  }

  /** To be called whenever the table has changed. */
  forgetSnapshots(): void {
    this.#snapshots = undefined;
  }

  add(query: QueryInstance): void {
    assert(query.placement === undefined, 'a query is filed once');
    const placement = this.#place(query);
    query.placement = placement;
    if (placement.equalities === undefined) this.#unfiled.add(query);
    for (const equality of placement.equalities ?? []) this.#columnFor(equality.column).add(equality, query);
  }

  remove(query: QueryInstance): void {
    this.#unfiled.delete(query);
    for (const equality of query.placement?.equalities ?? []) {
      const column = this.#columns.get(equality.column.index);
      column?.remove(equality, query);
      if (column?.isEmpty === true) this.#columns.delete(equality.column.index);
    }
    query.placement = undefined;
  }

  /** Shows `sink` each query once for each changed row that fulfils it. */
  match({ deletes, inserts }: Pick<TableDelta, 'deletes' | 'inserts'>, sink: MatchSink): void {
    for (const change of deletes) this.#matchChange('deletes', change, sink);
    for (const change of inserts) this.#matchChange('inserts', change, sink);
  }

  #matchChange(side: ChangeSide, change: RowChange, sink: MatchSink): void {
    this.#changeCount += 1;
    for (const column of this.#columns.values()) {
      const found = column.find(change.row, sink);
      if (found instanceof Set) for (const query of found) this.#test(query, side, change, sink);
      else if (found !== undefined) this.#test(found, side, change, sink);
    }
    for (const query of this.#unfiled) this.#test(query, side, change, sink);
  }

  #test(query: QueryInstance, side: ChangeSide, change: RowChange, sink: MatchSink): void {
    if (query.lastChange === this.#changeCount) return;
    query.lastChange = this.#changeCount;
    const residual = query.placement?.residual;
    try {
      if (residual !== undefined && !residual(change.row)) return;
    } catch (error) {
      sink.fail(query, error);
      return;
    }
    sink.visit(query, side, change);
  }

  #place(query: QueryInstance): Placement {
    const { where } = query.bound;
    const cover = findCover(where, (column) => this.#rank(column));
    const equalities = cover?.equalities;
    const [first, ...more] = equalities ?? [];
    const rest = first === undefined || more.length > 0 ? where : withoutEquality(where, first);
    const isTested = rest.kind !== 'constant' || !rest.value;
    return { equalities, residual: isTested ? compilePredicate(rest) : undefined };
  }

  /** Unique before indexed before any other; a boolean splits a table into two halves at best. */
  #rank(column: BoundColumn): number {
    const { uniqueConstraints, indexes, primaryKey } = this.table;
    const isAlone = (columns: readonly number[]): boolean =>
      columns.length === 1 && columns[0] === column.index;
    if (primaryKey === column.index || uniqueConstraints.some(({ columns }) => isAlone(columns))) return 4;
    if (column.kind === 'bool') return 1;
    return indexes.some(({ columns }) => columns[0] === column.index) ? 3 : 2;
  }

  #columnFor(column: BoundColumn): ColumnQueries {
    const known = this.#columns.get(column.index);
    if (known !== undefined) return known;
    const made = new ColumnQueries(column);
    this.#columns.set(column.index, made);
    return made;
  }
}

/** Queries by the constant they compare one column with. */
class ColumnQueries {
  readonly #property: string;
  readonly #toComparand: ToComparand;
  /** Most constants have one query, which then needs no Set. */
  readonly #byKey = new Map<Key, QueryInstance | Set<QueryInstance>>();

  constructor(column: BoundColumn) {
    this.#property = column.property;
    this.#toComparand = toEqualityComparand(column.kind);
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  add(equality: Equality, query: QueryInstance): void {
    const key = this.#keyOf(equality);
    const there = this.#byKey.get(key);
    if (there === undefined) this.#byKey.set(key, query);
    else if (there instanceof Set) there.add(query);
    else if (there !== query) this.#byKey.set(key, new Set([there, query]));
  }

  remove(equality: Equality, query: QueryInstance): void {
    const key = this.#keyOf(equality);
    const there = this.#byKey.get(key);
    if (there === query) this.#byKey.delete(key);
    if (!(there instanceof Set)) return;
    there.delete(query);
    if (there.size === 0) this.#byKey.delete(key);
  }

  /** The queries that wait for what the row holds. */
  find(row: Row, sink: MatchSink): QueryInstance | Set<QueryInstance> | undefined {
    try {
      return this.#byKey.get(comparandKey(this.#toComparand(row[this.#property])));
    } catch (error) {
      // The row holds something else than the schema says: nobody who looks at this column gets a right answer.
      for (const found of this.#byKey.values()) {
        if (found instanceof Set) for (const query of found) sink.fail(query, error);
        else sink.fail(found, error);
      }
      return undefined;
    }
  }

  #keyOf({ constant }: Equality): Key {
    return comparandKey(this.#toComparand(constant.value));
  }
}
