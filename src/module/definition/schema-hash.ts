import { createHash } from 'node:crypto';
import type { DatabaseSchema, TableDef } from '../../engine/schema.js';

/**
 * Equal for schemas whose rows and queries are the same, so that a module with an equal hash can take over a database
 * while it runs. Reducers and the types only they use are no part of it; accessors and property names are, since rows in
 * memory are keyed by them.
 */
export function hashSchema(schema: DatabaseSchema): string {
  return createHash('sha256').update(expandedText(schema.tables, schema)).digest('hex');
}

/** What differs, one line each, for the person who published. Empty when nothing does. */
export function describeChanges(from: DatabaseSchema, to: DatabaseSchema): string[] {
  const before = new Map(from.tables.map((table) => [table.name, table]));
  const after = new Map(to.tables.map((table) => [table.name, table]));
  return [
    ...[...before.keys()].filter((name) => !after.has(name)).map((name) => `table \`${name}\` is gone`),
    ...[...after.keys()].filter((name) => !before.has(name)).map((name) => `table \`${name}\` is new`),
    ...[...after].flatMap(([name, table]) => describeTable(before.get(name), table, from, to)),
  ];
}

function describeTable(
  from: TableDef | undefined,
  to: TableDef,
  fromSchema: DatabaseSchema,
  toSchema: DatabaseSchema,
): string[] {
  if (from === undefined || expandedText(from, fromSchema) === expandedText(to, toSchema)) return [];
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
      const isSame = old === undefined || expandedText(old, fromSchema) === expandedText(column, toSchema);
      return isSame ? [] : [`${place}: column \`${name}\` has changed`];
    }),
  ];
  return columns.length > 0 ? columns : [`${place}: its indexes, constraints, order or access have changed`];
}

/** The text of something of a schema with the types it refers to. */
function expandedText(part: unknown, schema: DatabaseSchema): string {
  return canonicalText([part, reachable(part, schema)]);
}

function reachable(part: unknown, schema: DatabaseSchema): unknown[] {
  const seen = new Set<number>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('kind' in value && value.kind === 'ref' && 'ref' in value && typeof value.ref === 'number') {
      if (seen.has(value.ref)) return;
      seen.add(value.ref);
      visit(schema.typespace.types[value.ref]);
      return;
    }
    Object.values(value).forEach(visit);
  };
  visit(part);
  return [...seen].map((ref) => schema.typespace.types[ref]);
}

/** JSON that also tells apart what JSON does not have: bigints, undefined, bytes and classes of ours. */
function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`;
    return part instanceof Uint8Array ? [...part] : part;
  });
}
