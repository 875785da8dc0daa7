import { primitiveType } from '../../values/algebraic-type.js';
import type { AlgebraicType } from '../../values/algebraic-type.js';
import type { Row, Viewer } from '../contract.js';
import type { DatabaseSchema } from '../schema.js';
import { bindSelect } from './bind.js';
import type { BoundSelect } from './bound.js';
import { candidateRows } from './candidates.js';
import type { QueryTable } from './candidates.js';
import { parseSql } from './parser.js';
import { compilePredicate } from './predicate.js';

/** The tables a statement can read. */
export interface QueryDatabase {
  readonly schema: DatabaseSchema;
  table(name: string): QueryTable;
}

export interface ResultColumn {
  readonly name: string;
  readonly type: AlgebraicType;
}

export interface SelectResult {
  readonly columns: readonly ResultColumn[];
  /** Values in the order of the columns. */
  readonly rows: readonly (readonly unknown[])[];
}

/**
 * Answers one ad hoc SELECT for somebody. The order of the rows is unspecified. Throws SqlError.
 *
 * @example
 * runSql(database, 'SELECT COUNT(*) AS n FROM user WHERE online', viewer).rows // [[2n]]
 */
export function runSql(database: QueryDatabase, sql: string, viewer: Viewer): SelectResult {
  const statement = parseSql(sql, 'adHoc');
  if (statement.kind !== 'select') return { columns: [], rows: [] };
  const select = bindSelect(statement, database.schema, viewer);
  return runSelect(database.table(select.table.name), select);
}

export function runSelect(table: QueryTable, select: BoundSelect): SelectResult {
  const { projection, limit = Infinity } = select;
  if (projection.kind === 'count') {
    const columns = [{ name: projection.name, type: primitiveType('u64') }];
    return { columns, rows: limit === 0 ? [] : [[BigInt(countRows(table, select))]] };
  }
  const properties = projection.columns.map(({ index }) => table.def.columns[index]!.property);
  const rows: unknown[][] = [];
  if (limit > 0) {
    for (const row of matchingRows(table, select)) {
      rows.push(properties.map((property) => row[property]));
      if (rows.length >= limit) break;
    }
  }
  const columns = projection.columns.map(({ name, index }) => ({
    name,
    type: table.def.columns[index]!.type,
  }));
  return { columns, rows };
}

/** The rows that fulfil a query's condition; the table must not change before the last was taken. */
export function* matchingRows(
  table: QueryTable,
  { where }: Pick<BoundSelect, 'where'>,
): IterableIterator<Row> {
  if (where.kind === 'constant' && !where.value) return;
  const matches = compilePredicate(where);
  for (const row of candidateRows(table, where)) if (matches(row)) yield row;
}

function countRows(table: QueryTable, select: BoundSelect): number {
  let count = 0;
  for (const _row of matchingRows(table, select)) count += 1;
  return count;
}
