import { ByteReader } from '../../base/byte-reader.js';
import type { TransactionRecord, TxOffset } from './commit-log.js';
import { blockEnd, type DiskFile, readFully } from './disk.js';
import { READ_BYTES, ReadAhead } from './read-ahead.js';
import { decodeRecord } from './record-codec.js';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  type BatchHeader,
  crc32,
  decodeBatchHeader,
  decodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeaderResult,
} from './segment-format.js';

/** How far the good part of a segment goes. */
export interface SegmentScan {
  /** The byte behind the last good batch. */
  readonly goodBytes: number;
  readonly lastOffset: TxOffset;
  readonly chain: number;
  /** The highest epoch of a batch, 0 without any. */
  readonly epoch: number;
  /** Why the scan stopped before the end of the file; undefined when it did not. */
  readonly damage:
    | { readonly at: number; readonly reason: string; readonly hasGoodBatchBehind: boolean }
    | undefined;
}

/** Takes one record; awaited only when it returns a promise. */
export type Visit = (record: TransactionRecord, offset: TxOffset) => void | Promise<void>;

/**
 * The same without decoding: the record stands in the reader's bytes from its offset up to `end`. They are good during the call
 * only, until its promise settles.
 */
export type VisitBytes = (reader: ByteReader, end: number, offset: TxOffset) => void | Promise<void>;

/** Decodes each record for `visit`. */
export function decoding(visit: Visit): VisitBytes {
  let before: TransactionRecord | undefined;
  return (reader, end, offset) => {
    before = decodeRecord(reader.bytes.subarray(reader.offset, end), before);
    return visit(before, offset);
  };
}

export interface SegmentStart {
  /** The offset of the transaction before the first one of the segment. */
  readonly lastOffset: TxOffset;
  readonly chain: number;
}

export async function readSegmentHeader(file: DiskFile): Promise<SegmentHeaderResult> {
  return decodeSegmentHeader(await readFully(file, 0, SEGMENT_HEADER_BYTES));
}

/**
 * Reads a segment from its first batch on and gives each record to `visit`, in order, until the file ends or a batch is not what
 * it should be: wrong checksum, a gap in the offsets, or a chain that does not follow.
 */
export async function scanSegment(
  file: DiskFile,
  start: SegmentStart,
  visit: VisitBytes,
): Promise<SegmentScan> {
  const size = await file.size();
  const window = new ReadAhead(file, size);
  try {
    return await scanBatches(window, size, start, visit);
  } finally {
    await window.settle();
  }
}

async function scanBatches(
  window: ReadAhead,
  size: number,
  start: SegmentStart,
  visit: VisitBytes,
): Promise<SegmentScan> {
  let at = SEGMENT_HEADER_BYTES;
  let { lastOffset, chain } = start;
  let epoch = 0;
  while (at < size) {
    let batch = peekBatch(window, at, size);
    if (batch === undefined) {
      at = await skipPadding(window, at, size);
      batch = await readBatch(window, at, size);
    }
    const problem = typeof batch === 'string' ? batch : checkSequence(batch.header, lastOffset, chain);
    // Written ahead for batches that did not come.
    if (problem !== undefined && (await isZero(window, at, size))) break;
    if (typeof batch === 'string' || problem !== undefined) {
      const hasGoodBatchBehind = await findGoodBatch(window, at + 1, size, lastOffset);
      const damage = { at, reason: problem ?? 'unreadable', hasGoodBatchBehind };
      return { goodBytes: at, lastOffset, chain, epoch, damage };
    }
    const { header, body } = batch;
    const pending = visitRecords(body, header, visit, 0, 0);
    if (pending !== undefined) await pending;
    lastOffset = header.firstOffset + header.count - 1;
    chain = header.crc;
    epoch = Math.max(epoch, header.epoch);
    at += BATCH_HEADER_BYTES + header.bodyBytes;
  }
  return { goodBytes: at, lastOffset, chain, epoch, damage: undefined };
}

function checkSequence(header: BatchHeader, lastOffset: TxOffset, chain: number): string | undefined {
  if (header.firstOffset !== lastOffset + 1) {
    return `the batch begins at offset ${header.firstOffset}, ${lastOffset + 1} was to come`;
  }
  if (header.chain !== chain) return 'the batch does not follow the one before it';
  return undefined;
}

