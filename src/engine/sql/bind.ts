import { closestWord } from '../../base/closest-word.js';
import type { Typespace } from '../../values/algebraic-type.js';
import { toPascalCase, toTitleCase } from '../../values/case-conversion.js';
import type { Viewer } from '../contract.js';
import type { DatabaseSchema, TableDef } from '../schema.js';
import type { SelectStatement, Statement } from './ast.js';
import { bindCondition } from './bind-condition.js';
import type { BoundQuery, BoundSelect, ProjectedColumn, Projection } from './bound.js';
import { templateOf, TRUE } from './normalise.js';
import { checkQualifier, resolveColumn } from './scope.js';
import type { Scope } from './scope.js';
import { sqlErrorAt } from './sql-error.js';
import { didYouMean, shorten } from './token-cursor.js';

/**
 * Resolves a statement of the subscription dialect for somebody. `SELECT * FROM *` gives one query for every table he
 * may read, in the order of the schema. Throws SqlError.
 */
export function bindSubscription(statement: Statement, schema: DatabaseSchema, viewer: Viewer): BoundQuery[] {
  if (statement.kind === 'select') return [bindSelect(statement, schema, viewer)];
  return visibleTables(schema, viewer).map((table) => ({
    sql: `SELECT * FROM "${table.name.replaceAll('"', '""')}"`,
    table,
    where: TRUE,
    ...identifyQuery(table, TRUE),
    sender: undefined,
  }));
}

/** Resolves one SELECT for somebody: private tables do not exist for others than the owner. Throws SqlError. */
export function bindSelect(statement: SelectStatement, schema: DatabaseSchema, viewer: Viewer): BoundSelect {
  refuseJoins(statement);
  const table = resolveTable(statement, schema, viewer);
  const scope = makeScope(statement, table, schema.typespace);
  const projection = bindProjection(statement, scope);
  const { where, sender } = bindCondition(statement.where, scope, viewer.identity);
  return {
    sql: statement.sql,
    table,
    where,
    ...identifyQuery(table, where),
    sender,
    projection,
    limit: statement.limit,
  };
}

function refuseJoins({ sql, joins, selection }: SelectStatement): void {
  const [join] = joins;
  if (join === undefined) return;
  if (selection.kind === 'star' && selection.table === undefined) {
    throw sqlErrorAt(
      sql,
      selection.at,
      'UNSUPPORTED',
      'SELECT * is not supported for joins',
      'Write `SELECT t.*`.',
    );
  }
  throw sqlErrorAt(sql, join.at, 'UNSUPPORTED', 'joins are not supported yet');
}

function resolveTable({ sql, from }: SelectStatement, schema: DatabaseSchema, viewer: Viewer): TableDef {
  const tables = visibleTables(schema, viewer);
  const name = from.name.text;
  const table =
    tables.find((candidate) => candidate.name === name) ??
    tables.find((candidate) => candidate.sourceName === name) ??
    // What older clients write: the class that bindings make of the table, in TypeScript or in Python.
    tables.find((candidate) => toPascalCase(candidate.name) === name || toTitleCase(candidate.name) === name);
  if (table !== undefined) return table;
  const meant = closestWord(
    name,
    tables.map((candidate) => candidate.name),
  );
  const text = `no such table: \`${shorten(name)}\`. If the table exists, it may be marked private.`;
  throw sqlErrorAt(
    sql,
    from.name.at,
    'NO_SUCH_TABLE',
    text,
    meant === undefined ? undefined : didYouMean(meant),
  );
}

function visibleTables(schema: DatabaseSchema, viewer: Viewer): TableDef[] {
  return schema.tables.filter((table) => table.isPublic || viewer.isOwner);
}

function makeScope({ sql, from }: SelectStatement, table: TableDef, typespace: Typespace): Scope {
  const tableNames =
    from.alias === undefined ? [from.name.text, table.name, table.sourceName] : [from.alias.text];
  return { sql, table, typespace, tableNames };
}

function bindProjection({ selection }: SelectStatement, scope: Scope): Projection {
  if (selection.kind === 'count') return { kind: 'count', name: selection.alias.text };
  const { columns } = scope.table;
  if (selection.kind === 'star') {
    if (selection.table !== undefined) checkQualifier(scope, selection.table);
    return { kind: 'columns', columns: columns.map(({ name }, index) => ({ name, index })) };
  }
  const selected = selection.columns.map(({ column, alias }): ProjectedColumn => {
    const index = resolveColumn(scope, column);
    return { name: alias?.text ?? columns[index]!.name, index };
  });
  return { kind: 'columns', columns: selected };
}

function identifyQuery(
  table: TableDef,
  where: BoundQuery['where'],
): Pick<BoundQuery, 'template' | 'constantsKey'> {
  const constants: string[] = [];
  const condition = templateOf(where, constants);
  return { template: `${JSON.stringify(table.name)} ${condition}`, constantsKey: constants.join() };
}
