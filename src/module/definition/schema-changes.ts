import { schemaPartText } from '../../engine/schema-hash.js';
import type { DatabaseSchema, TableDef } from '../../engine/schema.js';

/** What rows that are stored cannot go along with, one line each, for the person who published. New tables are no conflict. */
export function describeConflicts(from: DatabaseSchema, to: DatabaseSchema): string[] {
  const before = new Map(from.tables.map((table) => [table.name, table]));
  const after = new Map(to.tables.map((table) => [table.name, table]));
  return [
    ...[...before.keys()].filter((name) => !after.has(name)).map((name) => `table \`${name}\` is gone`),
    ...[...after].flatMap(([name, table]) => describeTable(before.get(name), table, from, to)),
  ];
}

function describeTable(
  from: TableDef | undefined,
  to: TableDef,
  fromSchema: DatabaseSchema,
  toSchema: DatabaseSchema,
): string[] {
  if (from === undefined || schemaPartText(from, fromSchema) === schemaPartText(to, toSchema)) return [];
  const before = new Map(from.columns.map((column) => [column.name, column]));
  const after = new Map(to.columns.map((column) => [column.name, column]));
  const place = `table \`${to.name}\``;
  const columns = [
    ...[...before.keys()]
      .filter((name) => !after.has(name))
      .map((name) => `${place}: column \`${name}\` is gone`),
    ...[...after.keys()]
      .filter((name) => !before.has(name))
      .map((name) => `${place}: column \`${name}\` is new`),
    ...[...after].flatMap(([name, column]) => {
      const old = before.get(name);
      const isSame =
        old === undefined || schemaPartText(old, fromSchema) === schemaPartText(column, toSchema);
      return isSame ? [] : [`${place}: column \`${name}\` has changed`];
    }),
  ];
  return columns.length > 0 ? columns : [`${place}: its indexes, constraints, order or access have changed`];
}
