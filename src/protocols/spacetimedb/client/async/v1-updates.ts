import type { QuerySetUpdate, TableRows } from '../../messages/server-messages.js';
import type { DatabaseUpdate } from '../../messages/v1/server-messages.js';
import type { AutogenPackage } from './autogen-package.js';

/* What v1 says of rows, in the form in which the cache takes it. */

/** All rows of the queries. */
export function rowsOf(update: DatabaseUpdate): readonly TableRows[] {
  return update.flatMap(({ table, updates }) => updates.map(({ inserts }) => ({ table, rows: inserts })));
}

/** What a transaction changed. v1 does not mark event tables: their rows come as inserts. */
export function changesOf(
  update: DatabaseUpdate,
  { remoteModule }: AutogenPackage,
): readonly QuerySetUpdate[] {
  const tables = update.map(({ table, updates }) => {
    const isEvent = remoteModule.tables[table]?.isEvent === true;
    const rows = updates.map(({ inserts, deletes }) =>
      isEvent
        ? ({ kind: 'event', events: inserts } as const)
        : ({ kind: 'persistent', inserts, deletes } as const),
    );
    return { table, rows };
  });
  return tables.length === 0 ? [] : [{ querySetId: 0, tables }];
}
