import { assert } from '../base/assert.js';
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
  /** What rows look like, when there is no text to learn it from. Logs of earlier versions do without. */
  readonly rowTypes?: StoredRowTypes;
}

type Json = Parameters<typeof algebraicTypeFromJson>[0];

/** As in SATS-JSON. */
export interface StoredRowTypes {
  readonly typespace: Json;
  /** By table. */
  readonly tables: Readonly<Record<string, Json>>;
}

export interface RowTypes {
  readonly typespace: DatabaseSchema['typespace'];
  readonly tables: readonly Pick<TableDef, 'name' | 'rowType'>[];
}

export function storeRowTypes({ typespace, tables }: RowTypes): StoredRowTypes {
  const types = tables.map(({ name, rowType }) => [name, algebraicTypeToJson(rowType)] as const);
  return { typespace: typespaceToJson(typespace), tables: Object.fromEntries(types) };
}

export function readRowTypes({ typespace, tables }: StoredRowTypes): RowTypes {
  return {
    typespace: typespaceFromJson(typespace),
    tables: Object.entries(tables).map(([name, json]) => {
      const rowType = algebraicTypeFromJson(json);
      assert(rowType.kind === 'product', 'a row is a product');
      return { name, rowType };
    }),
  };
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
