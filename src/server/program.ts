import type { Module } from '../module/definition/build-module.js';
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
