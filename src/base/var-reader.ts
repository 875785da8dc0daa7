import { WireError } from './wire-error.js';

/*
 * Reader of the variable-length encoding that the Yjs world uses (lib0): varuint is LEB128, seven bits a byte, low
 * bits first, at most 2^53 - 1. Every length is checked against the bytes that are left before anything is allocated.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class VarReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  offset: number;

  constructor(bytes: Uint8Array, offset = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  readU8(): number {
    if (this.offset >= this.end) throw this.#short(1);
    return this.bytes[this.offset++]!;
  }

  readVarUint(): number {
    const { bytes, end } = this;
    let at = this.offset;
    if (at < end && bytes[at]! < 0x80) {
      this.offset = at + 1;
      return bytes[at]!;
    }
    let value = 0;
    let factor = 1;
    for (;;) {
      if (at >= end) throw this.#short(1);
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * factor;
      factor *= 128;
      if (value > Number.MAX_SAFE_INTEGER)
        throw new WireError('OUT_OF_RANGE', `a varuint at offset ${this.offset} is above 2^53`);
      if (byte < 0x80) break;
      // Eight bytes hold 53 bits; nobody writes zeros behind them.
      if (factor > 2 ** 56)
        throw new WireError('OUT_OF_RANGE', `a varuint at offset ${this.offset} is too long`);
    }
    this.offset = at;
    return value;
  }

  /** `count` bytes as a view: copy them to keep them. */
  readRaw(count: number): Uint8Array {
    if (count > this.end - this.offset) throw this.#short(count);
    const start = this.offset;
    this.offset = start + count;
    return this.bytes.subarray(start, this.offset);
  }

  skip(count: number): void {
    if (count > this.end - this.offset) throw this.#short(count);
    this.offset += count;
  }

  /** varuint length and that many bytes, as a view. */
  readVarBytes(): Uint8Array {
    return this.readRaw(this.readVarUint());
  }

  /** varuint byte length and strict UTF-8. */
  readVarString(): string {
    const start = this.offset;
    const raw = this.readVarBytes();
    try {
      return utf8.decode(raw);
    } catch {
      throw new WireError('BAD_UTF8', `a string at offset ${start} is not UTF-8`, { offset: start });
    }
  }

  expectEnd(): void {
    if (this.offset === this.end) return;
    throw new WireError('TRAILING_BYTES', `${this.remaining} bytes left over at offset ${this.offset}`, {
      offset: this.offset,
      left: this.remaining,
    });
  }

  #short(need: number): WireError {
    const have = this.end - this.offset;
    return new WireError('SHORT_READ', `need ${need} bytes at offset ${this.offset}, have ${have}`, {
      need,
      have,
      offset: this.offset,
    });
  }
}
