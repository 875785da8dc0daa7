import { bytesToKey, keyToBytes } from '../../values/integer-bytes.js';
import { type Disk, type DiskFile, readFully, writeFully } from './disk.js';
import { LogError, otherVersion } from './log-error.js';
import { crc32, parseSegmentName } from './segment-format.js';
import { parseSnapshotName } from './snapshot-file.js';

/*
 * A backup: the files of one database, one after the other. Little-endian. Format version 1.
 *
 * | magic    | 8 bytes  | "CHORBACK"                                    |
 * | version  | u16      | 1                                             |
 * | reserved | 6 bytes  | 0                                             |
 * | database | 32 bytes | identity                                      |
 * Then for each file
 * | name     | u16 length, ASCII | as in the database's folder; empty at the end of the backup |
 * | bytes    | u48      | 0 at the end                                  |
 * | content  |          |                                               |
 * | crc      | u32      | CRC-32 of name and content                    |
 *
 * The end of the last segment may hold a batch that was being written: like after a crash, it is cut off when it is restored.
 */

const MAGIC = new TextEncoder().encode('CHORBACK');
const VERSION = 1;
const HEADER_BYTES = 48;
const PIECE_BYTES = 1024 * 1024;
// A snapshot may remove files between the listing and the opening; it does so rarely.
const ATTEMPTS = 5;

/** The bytes of a backup of what is on disk now. The database goes on meanwhile. */
export async function* readBackup(disk: Disk, databaseKey: string): AsyncGenerator<Uint8Array> {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC, 0);
  new DataView(header.buffer).setUint16(8, VERSION, true);
  keyToBytes(databaseKey, header, 16);
  const files = await openAll(disk);
  try {
    yield header;
    for (const { name, file, bytes } of files) yield* readEntry(name, file, bytes);
    yield entryHeader('', 0);
    yield crcBytes(0);
  } finally {
    for (const { file } of files) await file.close();
  }
}

interface OpenFile {
  readonly name: string;
  readonly file: DiskFile;
  readonly bytes: number;
}

/** All files at one moment: an open file stays readable when its name is removed. */
async function openAll(disk: Disk): Promise<readonly OpenFile[]> {
  for (let attempt = 1; ; attempt++) {
    const files: OpenFile[] = [];
    try {
      for (const name of (await disk.list()).filter(isDatabaseFile).toSorted()) {
        const file = await disk.open(name, { writable: false, writeThrough: false });
        files.push({ name, file, bytes: await file.size() });
      }
      return files;
    } catch (error) {
      for (const { file } of files) await file.close();
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

function isDatabaseFile(name: string): boolean {
  return parseSegmentName(name) !== undefined || parseSnapshotName(name) !== undefined;
}

async function* readEntry(name: string, file: DiskFile, bytes: number): AsyncGenerator<Uint8Array> {
  yield entryHeader(name, bytes);
  let crc = crc32(new TextEncoder().encode(name));
  for (let at = 0; at < bytes;) {
    const piece = await readFully(file, at, Math.min(PIECE_BYTES, bytes - at));
    if (piece.length === 0) throw new Error(`${name} became shorter while it was read`);
    crc = crc32(piece, crc);
    at += piece.length;
    yield piece;
  }
  yield crcBytes(crc);
}

function entryHeader(name: string, bytes: number): Uint8Array {
  const header = new Uint8Array(2 + name.length + 6);
  const view = new DataView(header.buffer);
  view.setUint16(0, name.length, true);
  header.set(new TextEncoder().encode(name), 2);
  view.setUint32(2 + name.length, bytes % 2 ** 32, true);
  view.setUint16(6 + name.length, Math.floor(bytes / 2 ** 32), true);
  return header;
}

function crcBytes(crc: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, crc, true);
  return bytes;
}

/**
 * Puts the files of a backup into an empty folder that `open` gives for the database's key. Throws CORRUPT when the backup is not
 * exactly what was written; what was put there by then is to be removed by the caller.
 */
export async function writeFromBackup(
  backup: DiskFile,
  open: (databaseKey: string) => Promise<Disk>,
): Promise<{ readonly disk: Disk; readonly databaseKey: string }> {
  const size = await backup.size();
  const header = await readFully(backup, 0, HEADER_BYTES);
  if (header.length < HEADER_BYTES || MAGIC.some((byte, i) => header[i] !== byte))
    throw corrupt(0, 'it does not begin as a backup');
  const version = new DataView(header.buffer).getUint16(8, true);
  if (version !== VERSION) throw otherVersion('the backup', version, VERSION);
  const databaseKey = bytesToKey(header, 16, 48);
  const disk = await open(databaseKey);
  let at = HEADER_BYTES;
  for (;;) {
    const entry = await readEntryHeader(backup, at);
    at = entry.contentAt;
    if (entry.name === '' && entry.bytes === 0) break;
    if (!isDatabaseFile(entry.name) || at + entry.bytes + 4 > size) throw corrupt(at, 'it ends too early');
    await writeEntry(backup, disk, entry);
    at += entry.bytes + 4;
  }
  await disk.syncFolder();
  return { disk, databaseKey };
}

interface Entry {
  readonly name: string;
  readonly bytes: number;
  readonly contentAt: number;
}

async function readEntryHeader(backup: DiskFile, at: number): Promise<Entry> {
  const head = await readFully(backup, at, 2);
  if (head.length < 2) throw corrupt(at, 'it ends too early');
  const nameBytes = head[0]! | (head[1]! << 8);
  const rest = await readFully(backup, at + 2, nameBytes + 6);
  if (nameBytes > 100 || rest.length < nameBytes + 6) throw corrupt(at, 'it ends too early');
  const view = new DataView(rest.buffer);
  const bytes = view.getUint32(nameBytes, true) + view.getUint16(nameBytes + 4, true) * 2 ** 32;
  return {
    name: new TextDecoder().decode(rest.subarray(0, nameBytes)),
    bytes,
    contentAt: at + 8 + nameBytes,
  };
}

async function writeEntry(backup: DiskFile, disk: Disk, { name, bytes, contentAt }: Entry): Promise<void> {
  const file = await disk.create(name, { writeThrough: false });
  try {
    let crc = crc32(new TextEncoder().encode(name));
    for (let done = 0; done < bytes;) {
      const piece = await readFully(backup, contentAt + done, Math.min(PIECE_BYTES, bytes - done));
      if (piece.length === 0) throw corrupt(contentAt + done, 'it ends too early');
      crc = crc32(piece, crc);
      await writeFully(file, piece, done);
      done += piece.length;
    }
    const stored = await readFully(backup, contentAt + bytes, 4);
    if (stored.length < 4 || new DataView(stored.buffer).getUint32(0, true) !== crc)
      throw corrupt(contentAt, `the checksum of ${name} is wrong`);
    await file.sync();
  } finally {
    await file.close();
  }
}

function corrupt(at: number, reason: string): LogError {
  return new LogError('CORRUPT', `the backup is damaged at byte ${at}: ${reason}`);
}
