import { WireError } from './wire-error.js';

/*
 * Little-endian reader with bounds. Every length is checked against the bytes that are left before
 * anything is allocated, so a message that lies about its size costs nothing.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class ByteReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly end: number;
  offset = 0;

  constructor(bytes: Uint8Array) {
    // One class for all messages: a Buffer here would make every load of generated code slower.
    this.bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  /** Throws SHORT_READ unless `count` more bytes are there. */
  need(count: number): void {
    if (count > this.end - this.offset) {
      throw new WireError(
        'SHORT_READ',
        `need ${count} bytes at offset ${this.offset}, have ${this.end - this.offset}`,
        {
          need: count,
          have: this.end - this.offset,
          offset: this.offset,
        },
      );
    }
  }

  /** Throws TRAILING_BYTES when something is left. */
  expectEnd(): void {
    if (this.offset !== this.end) {
      throw new WireError(
        'TRAILING_BYTES',
        `${this.end - this.offset} bytes left over at offset ${this.offset}`,
        {
          offset: this.offset,
          left: this.end - this.offset,
        },
      );
    }
  }

  readU8(): number {
    this.need(1);
    return this.bytes[this.offset++]!;
  }

  readBool(): boolean {
    const byte = this.readU8();
    if (byte > 1) {
      throw new WireError('BAD_BOOL', `a bool is 0 or 1, got ${byte} at offset ${this.offset - 1}`, {
        offset: this.offset - 1,
      });
    }
    return byte === 1;
  }

  readU16(): number {
    this.need(2);
    const value = this.view.getUint16(this.offset, true);
    this.offset += 2;
    return value;
  }

  readU32(): number {
    this.need(4);
    const value = this.view.getUint32(this.offset, true);
    this.offset += 4;
    return value;
  }

  /** LEB128, as `putVarUint` writes it: seven bits a byte, low bits first, below 2^35. */
  readVarUint(): number {
    const first = this.readU8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let factor = 2 ** 7; factor <= 2 ** 28; factor *= 2 ** 7) {
      const byte = this.readU8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new WireError('OUT_OF_RANGE', `a varuint at offset ${this.offset - 5} is too long`);
  }

  readI64(): bigint {
    this.need(8);
    const value = this.view.getBigInt64(this.offset, true);
    this.offset += 8;
    return value;
  }

  readU64(): bigint {
    this.need(8);
    const value = this.view.getBigUint64(this.offset, true);
    this.offset += 8;
    return value;
  }

  /** `count` raw bytes as a view into the message: copy them to keep them. */
  readRaw(count: number): Uint8Array {
    this.need(count);
    const value = this.bytes.subarray(this.offset, this.offset + count);
    this.offset += count;
    return value;
  }

  /** u32 length and that many bytes, as a view into the message. */
  readBytes(): Uint8Array {
    return this.readRaw(this.readU32());
  }

  /** u32 byte length and strict UTF-8. */
  readString(): string {
    return this.#readText(this.readU32());
  }

  /** The same with a varuint for the length. */
  readVarString(): string {
    return this.#readText(this.readVarUint());
  }

  #readText(size: number): string {
    this.need(size);
    const start = this.offset;
    this.offset = start + size;
    if (size < 24) {
      const text = readAscii(this.bytes, start, this.offset);
      if (text !== undefined) return text;
    }
    try {
      return utf8.decode(this.bytes.subarray(start, this.offset));
    } catch {
      throw new WireError('BAD_UTF8', `a string at offset ${start} is not UTF-8`, { offset: start });
    }
  }
}

/** Short ASCII texts are quicker to build by hand than through TextDecoder's call. */
function readAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
