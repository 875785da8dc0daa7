import { ByteWriter } from './byte-writer.js';

const utf8 = new TextEncoder();
const KEPT_BYTES_MAX = 64 * 1024;

/** Writes what `VarReader` reads. */
export class VarWriter {
  #bytes = new ByteWriter(64);

  writeU8(value: number): this {
    this.#bytes.writeU8(value);
    return this;
  }

  writeVarUint(value: number): this {
    this.#bytes.writeVarUint(value);
    return this;
  }

  writeRaw(value: Uint8Array): this {
    this.#bytes.writeRaw(value);
    return this;
  }

  /** varuint length, then the bytes. */
  writeVarBytes(value: Uint8Array): this {
    return this.writeVarUint(value.length).writeRaw(value);
  }

  /** varuint byte length, then UTF-8. */
  writeVarString(value: string): this {
    return this.writeVarBytes(utf8.encode(value));
  }

  /** A copy of what was written; the writer is empty afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    const result = this.#bytes.finish();
    // A writer that lives long must not hold on to the largest message it ever saw.
    if (result.length > KEPT_BYTES_MAX) this.#bytes = new ByteWriter(64);
    return result;
  }
}
