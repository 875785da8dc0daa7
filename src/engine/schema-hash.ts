import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { ColumnDef, DatabaseSchema, TableDef } from './schema.js';

/**
 * 64 hexadecimal digits that are equal for schemas whose tables are equal in everything, with the types they refer to.
 * Types that no table uses (parameters of reducers) do not count, nor does the order of members.
 */
export function schemaHash(schema: DatabaseSchema): string {
  const types = [...collectRefs(schema.tables, schema)].map((ref) => schema.typespace.types[ref]);
  return hashText(canonicalText([schema.tables, types]));
}

/** 64 hexadecimal digits that are equal for equal tables, whatever else their schemas have. */
export function tableHash(table: TableDef, schema: DatabaseSchema): string {
  return hashText(schemaPartText(table, schema));
}

/**
 * A text that is equal for equal parts of schemas: a table or column, and the types it refers to, wherever in the typespace they
 * stand.
 */
export function schemaPartText(part: TableDef | ColumnDef, schema: DatabaseSchema): string {
  const refs = [...collectRefs(part, schema)];
  const places = new Map(refs.map((ref, place) => [ref, place]));
  const types = refs.map((ref) => schema.typespace.types[ref]);
  return canonicalText([{ ...part, rowTypeRef: undefined }, types], places);
}

function hashText(text: string): string {
  return bytesToHex(blake3(utf8ToBytes(text)));
}

function collectRefs(part: unknown, schema: DatabaseSchema): ReadonlySet<number> {
  const refs = new Set<number>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('kind' in value && value.kind === 'ref' && 'ref' in value && typeof value.ref === 'number') {
      if (refs.has(value.ref)) return;
      refs.add(value.ref);
      visit(schema.typespace.types[value.ref]);
      return;
    }
    Object.values(value).forEach(visit);
  };
  visit(part);
  return refs;
}

/** @param places what references are called instead of their numbers. */
function canonicalText(value: unknown, places?: ReadonlyMap<number, number>): string {
  if (value === undefined) return 'undefined';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => canonicalText(each, places)).join()}]`;
  if (value instanceof Uint8Array) return `bytes ${bytesToHex(value)}`;
  if (places !== undefined && 'ref' in value && 'kind' in value && value.kind === 'ref')
    return `{ref ${places.get(value.ref as number)}}`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalText(member, places)}`);
  return `{${members.join()}}`;
}
