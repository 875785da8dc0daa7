import { assert } from '../../base/assert.js';
import { ByteWriter } from '../../base/byte-writer.js';
import type { TxOffset, WrittenRange } from '../log/commit-log.js';

/*
 * Commits as bytes, one behind the other in pieces of memory, little-endian:
 *
 * | offset | length of the changes | rows changed | changes, as the log has them |
 * | f64    | u32                   | u32          |                              |
 *
 * As objects, commits that live long cost the garbage collector more than all the rest of a transaction (4.7 us each); even one small
 * object for each, which says where the bytes are, costs 0.3 us.
 */
const HEADER_BYTES = 16;

/** 256 KiB, some thousand small commits; the memory goes when the last of them does. */
const PIECE_BYTES = 256 * 1024;

interface Piece {
  readonly writer: ByteWriter;
  /** Of its first commit. */
  readonly offset: TxOffset;
  /** The byte at which the oldest commit that is left begins. */
  start: number;
}

export interface KeptCommit {
  readonly offset: TxOffset;
  /** How many rows it changed. */
  readonly rowCount: number;
  /** See `readChanges`. */
  readonly changes: Uint8Array;
}

/** The newest commits, in the order of their offsets: they come at one end and leave at the other. */
export class CommitPieces {
  #pieces: Piece[] = [];
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(offset: TxOffset, rowCount: number, { writer: source, start, end }: WrittenRange): void {
    const size = HEADER_BYTES + end - start;
    const { writer } = this.#pieceFor(offset, size);
    const at = writer.length;
    writer.view.setFloat64(at, offset, true);
    writer.view.setUint32(at + 8, end - start, true);
    writer.view.setUint32(at + 12, rowCount, true);
    writer.length = at + HEADER_BYTES;
    writer.writeFrom(source, start, end);
    this.#count += 1;
    this.#bytes += size;
  }

  /** Drops the oldest commit and gives its offset. */
  removeOldest(): TxOffset {
    const piece = this.#pieces[0];
    assert(piece !== undefined, 'there is a commit');
    const { view, length } = piece.writer;
    const offset = view.getFloat64(piece.start, true);
    const size = HEADER_BYTES + view.getUint32(piece.start + 8, true);
    piece.start += size;
    this.#count -= 1;
    this.#bytes -= size;
    // A long transaction must not leave its memory behind.
    if (piece.start === length) this.#pieces.shift();
    return offset;
  }

  /** The commits behind `offset`, oldest first. Their bytes are views. */
  after(offset: TxOffset): KeptCommit[] {
    const commits: KeptCommit[] = [];
    const first = this.#pieces.findLastIndex((piece) => piece.offset <= offset);
    for (const { writer, start } of this.#pieces.slice(Math.max(first, 0))) {
      for (let at = start; at < writer.length;) {
        const commit = readCommit(writer, at);
        if (commit.offset > offset) commits.push(commit);
        at += HEADER_BYTES + commit.changes.length;
      }
    }
    return commits;
  }

  clear(): void {
    this.#pieces = [];
    this.#count = this.#bytes = 0;
  }

  #pieceFor(offset: TxOffset, size: number): Piece {
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.writer.length + size <= last.writer.bytes.length) return last;
    const piece = { writer: new ByteWriter(Math.max(PIECE_BYTES, size)), offset, start: 0 };
    this.#pieces.push(piece);
    return piece;
  }
}

function readCommit({ bytes, view }: ByteWriter, at: number): KeptCommit {
  const start = at + HEADER_BYTES;
  return {
    offset: view.getFloat64(at, true),
    rowCount: view.getUint32(at + 12, true),
    changes: bytes.subarray(start, start + view.getUint32(at + 8, true)),
  };
}
