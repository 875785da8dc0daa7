import { ByteReader } from '../../base/byte-reader.js';
import { ByteWriter } from '../../base/byte-writer.js';
import { bytesToKey, keyToBytes } from '../../values/integer-bytes.js';
import type { TxOffset } from './commit-log.js';
import { type Disk, type DiskFile, readFully, writeFully } from './disk.js';
import { LogError, otherVersion } from './log-error.js';
import { crc32 } from './segment-format.js';

/*
 * A snapshot: everything there is after one transaction, little-endian. Format version 1.
 *
 * Header, 64 bytes
 * |  0 | magic    | 8 bytes  | "CHORSNAP"                                    |
 * |  8 | version  | u16      | 1                                             |
 * | 10 | taken    | u48      | when, milliseconds since the Unix epoch       |
 * | 16 | offset   | u64      | of the last transaction that is in it         |
 * | 24 | database | 32 bytes | identity                                      |
 * | 56 | epoch    | u32      | of the process that wrote it                  |
 * | 60 | crc      | u32      | CRC-32 of bytes 0..60                         |
 *
 * Then chunks, each with the header  u32 body bytes, u32 crc, u8 kind, u32 count  (the crc covers kind, count and body):
 * | kind 1 | rows    | table name (u32 length, UTF-8), count x (u32 length, row)                |
 * | kind 2 | section | u8 kind as in a log record, bytes                                         |
 * | kind 3 | end     | u64 chunks before it: a snapshot without it was not finished              |
 *
 * Written as `<offset>.snapshot.tmp`, synced, renamed to `<offset>.snapshot`: a name without `.tmp` is complete.
 */

export interface SnapshotSection {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

export interface SnapshotSource {
  readonly offset: TxOffset;
  readonly databaseKey: string;
  readonly epoch: number;
  /** Milliseconds since the Unix epoch. */
  readonly takenAtMs: number;
  /** Iterated slowly, before the rows. */
  readonly sections: Iterable<SnapshotSection>;
  /** Each row in BSATN. Iterated slowly: it must not change meanwhile. */
  readonly tables: readonly { readonly name: string; readonly rows: Iterable<Uint8Array> }[];
}

export interface SnapshotVisitor {
  /** Sections come before rows; awaited when it returns a promise. */
  section(section: SnapshotSection): void | Promise<void>;
  /** Rows of one table; called as often as it takes. The bytes are good during the call only. */
  rows(table: string, rows: readonly Uint8Array[]): void;
}

const TEMPORARY = '.tmp';
const MAGIC = new TextEncoder().encode('CHORSNAP');
const VERSION = 1;
const HEADER_BYTES = 64;
const CHUNK_HEADER_BYTES = 13;
// 256 KiB: encoded in about a millisecond, so the loop stays free between two of them.
const CHUNK_BYTES = 256 * 1024;
const ChunkKind = { rows: 1, section: 2, end: 3 } as const;

export function snapshotName(offset: TxOffset): string {
  return `${offset.toString().padStart(20, '0')}.snapshot`;
}

export function parseSnapshotName(name: string): TxOffset | undefined {
  return /^\d{20}\.snapshot$/.test(name) ? Number(name.slice(0, 20)) : undefined;
}

/**
 * Writes a snapshot. `pause` is awaited between chunks, so that commits go on meanwhile, and `durable` before the snapshot gets its name:
 * it must never be ahead of the log. Returns its size in bytes. When it fails, or the process dies, a `.tmp` file is left at most, which nobody reads.
 */
export async function writeSnapshot(
  disk: Disk,
  source: SnapshotSource,
  pause: () => Promise<void>,
  durable: () => Promise<void>,
): Promise<number> {
  const name = snapshotName(source.offset);
  const temporary = name + TEMPORARY;
  await disk.remove(temporary);
  const file = await disk.create(temporary, { writeThrough: false });
  let at = 0;
  try {
    await writeFully(file, encodeHeader(source), at);
    at += HEADER_BYTES;
    for (const chunk of encodeChunks(source)) {
      await writeFully(file, chunk, at);
      at += chunk.length;
      await pause();
    }
    await file.sync();
    await file.close();
    await durable();
    await disk.rename(temporary, name);
  } catch (error) {
    await file.close().catch(() => {});
    // Room for what matters more: most often the disk is full.
    await disk.remove(temporary).catch(() => {});
    throw error;
  }
  await disk.syncFolder();
  return at;
}

/** Removes what snapshots left behind that were interrupted. */
export async function removeUnfinishedSnapshots(disk: Disk): Promise<void> {
  for (const name of await disk.list()) {
    if (name.endsWith(`.snapshot${TEMPORARY}`)) await disk.remove(name);
  }
}

/** Reads a snapshot through. Throws LogError CORRUPT when it is not exactly what was written. */
export async function readSnapshot(
  disk: Disk,
  offset: TxOffset,
  databaseKey: string,
  visitor: SnapshotVisitor,
): Promise<void> {
  const name = snapshotName(offset);
  const file = await disk.open(name, { writable: false, writeThrough: false });
  try {
    checkHeader(name, await readFully(file, 0, HEADER_BYTES), offset, databaseKey);
    await readChunks(name, file, visitor);
  } finally {
    await file.close();
  }
}

/** When a snapshot was taken, in milliseconds since the Unix epoch; 0 when its header is damaged. */
export async function readSnapshotTime(disk: Disk, offset: TxOffset): Promise<number> {
  const file = await disk.open(snapshotName(offset), { writable: false, writeThrough: false });
  try {
    const bytes = await readFully(file, 0, HEADER_BYTES);
    if (bytes.length < HEADER_BYTES) return 0;
    const view = new DataView(bytes.buffer);
    return view.getUint32(10, true) + view.getUint16(14, true) * 2 ** 32;
  } finally {
    await file.close();
  }
}

/** The offsets of the snapshots there are, newest first. */
export async function listSnapshots(disk: Disk): Promise<readonly TxOffset[]> {
  const offsets = (await disk.list()).flatMap((name) => parseSnapshotName(name) ?? []);
  return offsets.toSorted((a, b) => b - a);
}

function encodeHeader(source: SnapshotSource): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint16(8, VERSION, true);
  view.setUint32(10, source.takenAtMs % 2 ** 32, true);
  view.setUint16(14, Math.floor(source.takenAtMs / 2 ** 32), true);
  view.setBigUint64(16, BigInt(source.offset), true);
  keyToBytes(source.databaseKey, bytes, 24);
  view.setUint32(56, source.epoch, true);
  view.setUint32(60, crc32(bytes.subarray(0, 60)), true);
  return bytes;
}

