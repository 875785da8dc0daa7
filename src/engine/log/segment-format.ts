import { crc32 as zlibCrc32 } from 'node:zlib';

import { bytesToKey, keyToBytes } from '../../values/integer-bytes.js';
import type { TxOffset } from './commit-log.js';
import { blockEnd } from './disk.js';

/*
 * A segment file, little-endian. Format version 3. Versions 1 and 2 are read: 2 has no batches at
 * blocks' starts, and 1 has other records, too.
 *
 * Header, 72 bytes
 * | at | field        | type     |                                                                    |
 * |  0 | magic        | 8 bytes  | "CHORALE" and a newline                                            |
 * |  8 | version      | u16      | 3                                                                  |
 * | 10 | reserved     | u16      | 0                                                                  |
 * | 12 | epoch        | u32      | counts the times the database was opened for writing               |
 * | 16 | first offset | u64      | of the first transaction in the file; also its name                |
 * | 24 | database     | 32 bytes | identity                                                           |
 * | 56 | chain        | u32      | the chain value before the first batch                             |
 * | 60 | reserved     | 8 bytes  | 0                                                                  |
 * | 68 | crc          | u32      | CRC-32 of bytes 0..68                                              |
 *
 * Batch: a 32-byte header and its records
 * |  0 | magic        | u32      | "CHRB"; lets recovery look for batches behind a damaged one        |
 * |  4 | crc          | u32      | CRC-32 of everything from byte 8 to the end of the records         |
 * |  8 | body bytes   | u32      | length of the records                                              |
 * | 12 | count        | u32      | how many records                                                   |
 * | 16 | first offset | u64      | of the first record                                                |
 * | 24 | epoch        | u32      |                                                                    |
 * | 28 | chain        | u32      | crc of the batch before: a fork or a lost batch in between shows   |
 *
 * A batch begins right behind the one before it or at the next multiple of 4096, with zeros between: large ones are written by whole
 * blocks. Zeros may follow the last batch, too: they are written ahead, so that batches are data only for the file system.
 *
 * Records follow one another, each a u32 length and its bytes (see record-codec.ts). One CRC covers a batch: a batch is
 * written with one call and none of it was acknowledged before all of it was on disk, so a torn one is dropped whole.
 */

export const FORMAT_VERSION = 3;
const OLDEST_VERSION = 1;
export const READABLE_VERSIONS = `${OLDEST_VERSION} to ${FORMAT_VERSION}`;
export const SEGMENT_HEADER_BYTES = 72;
export const BATCH_HEADER_BYTES = 32;
export const BATCH_MAGIC = 0x42524843;

const MAGIC = new TextEncoder().encode('CHORALE\n');

export interface SegmentHeader {
  /** Of the format. */
  readonly version: number;
  readonly epoch: number;
  readonly firstOffset: TxOffset;
  /** The key of the database's identity. */
  readonly databaseKey: string;
  readonly chain: number;
}

export interface BatchHeader {
  readonly crc: number;
  readonly bodyBytes: number;
  readonly count: number;
  readonly firstOffset: TxOffset;
  readonly epoch: number;
  readonly chain: number;
}

export type SegmentHeaderResult =
  | { readonly kind: 'header'; readonly header: SegmentHeader }
  | { readonly kind: 'otherVersion'; readonly version: number }
  | { readonly kind: 'damaged'; readonly reason: string };

/** CRC-32 (IEEE). Node has it natively since 20.15. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return zlibCrc32(bytes, seed);
}

/** The name of the segment whose first transaction is `firstOffset`: names sort as offsets do. */
export function segmentName(firstOffset: TxOffset): string {
  return `${firstOffset.toString().padStart(20, '0')}.log`;
}

export function parseSegmentName(name: string): TxOffset | undefined {
  return /^\d{20}\.log$/.test(name) ? Number(name.slice(0, 20)) : undefined;
}

export function encodeSegmentHeader(header: Omit<SegmentHeader, 'version'>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint16(8, FORMAT_VERSION, true);
  view.setUint32(12, header.epoch, true);
  view.setBigUint64(16, BigInt(header.firstOffset), true);
  keyToBytes(header.databaseKey, bytes, 24);
  view.setUint32(56, header.chain, true);
  view.setUint32(68, crc32(bytes.subarray(0, 68)), true);
  return bytes;
}

export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeaderResult {
  if (bytes.length < SEGMENT_HEADER_BYTES) return { kind: 'damaged', reason: 'the header is cut short' };
  const view = viewOf(bytes);
  if (MAGIC.some((byte, i) => bytes[i] !== byte))
    return { kind: 'damaged', reason: 'it does not begin as a segment' };
  // Before the checksum: another version may keep it elsewhere.
  const version = view.getUint16(8, true);
  if (version < OLDEST_VERSION || version > FORMAT_VERSION) return { kind: 'otherVersion', version };
  if (view.getUint32(68, true) !== crc32(bytes.subarray(0, 68))) {
    return { kind: 'damaged', reason: 'the checksum of its header is wrong' };
  }
  return {
    kind: 'header',
    header: {
      version,
      epoch: view.getUint32(12, true),
      firstOffset: Number(view.getBigUint64(16, true)),
      databaseKey: bytesToKey(bytes, 24, 56),
      chain: view.getUint32(56, true),
    },
  };
}

/** Fills the header of a batch whose records are in place behind it; returns the crc, the next batch's chain. */
export function sealBatch(batch: Uint8Array, header: Omit<BatchHeader, 'crc' | 'bodyBytes'>): number {
  const view = viewOf(batch);
  view.setUint32(0, BATCH_MAGIC, true);
  view.setUint32(8, batch.length - BATCH_HEADER_BYTES, true);
  view.setUint32(12, header.count, true);
  view.setBigUint64(16, BigInt(header.firstOffset), true);
  view.setUint32(24, header.epoch, true);
  view.setUint32(28, header.chain, true);
  const crc = crc32(batch.subarray(8));
  view.setUint32(4, crc, true);
  return crc;
}

/** The header at the start of `bytes`, undefined when there is none. The checksum is not looked at. */
export function decodeBatchHeader(bytes: Uint8Array): BatchHeader | undefined {
  if (bytes.length < BATCH_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== BATCH_MAGIC) return undefined;
  return {
    crc: view.getUint32(4, true),
    bodyBytes: view.getUint32(8, true),
    count: view.getUint32(12, true),
    firstOffset: Number(view.getBigUint64(16, true)),
    epoch: view.getUint32(24, true),
    chain: view.getUint32(28, true),
  };
}

/** The batch behind `end`, the end of the one before it, in the bytes of a segment; undefined when there is none. */
export function findBatch(
  segment: Uint8Array,
  end: number,
): { readonly at: number; readonly header: BatchHeader } | undefined {
  for (const at of [end, blockEnd(end)]) {
    const header = decodeBatchHeader(segment.subarray(at));
    if (header !== undefined) return { at, header };
  }
  return undefined;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
