import type { QuerySetUpdate, TableRows } from '../../messages/server-messages.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import { TableCache } from './table-cache.js';
import type { RowEvent, TableBatch } from './table-cache.js';
import type { TableView } from './table-view.js';

/** All rows anew: what is added is not seen before `finish`, which tells what is different from before. */
export interface CacheRebuild {
  /** Rows of a query. Throws WireError. */
  addRows(tables: readonly TableRows[]): void;
  /** What a transaction changed of rows that were added. Throws WireError. */
  addUpdate(querySets: readonly QuerySetUpdate[]): void;
  finish(): RowEvent[];
}

/**
 * All tables of a connection. One message is one batch: everything in it is decoded first, then the whole cache
 * changes, and only then is anybody told.
 */
export class ClientCache {
  /** By canonical name, as messages name them. */
  readonly #tables = new Map<string, TableCache>();
  readonly #report: (problem: string) => void;
  /** By accessor, as applications name them: `conn.db`. */
  readonly view: Readonly<Record<string, TableView>>;

  constructor(module: UntypedRemoteModule, report: (problem: string) => void) {
    this.#report = report;
    const view: Record<string, TableView> = {};
    for (const def of Object.values(module.tables)) {
      const cache = new TableCache(def, report);
      this.#tables.set(def.sourceName, cache);
      view[def.accessorName] = cache.view;
    }
    this.view = view;
  }

  /** Rows that queries gained (they became active) or lost (they ended). Throws WireError and changes nothing then. */
  applyRows(tables: readonly TableRows[], kind: 'insert' | 'delete'): RowEvent[] {
    const batches = new Map<TableCache, TableBatch>();
    this.#gatherRows(batches, tables, kind);
    return applyAll(batches);
  }

  /** What a transaction changed. Throws WireError and changes nothing then. */
  applyUpdate(querySets: readonly QuerySetUpdate[]): RowEvent[] {
    if (querySets.length === 0) return [];
    const batches = new Map<TableCache, TableBatch>();
    this.#gatherUpdate(batches, querySets);
    return applyAll(batches);
  }

  /** Begins to learn all rows anew; the cache stays as it is until the end. */
  startRebuild(): CacheRebuild {
    const batches = new Map<TableCache, TableBatch>();
    for (const cache of this.#tables.values()) batches.set(cache, cache.newBatch());
    return {
      addRows: (tables) => this.#gatherRows(batches, tables, 'insert'),
      addUpdate: (querySets) => this.#gatherUpdate(batches, querySets),
      finish: () => {
        const events: RowEvent[] = [];
        for (const [cache, batch] of batches) cache.replaceAll(batch, events);
        return events;
      },
    };
  }

  #gatherRows(
    batches: Map<TableCache, TableBatch>,
    tables: readonly TableRows[],
    kind: 'insert' | 'delete',
  ): void {
    for (const { table, rows } of tables) {
      const cache = this.#find(table);
      if (cache !== undefined) cache.gather(batchOf(batches, cache), rows, kind);
    }
  }

  #gatherUpdate(batches: Map<TableCache, TableBatch>, querySets: readonly QuerySetUpdate[]): void {
    for (const { tables } of querySets) {
      for (const { table, rows } of tables) {
        const cache = this.#find(table);
        if (cache === undefined) continue;
        const batch = batchOf(batches, cache);
        for (const update of rows) {
          if (update.kind === 'event') {
            cache.gather(batch, update.events, 'event');
          } else {
            cache.gather(batch, update.inserts, 'insert');
            cache.gather(batch, update.deletes, 'delete');
          }
        }
      }
    }
  }

  #find(table: string): TableCache | undefined {
    const cache = this.#tables.get(table);
    if (cache === undefined) {
      this.#report(
        `the server sends rows of \`${table}\`, which these bindings do not know: generate them again`,
      );
    }
    return cache;
  }
}

function batchOf(batches: Map<TableCache, TableBatch>, cache: TableCache): TableBatch {
  let batch = batches.get(cache);
  if (batch === undefined) {
    batch = cache.newBatch();
    batches.set(cache, batch);
  }
  return batch;
}

function applyAll(batches: ReadonlyMap<TableCache, TableBatch>): RowEvent[] {
  const events: RowEvent[] = [];
  for (const [cache, batch] of batches) cache.apply(batch, events);
  return events;
}
