import { ByteWriter } from '../../base/byte-writer.js';
import type { NewRecord, TxOffset } from './commit-log.js';
import { appendRecord } from './record-codec.js';

/** How much of the newest records is kept. */
export interface TailLimits {
  readonly transactionsMax: number;
  readonly bytesMax: number;
}

/** A record that was read again. */
export interface TailRecord {
  readonly offset: TxOffset;
  /** A view, good until the log goes on; see `readRowChanges`. */
  readonly bytes: Uint8Array;
}

/** 256 KiB, some thousand small records; the memory serves again when the last of them has left. */
const PIECE_BYTES = 256 * 1024;
/** A piece with less room than this is not begun upon: most records are shorter, and need not have the piece copied as it grows. */
const ROOM_MIN = 4 * 1024;

interface Piece {
  readonly writer: ByteWriter;
  /** Of its first record that is left. */
  offset: TxOffset;
  /** The byte at which that one begins. */
  start: number;
}

/**
 * The newest records of a log, as its batches have them: each a u32 length and its bytes, one behind the other in pieces of memory.
 * As objects, records that live long cost the garbage collector more than all the rest of a transaction (4.7 us each); even one small
 * object for each costs 0.3 us.
 */
export class RecordTail {
  readonly #limits: TailLimits;
  #pieces: Piece[] = [];
  /** Of the last piece that left: memory that has to be made costs 40 us a piece. */
  #spare: ByteWriter | undefined;
  #count = 0;
  #bytes = 0;
  #completeFrom: TxOffset = 0;
  /** Nothing is kept after this offset; undefined while nothing is kept at all. */
  #end: TxOffset | undefined;

  constructor(limits: TailLimits) {
    this.#limits = limits;
  }

  /** Everything after this offset is kept, as far as the log has handed it over. */
  get completeFrom(): TxOffset {
    return this.#completeFrom;
  }

  get isKeeping(): boolean {
    return this.#end !== undefined;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps what comes after `now`, and forgets all else. */
  begin(now: TxOffset): void {
    this.#clear();
    this.#completeFrom = now;
    this.#end = Infinity;
  }

  /** Goes on until the record `offset`; with the one after it everything is forgotten. */
  endAfter(offset: TxOffset): void {
    if (this.isKeeping) this.#end = offset;
  }

  /** Encodes one record. Throws what cannot be encoded, and is as before then. */
  append(offset: TxOffset, record: NewRecord): void {
    if (!this.#isWanted(offset)) return;
    const { writer } = this.#pieceFor(offset, ROOM_MIN);
    const start = writer.length;
    // Nobody asks the tail who it was.
    appendRecord(writer, record, record);
    this.#added(1, writer.length - start);
  }

  /** Copies what stands in `source` from `start` on: `count` records. */
  addAll(first: TxOffset, count: number, source: ByteWriter, start: number): void {
    if (!this.#isWanted(first + count - 1)) return;
    const size = source.length - start;
    this.#pieceFor(first, size).writer.writeFrom(source, start, source.length);
    this.#added(count, size);
  }

  /** The records behind `offset`, oldest first. */
  after(offset: TxOffset): TailRecord[] {
    const records: TailRecord[] = [];
    const first = this.#pieces.findLastIndex((piece) => piece.offset <= offset);
    for (const piece of this.#pieces.slice(Math.max(first, 0)))
      readRecords(piece.writer, piece.start, piece.offset, offset, records);
    return records;
  }

  #isWanted(last: TxOffset): boolean {
    if (this.#end === undefined) return false;
    if (last <= this.#end) return true;
    this.#end = undefined;
    this.#clear();
    return false;
  }

  #pieceFor(offset: TxOffset, size: number): Piece {
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.writer.length + size <= last.writer.bytes.length) return last;
    const piece = { writer: this.#writerFor(size), offset, start: 0 };
    this.#pieces.push(piece);
    return piece;
  }

  #writerFor(size: number): ByteWriter {
    const spare = this.#spare;
    if (spare === undefined || size > PIECE_BYTES) return new ByteWriter(Math.max(PIECE_BYTES, size));
    this.#spare = undefined;
    spare.reset();
    return spare;
  }

  #added(count: number, size: number): void {
    this.#count += count;
    this.#bytes += size;
    const { transactionsMax, bytesMax } = this.#limits;
    if (this.#count <= transactionsMax && this.#bytes <= bytesMax) return;
    const countKept = leastOf(transactionsMax);
    const bytesKept = leastOf(bytesMax);
    while (this.#count > countKept || this.#bytes > bytesKept) this.#removeOldest();
  }

  #removeOldest(): void {
    const piece = this.#pieces[0]!;
    const size = 4 + piece.writer.view.getUint32(piece.start, true);
    this.#completeFrom = Math.max(this.#completeFrom, piece.offset);
    piece.start += size;
    piece.offset += 1;
    this.#count -= 1;
    this.#bytes -= size;
    if (piece.start < piece.writer.length) return;
    this.#pieces.shift();
    // A long transaction must not leave its memory behind.
    if (piece.writer.bytes.length === PIECE_BYTES) this.#spare = piece.writer;
  }

  #clear(): void {
    this.#pieces = [];
    this.#spare = undefined;
    this.#count = this.#bytes = 0;
  }
}

/**
 * What is kept of a limit when it was passed. A sixty-fourth leaves at once: to look up one old record for each new one fetches it from
 * slow memory (0.09 us, by perf); side by side they come together.
 */
function leastOf(limit: number): number {
  return limit - Math.floor(limit / 64);
}

/** Adds the records behind `after` to `target`, of those that stand in `writer` from `start` on. @param offset of the first. */
export function readRecords(
  writer: ByteWriter,
  start: number,
  offset: TxOffset,
  after: TxOffset,
  target: TailRecord[],
): void {
  const { bytes, view, length } = writer;
  for (let at = start, its = offset; at < length; its++) {
    const from = at + 4;
    at = from + view.getUint32(at, true);
    if (its > after) target.push({ offset: its, bytes: bytes.subarray(from, at) });
  }
}
