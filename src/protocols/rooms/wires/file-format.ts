import { VarReader } from '../../../base/var-reader.js';
import { VarWriter } from '../../../base/var-writer.js';
import { WireError } from '../../../base/wire-error.js';

/*
 * wiredb's file: ASCII version `0.0.1`, a zero byte, then records until the end: varuint length, Yjs update v1.
 */

export const FILE_VERSION = '0.0.1';
export const FILE_HEADER: Uint8Array = Buffer.from(`${FILE_VERSION}\0`, 'latin1');

export interface ParsedFile {
  readonly updates: readonly Uint8Array[];
  /** Where the last whole record ends; what follows was torn by a crash. */
  readonly end: number;
}

/** Throws for a file of another version. */
export function checkFileHeader(bytes: Uint8Array): void {
  const mark = bytes.subarray(0, 32).indexOf(0);
  const version = Buffer.from(bytes.subarray(0, Math.max(mark, 0))).toString('latin1');
  if (version !== FILE_VERSION)
    throw new Error(`File version mismatch (got "${version}", expected "${FILE_VERSION}")`);
}

/** The whole records from `start` on. */
export function parseRecords(bytes: Uint8Array, start: number): ParsedFile {
  const reader = new VarReader(bytes, start);
  const updates: Uint8Array[] = [];
  let end = start;
  try {
    while (reader.remaining > 0) {
      const update = reader.readVarBytes();
      if (update.length > 0) updates.push(update.slice());
      end = reader.offset;
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  return { updates, end };
}

export function encodeRecord(update: Uint8Array): Uint8Array {
  return new VarWriter().writeVarBytes(update).finish();
}
