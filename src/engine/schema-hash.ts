import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { DatabaseSchema } from './schema.js';

/** 64 hexadecimal digits that are equal for schemas that are equal in everything. Member order does not count. */
export function schemaHash(schema: DatabaseSchema): string {
  return bytesToHex(blake3(utf8ToBytes(canonicalText(schema))));
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
