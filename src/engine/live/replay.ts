import type { LiveQuery, MissedCommit, QueryDelta, RowChange } from '../contract.js';
import type { TxOffset } from '../log/commit-log.js';
import { CommitPass, Memo } from './query-delta.js';
import type { PendingDelta } from './query-delta.js';
import { QueryInstance } from './query-instance.js';
import { TableQueries } from './table-queries.js';

/*
 * What past commits did to queries. The queries themselves may be attached and filed in the live index, so doubles of them
 * are filed in one of their own: a commit costs as little here as it did when it happened.
 */

export interface PastDelta {
  readonly table: string;
  readonly deletes: readonly RowChange[];
  readonly inserts: readonly RowChange[];
}

export interface PastCommit {
  readonly offset: TxOffset;
  readonly deltas: readonly PastDelta[];
}

/**
 * Undefined when a query failed on the way.
 *
 * @param read gives a commit with the tables that are asked for.
 */
export function replayCommits<C>(
  commits: readonly C[],
  read: (commit: C, isAsked: (table: string) => boolean) => PastCommit,
  queries: Iterable<QueryInstance>,
): readonly MissedCommit[] | undefined {
  const { tables, originals } = fileDoubles(queries);
  const isAsked = (table: string): boolean => tables.has(table);
  const missed: MissedCommit[] = [];
  for (const commit of commits) {
    const { offset, deltas } = read(commit, isAsked);
    const pass = new CommitPass();
    for (const delta of deltas) {
      const filed = tables.get(delta.table);
      if (filed === undefined) continue;
      pass.isEvent = filed.table.isEvent;
      filed.match(delta, pass);
    }
    const changed = pass.finish();
    if (pass.failures !== undefined) return undefined;
    if (changed.length === 0) continue;
    missed.push({
      offset,
      deltas: changed.map((delta) => new ReplayedDelta(originals.get(delta.query)!, delta)),
    });
  }
  return missed;
}

function fileDoubles(queries: Iterable<QueryInstance>): {
  readonly tables: ReadonlyMap<string, TableQueries>;
  readonly originals: ReadonlyMap<LiveQuery, LiveQuery>;
} {
  const tables = new Map<string, TableQueries>();
  const originals = new Map<LiveQuery, LiveQuery>();
  for (const query of queries) {
    const double = new QueryInstance(query.key, query.bound, () => query.snapshot());
    let filed = tables.get(query.table.name);
    if (filed === undefined) tables.set(query.table.name, (filed = new TableQueries(query.table)));
    filed.add(double);
    originals.set(double, query);
  }
  return { tables, originals };
}

class ReplayedDelta extends Memo implements QueryDelta {
  readonly query: LiveQuery;
  readonly isEvent: boolean;
  readonly inserts: readonly Uint8Array[];
  readonly deletes: readonly Uint8Array[];

  constructor(query: LiveQuery, { isEvent, inserts, deletes }: PendingDelta) {
    super();
    this.query = query;
    this.isEvent = isEvent;
    this.inserts = inserts;
    this.deletes = deletes;
  }
}
