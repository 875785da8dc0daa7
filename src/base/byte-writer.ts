/*
 * Little-endian writer over one growing buffer. `finish` copies the written bytes out and the
 * buffer is used again, so a long-lived writer allocates once.
 */

const utf8 = new TextEncoder();

/** In Node, `Buffer` copies strings several times faster than TextEncoder for texts over some 30 characters. */
interface Utf8Writer {
  utf8Write(text: string, offset: number): number;
}
interface BufferClass {
  readonly prototype: Partial<Utf8Writer>;
  from(bytes: ArrayBuffer): Utf8Writer;
}
const GivenBuffer = (globalThis as unknown as { Buffer?: BufferClass }).Buffer;
// Bundlers put a Buffer into browsers that lacks it.
const NodeBuffer = GivenBuffer?.prototype.utf8Write === undefined ? undefined : GivenBuffer;

export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView<ArrayBuffer>;
  length = 0;
  #node: Utf8Writer | undefined;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
    this.#node = NodeBuffer?.from(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes. Generated codecs call it once for all fixed-size fields of a row. */
  reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(this.length + count);
  }

  reset(): void {
    this.length = 0;
  }

  /** A copy of what was written; the writer is empty afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    const result = this.bytes.slice(0, this.length);
    this.length = 0;
    return result;
  }

  writeU8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  writeU16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.length, value, true);
    this.length += 2;
  }

  writeU32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** See `putVarUint`; at most 2^53 - 1. */
  writeVarUint(value: number): void {
    this.reserve(8);
    this.length = putVarUint(this.bytes, this.length, value);
  }

  writeI64(value: bigint): void {
    this.reserve(8);
    this.view.setBigInt64(this.length, value, true);
    this.length += 8;
  }

  writeU64(value: bigint): void {
    this.reserve(8);
    this.view.setBigUint64(this.length, value, true);
    this.length += 8;
  }

  /** Raw bytes, without a length. */
  writeRaw(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  /** What stands in another writer from `start` to `end`. */
  writeFrom(source: ByteWriter, start: number, end: number): void {
    this.reserve(end - start);
    this.length = putFrom(this.bytes, this.view, this.length, source, start, end);
  }

  /** u32 length, then the bytes. */
  writeBytes(value: Uint8Array): void {
    this.writeU32(value.length);
    this.writeRaw(value);
  }

  /** u32 byte length, then UTF-8. Lone surrogates become U+FFFD, as everywhere on the platform. */
  writeString(value: string): void {
    const size = value.length;
    // A UTF-16 unit is at most three UTF-8 bytes.
    this.reserve(4 + size * 3);
    const start = this.length + 4;
    let written: number;
    if (size < 32) {
      written = this.#writeShort(value, size, start);
    } else if (this.#node !== undefined) {
      written = this.#node.utf8Write(value, start);
    } else {
      written = utf8.encodeInto(value, this.bytes.subarray(start)).written;
    }
    this.view.setUint32(this.length, written, true);
    this.length = start + written;
  }

  #writeShort(value: string, size: number, start: number): number {
    const bytes = this.bytes;
    for (let i = 0; i < size; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 0x80) return utf8.encodeInto(value, bytes.subarray(start)).written;
      bytes[start + i] = unit;
    }
    return size;
  }

  #grow(need: number): void {
    const grown = new Uint8Array(Math.max(need, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
    this.#node = NodeBuffer?.from(grown.buffer);
  }
}

/** LEB128: seven bits a byte, low bits first. Takes one byte below 2^7, at most five below 2^35. Gives the place behind it. */
export function putVarUint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at] = rest;
  return at + 1;
}

// Copied by us up to here: a call into the runtime costs as much (80 ns).
const SHORT_COPY_BYTES = 128;

/** Copies what stands in `source` from `start` to `end`. There is room. Gives the place behind it. */
export function putFrom(
  target: Uint8Array,
  targetView: DataView,
  at: number,
  { bytes, view }: ByteWriter,
  start: number,
  end: number,
): number {
  const size = end - start;
  if (size > SHORT_COPY_BYTES) {
    target.set(bytes.subarray(start, end), at);
  } else {
    const wordsEnd = size & ~3;
    for (let i = 0; i < wordsEnd; i += 4) targetView.setInt32(at + i, view.getInt32(start + i, true), true);
    for (let i = wordsEnd; i < size; i++) target[at + i] = bytes[start + i]!;
  }
  return at + size;
}

/** The longest. */
export const VAR_UINT_BYTES = 5;
