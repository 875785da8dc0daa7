import type { LiveListener, LiveQuery } from '../contract.js';
import type { TableDef } from '../schema.js';
import type { BoundQuery } from '../sql/bound.js';
import type { Memo, PendingDelta } from './query-delta.js';
import type { Placement } from './table-queries.js';

/** The rows of a query at one moment. */
export interface Snapshot extends Memo {
  readonly rows: readonly Uint8Array[];
}

/**
 * One distinct query and everybody who listens to it. There is at most one at a time for equal queries, however their
 * texts differ.
 */
export class QueryInstance implements LiveQuery {
  /** Table, condition and constants as text: equal for equal queries. */
  readonly key: string;
  /** Another object for the same query once the schema was replaced. */
  bound: BoundQuery;
  /** How often each listener is attached. Empty while nobody is; another Map after the query was dropped. */
  listeners = new Map<LiveListener, number>();
  /** Where the query is filed in the index of its table, while somebody is attached. */
  placement: Placement | undefined = undefined;
  /** What the commit that is being looked at has done so far. */
  pending: PendingDelta | undefined = undefined;
  /** The last changed row this query was tested with: one that is filed twice sees a row once. */
  lastChange = 0;
  readonly #takeSnapshot: (query: QueryInstance) => Snapshot;

  constructor(key: string, bound: BoundQuery, takeSnapshot: (query: QueryInstance) => Snapshot) {
    this.key = key;
    this.bound = bound;
    this.#takeSnapshot = takeSnapshot;
  }

  get sql(): string {
    return this.bound.sql;
  }

  get table(): TableDef {
    return this.bound.table;
  }

  snapshot(): Snapshot {
    return this.#takeSnapshot(this);
  }
}

export function instanceKey(bound: BoundQuery): string {
  return `${bound.template} ${bound.constantsKey}`;
}
