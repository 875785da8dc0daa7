import { ByteWriter } from '../base/byte-writer.js';
import { VarReader } from '../base/var-reader.js';
import { StructKind, StructView } from './read-struct.js';

/** A struct, or several that were joined, that the next may be joined to. */
class OpenStruct {
  bytes: Uint8Array = new Uint8Array(0);
  readonly view = new StructView();
  /** The clock behind it. */
  end = 0;
  isJoined = false;
}

/**
 * Writes the structs of one client one after the other, and joins neighbours that are one typed text, one stretch of deletions or
 * one of garbage. That is what yjs does when it has the document: an item that follows its left neighbour's last clock and has
 * the same right neighbour is what splitting the two of them gives.
 */
export class StructJoiner {
  /** Structs written. */
  count = 0;
  readonly #out: ByteWriter;
  readonly #open = new OpenStruct();
  readonly #text = new ByteWriter(1024);
  #isOpen = false;
  /** Bytes of the source that leave as they are. */
  #raw: Uint8Array = new Uint8Array(0);
  #rawFrom = 0;
  #rawTo = 0;

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  /** @param clock of the struct, that of the one before it and its length. */
  add(bytes: Uint8Array, view: StructView, client: number, clock: number): void {
    if (this.#isOpen && this.#canJoin(view, client, clock)) {
      this.#join(bytes, view);
    } else {
      this.close();
      this.#open.view.copyFrom(view);
      this.#open.bytes = bytes;
      this.#open.isJoined = false;
      this.#isOpen = true;
    }
    this.#open.end = clock + view.length;
  }

  /** Says that nobody has told these clocks yet. */
  skip(length: number): void {
    this.close();
    this.#flushRaw();
    this.#out.writeU8(StructKind.skip);
    writeVarUint(this.#out, length);
    this.count += 1;
  }

  /** Ends the client's structs. */
  finish(): void {
    this.close();
    this.#flushRaw();
  }

  #canJoin(next: StructView, client: number, clock: number): boolean {
    const { view, end } = this.#open;
    if (view.kind !== next.kind || end !== clock) return false;
    if (next.kind === StructKind.gc) return true;
    if (next.kind !== StructKind.string && next.kind !== StructKind.deleted) return false;
    return (
      next.hasLeft &&
      next.leftClient === client &&
      next.leftClock === end - 1 &&
      next.hasRight === view.hasRight &&
      (!next.hasRight || (next.rightClient === view.rightClient && next.rightClock === view.rightClock)) &&
      !next.hasKey &&
      !view.hasKey
    );
  }

  #join(bytes: Uint8Array, view: StructView): void {
    const open = this.#open;
    if (!open.isJoined) {
      open.isJoined = true;
      this.#text.reset();
      this.#addText(open.bytes, open.view);
    }
    open.view.length += view.length;
    this.#addText(bytes, view);
  }

  #addText(bytes: Uint8Array, { kind, contentAt, end }: StructView): void {
    if (kind !== StructKind.string) return;
    const reader = new VarReader(bytes, contentAt, end);
    reader.readVarUint();
    appendRange(this.#text, bytes, reader.offset, end);
  }

  close(): void {
    if (!this.#isOpen) return;
    const { bytes, view, isJoined } = this.#open;
    this.#isOpen = false;
    this.count += 1;
    if (!isJoined) return this.#passOn(bytes, view.start, view.end);
    this.#flushRaw();
    appendRange(this.#out, bytes, view.start, view.contentAt);
    if (view.kind === StructKind.string) {
      writeVarUint(this.#out, this.#text.length);
      appendRange(this.#out, this.#text.bytes, 0, this.#text.length);
    } else {
      writeVarUint(this.#out, view.length);
    }
  }

  #passOn(bytes: Uint8Array, from: number, to: number): void {
    if (this.#raw !== bytes || this.#rawTo !== from) {
      this.#flushRaw();
      this.#raw = bytes;
      this.#rawFrom = from;
    }
    this.#rawTo = to;
  }

  #flushRaw(): void {
    appendRange(this.#out, this.#raw, this.#rawFrom, this.#rawTo);
    this.#rawFrom = this.#rawTo;
  }
}

// Up to here copied byte by byte: a view costs as much as some dozen bytes.
const SHORT_BYTES = 48;

export function appendRange(writer: ByteWriter, bytes: Uint8Array, from: number, to: number): void {
  const size = to - from;
  if (size > SHORT_BYTES) return writer.writeRaw(bytes.subarray(from, to));
  writer.reserve(size);
  for (let i = from; i < to; i++) writer.bytes[writer.length++] = bytes[i]!;
}

export function writeVarUint(writer: ByteWriter, value: number): void {
  let rest = value;
  while (rest > 0x7f) {
    writer.writeU8((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  writer.writeU8(rest);
}
