import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { DatabaseSchema } from './schema.js';

/**
 * 64 hexadecimal digits that are equal for schemas whose tables are equal in everything, with the types they refer to.
 * Types that no table uses (parameters of reducers) do not count, nor does the order of members.
 */
export function schemaHash(schema: DatabaseSchema): string {
  return bytesToHex(blake3(utf8ToBytes(schemaPartText(schema.tables, schema))));
}

/** A text that is equal for equal parts of schemas: a table or column, and the types it refers to. */
export function schemaPartText(part: unknown, schema: DatabaseSchema): string {
  return canonicalText([part, referredTypes(part, schema)]);
}

function referredTypes(part: unknown, schema: DatabaseSchema): unknown[] {
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
  return [...refs].map((ref) => schema.typespace.types[ref]);
}

function canonicalText(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (value instanceof Uint8Array) return `bytes ${bytesToHex(value)}`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalText(member)}`);
  return `{${members.join()}}`;
}
