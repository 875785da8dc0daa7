import { resolveType } from '../values/algebraic-type.js';
import type { DatabaseSchema, TableDef } from './schema.js';
import { integerRange } from './tables/sequence.js';

/** A schema that cannot be a database. The message is for its author. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Tables of a mounted library carry its name: `lib.user`. */
const TABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/**
 * Refuses names that are not identifiers, before any of them reaches generated code, and references that lead nowhere.
 */
export function checkSchema(schema: DatabaseSchema): void {
  const seen = new Map<string, TableDef>();
  for (const table of schema.tables) {
    const where = `table ${JSON.stringify(table.name)}`;
    for (const name of new Set([table.name, table.sourceName])) {
      if (!TABLE_NAME.test(name))
        throw new SchemaError(`${where}: ${JSON.stringify(name)} is not an identifier`);
      const other = seen.get(name);
      if (other !== undefined) throw new SchemaError(`two tables are called \`${name}\``);
      seen.set(name, table);
    }
    checkColumns(table, where);
    checkIndexes(table, where, schema);
    checkSequences(table, where, schema);
  }
}

function checkColumns(table: TableDef, where: string): void {
  const { columns, rowType } = table;
  if (rowType.elements.length !== columns.length)
    throw new SchemaError(
      `${where}: the row type has ${rowType.elements.length} fields for ${columns.length} columns`,
    );
  const properties = new Set<string>();
  for (const [position, { name, property }] of columns.entries()) {
    for (const text of [name, property]) {
      if (!IDENTIFIER.test(text) || text === '__proto__')
        throw new SchemaError(`${where}: ${JSON.stringify(text)} cannot be the name of a column`);
    }
    if (properties.has(property)) throw new SchemaError(`${where}: two columns are called \`${property}\``);
    properties.add(property);
    if (rowType.elements[position]!.property !== property)
      throw new SchemaError(
        `${where}: column ${position} is \`${property}\` here and another in the row type`,
      );
  }
}

function checkIndexes(table: TableDef, where: string, schema: DatabaseSchema): void {
  const covering = [
    ...table.indexes.map(({ name, columns }) => ({ what: `index \`${name}\``, columns })),
    ...table.uniqueConstraints.map(({ name, columns }) => ({ what: `constraint \`${name}\``, columns })),
    ...(table.primaryKey === undefined ? [] : [{ what: 'the primary key', columns: [table.primaryKey] }]),
  ];
  for (const { what, columns } of covering) {
    if (columns.length === 0) throw new SchemaError(`${where}: ${what} has no columns`);
    if (new Set(columns).size !== columns.length)
      throw new SchemaError(`${where}: ${what} has the same column twice`);
    const missing = columns.find((column) => table.columns[column] === undefined);
    if (missing !== undefined)
      throw new SchemaError(`${where}: ${what} is over column ${missing}, which does not exist`);
  }
  for (const { name, algorithm, columns } of table.indexes) {
    if (algorithm !== 'direct') continue;
    const kind = resolveType(table.columns[columns[0]!]!.type, schema.typespace).kind;
    if (columns.length !== 1 || !/^u(8|16|32|64)$/.test(kind))
      throw new SchemaError(
        `${where}: direct index \`${name}\` needs one column of type u8, u16, u32 or u64`,
      );
  }
}

function checkSequences(table: TableDef, where: string, schema: DatabaseSchema): void {
  for (const { name, column } of table.sequences) {
    const def = table.columns[column];
    if (def === undefined)
      throw new SchemaError(`${where}: sequence \`${name}\` is over column ${column}, which does not exist`);
    try {
      integerRange(resolveType(def.type, schema.typespace).kind);
    } catch (error) {
      throw new SchemaError(`${where}: column \`${def.property}\`: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}
