import { assert } from '../base/assert.js';
import { tableHash } from '../engine/schema-hash.js';
import type { DatabaseSchema, TableDef } from '../engine/schema.js';
import type { Module } from '../module/definition/build-module.js';
import {
  algebraicTypeFromJson,
  algebraicTypeToJson,
  typespaceFromJson,
  typespaceToJson,
} from '../values/algebraic-type-codec.js';
import { Identity } from '../values/identity.js';

/** A module together with what is needed to run it again after a restart. */
export interface Program {
  readonly module: Module;
  /** The bundle's text; undefined for a module that the embedding application brings along. */
  readonly text: string | undefined;
  /** 64 hexadecimal digits; equal for equal programs. */
  readonly hash: string;
}

/** What the log keeps of a database besides its rows. */
export interface StoredProgram {
  readonly names: readonly string[];
  readonly owner: Identity;
  readonly text: string | undefined;
  readonly hash: string;
  /** Of the tables: an embedded module whose tables differ from the stored ones is not run on them. */
  readonly schemaHash: string;
  /** Of a program without text, to learn the tables from. Logs of earlier versions do without. */
  readonly tables?: StoredTables;
}

type Json = Parameters<typeof algebraicTypeFromJson>[0];

/** Types as in SATS-JSON. */
export interface StoredTables {
  readonly typespace: Json;
  readonly byName: Readonly<Record<string, { readonly rowType: Json; readonly hash: string }>>;
}

export function storeTables(schema: DatabaseSchema): StoredTables {
  const tables = schema.tables.map((table) => {
    const stored = { rowType: algebraicTypeToJson(table.rowType), hash: tableHash(table, schema) };
    return [table.name, stored] as const;
  });
  return { typespace: typespaceToJson(schema.typespace), byName: Object.fromEntries(tables) };
}

/** What rows look like. */
export interface RowTypes {
  readonly typespace: DatabaseSchema['typespace'];
  readonly tables: readonly Pick<TableDef, 'name' | 'rowType'>[];
}

export function readRowTypes({ typespace, byName }: StoredTables): RowTypes {
  return {
    typespace: typespaceFromJson(typespace),
    tables: Object.entries(byName).map(([name, { rowType: json }]) => {
      const rowType = algebraicTypeFromJson(json);
      assert(rowType.kind === 'product', 'a row is a product');
      return { name, rowType };
    }),
  };
}

/** The stored tables that `module` lacks or has otherwise; undefined when that is not known. */
export function findChangedTables(
  { schemaHash, tables }: StoredProgram,
  module: Module,
): readonly string[] | undefined {
  if (module.schemaHash === schemaHash) return [];
  if (tables === undefined) return undefined;
  const { schema } = module.def;
  const hashes = new Map(schema.tables.map((table) => [table.name, tableHash(table, schema)]));
  return Object.keys(tables.byName).filter((name) => hashes.get(name) !== tables.byName[name]!.hash);
}

/** As JSON: it is written once a publish, and people may want to read it. */
export function encodeStoredProgram(stored: StoredProgram): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ ...stored, owner: stored.owner.toHexString() }));
}

export function decodeStoredProgram(bytes: Uint8Array): StoredProgram {
  const parsed = JSON.parse(new TextDecoder().decode(bytes)) as Omit<StoredProgram, 'owner'> & {
    owner: string;
  };
  return { ...parsed, text: parsed.text, owner: Identity.fromString(parsed.owner) };
}