/** Goes on behind a promise where one is returned; without any, nothing is waited for. */
function visitRecords(
  body: Uint8Array,
  header: BatchHeader,
  visit: VisitBytes,
  from: number,
  startAt: number,
): void | Promise<void> {
  const reader = new ByteReader(body);
  let at = startAt;
  for (let i = from; i < header.count; i++) {
    reader.offset = at;
    const end = at + 4 + reader.readU32();
    const pending = visit(reader, end, header.firstOffset + i);
    at = end;
    if (pending !== undefined) return pending.then(() => visitRecords(body, header, visit, i + 1, end));
  }
}

/** What `readBatch` gives, at once, when it is in memory already; undefined otherwise. */
function peekBatch(
  window: ReadAhead,
  at: number,
  size: number,
): { readonly header: BatchHeader; readonly body: Uint8Array } | string | undefined {
  const start = window.peek(at, BATCH_HEADER_BYTES);
  const header = start === undefined ? undefined : decodeBatchHeader(start);
  if (header === undefined || at + BATCH_HEADER_BYTES + header.bodyBytes > size) return undefined;
  const bytes = window.peek(at, BATCH_HEADER_BYTES + header.bodyBytes);
  return bytes === undefined ? undefined : checkBatch(header, bytes);
}

function checkBatch(
  header: BatchHeader,
  bytes: Uint8Array,
): { readonly header: BatchHeader; readonly body: Uint8Array } | string {
  if (crc32(bytes.subarray(8)) !== header.crc) return 'the checksum of the batch is wrong';
  return { header, body: bytes.subarray(BATCH_HEADER_BYTES) };
}

/** The batch at `at`, checksum verified, or what is wrong with it. */
async function readBatch(
  window: ReadAhead,
  at: number,
  size: number,
): Promise<{ readonly header: BatchHeader; readonly body: Uint8Array } | string> {
  const header = decodeBatchHeader(await window.read(at, BATCH_HEADER_BYTES));
  if (header === undefined) return 'there is no batch header';
  const end = at + BATCH_HEADER_BYTES + header.bodyBytes;
  if (end > size) return `the batch ends ${end - size} bytes behind the end of the file`;
  const bytes = await window.read(at, BATCH_HEADER_BYTES + header.bodyBytes);
  return checkBatch(header, bytes);
}

/** The end of the block when there is nothing but zeros up to there and a batch behind them, else `at`. */
async function skipPadding(window: ReadAhead, at: number, size: number): Promise<number> {
  const next = blockEnd(at);
  const bytes = await window.read(at, Math.min(next + BATCH_HEADER_BYTES, size) - at);
  if (decodeBatchHeader(bytes.subarray(next - at)) === undefined) return at;
  return bytes.subarray(0, next - at).every((byte) => byte === 0) ? next : at;
}

/** Whether a whole batch that is newer than `lastOffset` stands anywhere from `from` on. */
async function findGoodBatch(
  window: ReadAhead,
  from: number,
  size: number,
  lastOffset: TxOffset,
): Promise<boolean> {
  for (let at = from; at + BATCH_HEADER_BYTES <= size; at++) {
    const step = await window.read(at, Math.min(READ_BYTES, size - at));
    const found = indexOfMagic(step);
    if (found < 0) {
      at += Math.max(0, step.length - 4);
      continue;
    }
    at += found;
    const batch = await readBatch(window, at, size);
    if (typeof batch !== 'string' && batch.header.firstOffset > lastOffset) return true;
  }
  return false;
}

/** Whether there is nothing but zeros from `from` on. */
async function isZero(window: ReadAhead, from: number, size: number): Promise<boolean> {
  for (let at = from; at < size; at += READ_BYTES) {
    const bytes = await window.read(at, Math.min(READ_BYTES, size - at));
    if (bytes.some((byte) => byte !== 0)) return false;
  }
  return true;
}

function indexOfMagic(bytes: Uint8Array): number {
  const magic = new Uint8Array(4);
  new DataView(magic.buffer).setUint32(0, BATCH_MAGIC, true);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(magic);
}