function* encodeChunks(source: SnapshotSource): Iterable<Uint8Array> {
  const writer = new ByteWriter(CHUNK_BYTES + 64 * 1024);
  let chunks = 0;
  const seal = (kind: number, count: number): Uint8Array => {
    const { view } = writer;
    view.setUint32(0, writer.length - CHUNK_HEADER_BYTES, true);
    view.setUint8(8, kind);
    view.setUint32(9, count, true);
    view.setUint32(4, crc32(writer.bytes.subarray(8, writer.length)), true);
    chunks += 1;
    return writer.finish();
  };
  const begin = (): void => {
    writer.reserve(CHUNK_HEADER_BYTES);
    writer.length = CHUNK_HEADER_BYTES;
  };
  for (const section of source.sections) {
    begin();
    writer.writeU8(section.kind);
    writer.writeRaw(section.bytes);
    yield seal(ChunkKind.section, 1);
  }
  for (const table of source.tables) {
    let count = 0;
    for (const row of table.rows) {
      if (count === 0) {
        begin();
        writer.writeString(table.name);
      }
      writer.writeBytes(row);
      count += 1;
      if (writer.length < CHUNK_BYTES) continue;
      yield seal(ChunkKind.rows, count);
      count = 0;
    }
    if (count > 0) yield seal(ChunkKind.rows, count);
  }
  begin();
  writer.writeU64(BigInt(chunks));
  yield seal(ChunkKind.end, 0);
}

function checkHeader(name: string, bytes: Uint8Array, offset: TxOffset, databaseKey: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw corrupt(name, 0, 'it does not begin as a snapshot');
  }
  const version = view.getUint16(8, true);
  if (version !== VERSION) throw otherVersion(`snapshot ${name}`, version, VERSION);
  if (view.getUint32(60, true) !== crc32(bytes.subarray(0, 60)))
    throw corrupt(name, 0, 'the checksum of its header is wrong');
  if (bytesToKey(bytes, 24, 56) !== databaseKey) {
    throw new LogError('OTHER_DATABASE', `snapshot ${name} belongs to another database`);
  }
  if (Number(view.getBigUint64(16, true)) !== offset)
    throw corrupt(name, 16, 'its name and its offset disagree');
}

async function readChunks(name: string, file: DiskFile, visitor: SnapshotVisitor): Promise<void> {
  const size = await file.size();
  let at = HEADER_BYTES;
  for (let chunks = 0; ; chunks++) {
    const header = await readFully(file, at, CHUNK_HEADER_BYTES);
    if (header.length < CHUNK_HEADER_BYTES) throw corrupt(name, at, 'it ends too early');
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const bodyBytes = view.getUint32(0, true);
    // A length that lies must not make us allocate more than there is.
    if (at + CHUNK_HEADER_BYTES + bodyBytes > size)
      throw corrupt(name, at, 'a chunk is longer than the file');
    const checked = await readFully(file, at + 8, CHUNK_HEADER_BYTES - 8 + bodyBytes);
    if (crc32(checked) !== view.getUint32(4, true))
      throw corrupt(name, at, 'the checksum of a chunk is wrong');
    const body = checked.subarray(CHUNK_HEADER_BYTES - 8);
    const kind = header[8]!;
    if (kind === ChunkKind.end) {
      if (new ByteReader(body).readU64() !== BigInt(chunks)) throw corrupt(name, at, 'chunks are missing');
      return;
    }
    const pending = visitChunk(kind, view.getUint32(9, true), body, visitor);
    if (pending !== undefined) await pending;
    at += CHUNK_HEADER_BYTES + bodyBytes;
  }
}

function visitChunk(
  kind: number,
  count: number,
  body: Uint8Array,
  visitor: SnapshotVisitor,
): void | Promise<void> {
  if (kind === ChunkKind.section) return visitor.section({ kind: body[0]!, bytes: body.subarray(1) });
  if (kind !== ChunkKind.rows) return;
  const reader = new ByteReader(body);
  const table = reader.readString();
  const rows: Uint8Array[] = [];
  for (let i = 0; i < count; i++) rows.push(reader.readBytes());
  visitor.rows(table, rows);
}

function corrupt(name: string, at: number, reason: string): LogError {
  return new LogError('CORRUPT', `snapshot ${name} is damaged at byte ${at}: ${reason}`);
}
