import type { QueryDelta, RowChange } from '../contract.js';
import type { QueryInstance } from './query-instance.js';
import type { ChangeSide, MatchSink } from './table-queries.js';

/** Things computed once for all who ask, e.g. by protocols. */
export class Memo {
  #values: Map<symbol, unknown> | undefined;

  memo<T>(key: symbol, make: () => T): T {
    const values = (this.#values ??= new Map<symbol, unknown>());
    if (!values.has(key)) values.set(key, make());
    return values.get(key) as T;
  }
}

/** Collects what one commit does to one query. */
export class PendingDelta extends Memo implements QueryDelta {
  readonly query: QueryInstance;
  readonly isEvent: boolean;
  readonly inserts: Uint8Array[] = [];
  readonly deletes: Uint8Array[] = [];

  constructor(query: QueryInstance, isEvent: boolean) {
    super();
    this.query = query;
    this.isEvent = isEvent;
  }
}

/** What one commit does to the queries: filled while its changes are looked at, then told. */
export class CommitPass implements MatchSink {
  readonly deltas: PendingDelta[] = [];
  failures: Map<QueryInstance, unknown> | undefined;
  isEvent = false;

  visit(query: QueryInstance, side: ChangeSide, change: RowChange): void {
    let delta = query.pending;
    if (delta === undefined) {
      delta = new PendingDelta(query, this.isEvent);
      query.pending = delta;
      this.deltas.push(delta);
    }
    delta[side].push(change.bytes);
  }

  fail(query: QueryInstance, error: unknown): void {
    this.failures ??= new Map();
    this.failures.set(query, error);
  }

  /** The deltas of those queries that did not fail. Nothing can be added afterwards. */
  finish(): PendingDelta[] {
    for (const { query } of this.deltas) query.pending = undefined;
    const { failures } = this;
    return failures === undefined ? this.deltas : this.deltas.filter(({ query }) => !failures.has(query));
  }
}
