import { createHash } from 'node:crypto';
import { encodeHex } from '../../../../base/hex.js';
import type { LiveQuery, QueryDelta } from '../../../../engine/contract.js';
import type { DatabaseSchema, TableDef } from '../../../../engine/schema.js';
import { decodeFromBytes } from '../../../../values/bsatn/codec.js';
import { encodeLegacyJson } from '../../messages/v1-text/legacy-json.js';
import { rowOperation } from '../../messages/v1-text/messages.js';
import type { TextTableUpdate } from '../../messages/v1-text/messages.js';
import { rowCodec } from '../row-codecs.js';

const OPERATIONS = Symbol('delta as v1.text has it');
const ROWS = Symbol('rows by key, as v1.text has them');

// 31 bytes: longer rows are named by a hash, which has 64 digits, so that no row is named like another one's hash.
const ROW_IN_KEY_BYTES = 31;

/** What a client of v1.text holds: which rows of its queries are in his cache. */
export class TextCache {
  readonly #schemaNow: () => DatabaseSchema;
  readonly #queries: readonly LiveQuery[];
  /** In how many queries a row is, by its key; only for tables that several queries read. */
  readonly #counts = new Map<string, Map<string, number>>();

  /** @param schema of today: tables may be added while the client is there. */
  constructor(schema: () => DatabaseSchema, queries: readonly LiveQuery[]) {
    this.#schemaNow = schema;
    this.#queries = queries;
    for (const [table, readers] of groupBy(queries, ({ table: { name } }) => name)) {
      if (readers.length > 1) this.#counts.set(table, countRows(readers, this.#schema));
    }
  }

  get #schema(): DatabaseSchema {
    return this.#schemaNow();
  }

  /** What a commit changed, a row at most once. */
  apply(deltas: readonly QueryDelta[]): TextTableUpdate[] {
    const updates: TextTableUpdate[] = [];
    for (const [table, changes] of groupBy(deltas, ({ query }) => query.table.name)) {
      const counts = this.#counts.get(table);
      const operations =
        counts === undefined
          ? changes.flatMap((delta) => this.#told(delta))
          : this.#toldOnce(counts, changes);
      if (operations.length > 0) updates.push({ tableId: this.#idOf(table), table, operations });
    }
    return updates;
  }

  /** What turns the rows that the client holds by `old` into those of this. Both as of now. */
  changesSince(old: TextCache): TextTableUpdate[] {
    const [before, after] = [old.#rowsByTable(), this.#rowsByTable()];
    const updates: TextTableUpdate[] = [];
    for (const table of new Set([...before.keys(), ...after.keys()])) {
      const [gone, come] = [before.get(table) ?? NO_ROWS, after.get(table) ?? NO_ROWS];
      const operations: string[] = [];
      for (const [key, row] of gone) if (!come.has(key)) operations.push(rowOperation('delete', key, row));
      for (const [key, row] of come) if (!gone.has(key)) operations.push(rowOperation('insert', key, row));
      updates.push({ tableId: this.#idOf(table), table, operations });
    }
    return updates;
  }

  #rowsByTable(): Map<string, Map<string, string>> {
    const tables = new Map<string, Map<string, string>>();
    for (const query of this.#queries) {
      const rows = rowsOf(query, this.#schema);
      const known = tables.get(query.table.name);
      tables.set(query.table.name, known === undefined ? rows : new Map([...known, ...rows]));
    }
    return tables;
  }

  /** Of a table that one query reads. */
  #told(delta: QueryDelta): readonly string[] {
    return delta.memo(OPERATIONS, () => {
      const { table } = delta.query;
      const describe = (op: 'insert' | 'delete', row: Uint8Array): string =>
        rowOperation(op, rowKey(row), rowText(table, row, this.#schema));
      return [
        ...delta.deletes.map((row) => describe('delete', row)),
        ...delta.inserts.map((row) => describe('insert', row)),
      ];
    });
  }

  #toldOnce(counts: Map<string, number>, deltas: readonly QueryDelta[]): readonly string[] {
    const changed = new Map<
      string,
      { readonly query: LiveQuery; readonly row: Uint8Array; before: number }
    >();
    const count = (query: LiveQuery, row: Uint8Array, by: 1 | -1): void => {
      const key = rowKey(row);
      const before = counts.get(key) ?? 0;
      if (!changed.has(key)) changed.set(key, { query, row, before });
      if (before + by === 0) counts.delete(key);
      else counts.set(key, before + by);
    };
    const events: string[] = [];
    for (const delta of deltas) {
      if (delta.isEvent) events.push(...this.#told(delta));
      else {
        for (const row of delta.deletes) count(delta.query, row, -1);
        for (const row of delta.inserts) count(delta.query, row, 1);
      }
    }
    const operations = [...changed].flatMap(([key, { query, row, before }]) => {
      const isHeld = counts.has(key);
      if (before > 0 === isHeld) return [];
      return [rowOperation(isHeld ? 'insert' : 'delete', key, rowText(query.table, row, this.#schema))];
    });
    return [...new Set(events), ...operations];
  }

  #idOf(table: string): number {
    return FIRST_TABLE_ID + this.#schema.tables.findIndex(({ name }) => name === table);
  }
}

// As in v1.
const FIRST_TABLE_ID = 4096;
const NO_ROWS: ReadonlyMap<string, string> = new Map();

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function countRows(queries: readonly LiveQuery[], schema: DatabaseSchema): Map<string, number> {
  const counts = new Map<string, number>();
  for (const query of queries) {
    for (const key of rowsOf(query, schema).keys()) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** The rows of a query as they are now, by their keys. */
function rowsOf(query: LiveQuery, schema: DatabaseSchema): Map<string, string> {
  const snapshot = query.snapshot();
  return snapshot.memo(
    ROWS,
    () => new Map(snapshot.rows.map((row) => [rowKey(row), rowText(query.table, row, schema)])),
  );
}

function rowText(table: TableDef, row: Uint8Array, { typespace }: DatabaseSchema): string {
  return encodeLegacyJson(table.rowType, decodeFromBytes(rowCodec(table, typespace), row), typespace);
}

/** A text that is equal for equal rows and different for others. */
function rowKey(row: Uint8Array): string {
  return row.length <= ROW_IN_KEY_BYTES ? encodeHex(row) : createHash('sha256').update(row).digest('hex');
}
