import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import type { RowOf, TableQuery, UntypedTableDef } from '../client/index.js';
import { useHolder, useSpacetimeDB } from './context.js';
import { cachedTable } from './table-store.js';
import type { AnyRow, TableSnapshot } from './table-store.js';

/** Called for single rows of the query, after the cache has changed. */
export interface UseTableCallbacks<Row> {
  /** A row came; also one that an update has made one of the query's. */
  readonly onInsert?: (row: Row) => void;
  readonly onDelete?: (row: Row) => void;
  readonly onUpdate?: (oldRow: Row, row: Row) => void;
  /** Whether the query is followed at all; true by default. */
  readonly enabled?: boolean;
}

const NOT_READY: TableSnapshot = [[], false];

/**
 * The rows of a query, and whether they are complete. All components that ask the same share one subscription; a query
 * that the server refuses is never ready, and is logged by the connection.
 *
 * @example
 * const [online, isReady] = useTable(tables.user.where((user) => user.online.eq(true)));
 */
export function useTable<D extends UntypedTableDef>(
  query: TableQuery<D>,
  callbacks: UseTableCallbacks<RowOf<D>> = {},
): readonly [rows: readonly RowOf<D>[], isReady: boolean] {
  const holder = useHolder();
  const isEnabled = callbacks.enabled !== false;
  const stable = useStableQuery(query);
  const watch = useCallback(
    (listener: () => void) => (isEnabled ? holder.watch(stable, listener) : () => undefined),
    [holder, stable, isEnabled],
  );
  const read = (): TableSnapshot => (isEnabled ? holder.snapshot(stable) : undefined) ?? NOT_READY;
  const snapshot = useSyncExternalStore(watch, read, () => NOT_READY);
  useRowCallbacks(stable, callbacks as UseTableCallbacks<AnyRow>, isEnabled);
  return snapshot as unknown as readonly [readonly RowOf<D>[], boolean];
}

/** Queries are written in render functions: a new object each time, and mostly the same query. */
function useStableQuery(query: TableQuery): TableQuery {
  const key = `${query.sourceName} ${query.toSql()}`;
  return useMemo(() => query, [key]);
}

function useRowCallbacks(query: TableQuery, callbacks: UseTableCallbacks<AnyRow>, isEnabled: boolean): void {
  const connection = useSpacetimeDB().getConnection();
  const latest = useRef(callbacks);
  useEffect(() => void (latest.current = callbacks));
  useEffect(() => {
    if (connection === null || !isEnabled) return undefined;
    const table = cachedTable(connection, query);
    const onInsert = (_: unknown, row: AnyRow): void => {
      if (query.matches(row)) latest.current.onInsert?.(row);
    };
    const onDelete = (_: unknown, row: AnyRow): void => {
      if (query.matches(row)) latest.current.onDelete?.(row);
    };
    const onUpdate = (_: unknown, oldRow: AnyRow, row: AnyRow): void => {
      const [was, is] = [query.matches(oldRow), query.matches(row)];
      if (was && is) latest.current.onUpdate?.(oldRow, row);
      else if (is) latest.current.onInsert?.(row);
      else if (was) latest.current.onDelete?.(oldRow);
    };
    table.onInsert(onInsert);
    table.onDelete(onDelete);
    table.onUpdate(onUpdate);
    return () => {
      table.removeOnInsert(onInsert);
      table.removeOnDelete(onDelete);
      table.removeOnUpdate(onUpdate);
    };
  }, [connection, query, isEnabled]);
}
