import { closestWord } from '../../base/closest-word.js';
import type { Typespace } from '../../values/algebraic-type.js';
import type { TableDef } from '../schema.js';
import type { ColumnName, Name } from './ast.js';
import { sqlErrorAt } from './sql-error.js';
import { didYouMean, shorten } from './token-cursor.js';

/** What the names of a statement can mean. */
export interface Scope {
  readonly sql: string;
  readonly table: TableDef;
  readonly typespace: Typespace;
  /** What may stand before a column's dot. */
  readonly tableNames: readonly string[];
}

/** The position of a column, by its canonical name or by its author's. */
export function resolveColumn(scope: Scope, column: ColumnName): number {
  if (column.table !== undefined) checkQualifier(scope, column.table);
  const { columns } = scope.table;
  const name = column.name.text;
  const canonical = columns.findIndex((candidate) => candidate.name === name);
  const index = canonical >= 0 ? canonical : columns.findIndex((candidate) => candidate.property === name);
  if (index >= 0) return index;
  const names = columns.flatMap((candidate) => [candidate.name, candidate.property]);
  throw notInScope(scope.sql, column.name, names);
}

/** Throws unless `table` may stand before a dot here. */
export function checkQualifier(scope: Scope, table: Name): void {
  if (!scope.tableNames.includes(table.text)) throw notInScope(scope.sql, table, scope.tableNames);
}

function notInScope(sql: string, name: Name, candidates: readonly string[]): Error {
  const meant = closestWord(name.text, candidates);
  const hint = meant === undefined ? undefined : didYouMean(meant);
  return sqlErrorAt(sql, name.at, 'NOT_IN_SCOPE', `\`${shorten(name.text)}\` is not in scope`, hint);
}
