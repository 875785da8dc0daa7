import type { QueryDelta, RowChange } from '../contract.js';
import type { QueryInstance } from './query-instance.js';

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

export type ChangeSide = 'inserts' | 'deletes';

export type VisitMatch = (query: QueryInstance, side: ChangeSide, change: RowChange) => void;
