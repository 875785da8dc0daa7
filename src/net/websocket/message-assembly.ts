// Enough for what usually straddles two chunks.
const FIRST_BYTES = 256;
// A peer gets this much memory for having announced it; more only for octets that came.
const TRUSTED_BYTES = 16 * 1024;

/**
 * Collects a message that comes in pieces. Octets are copied, so that a few of them never keep a whole chunk
 * alive, and memory grows with what has come, not with what was announced.
 */
export class MessageAssembly {
  #bytes = new Uint8Array(0);
  length = 0;

  /** Adds `source[start, end)`; `announced` is how many octets, these included, are known to come. */
  append(source: Uint8Array, start: number, end: number, announced: number): void {
    const need = this.length + end - start;
    if (need > this.#bytes.length) this.#grow(need, this.length + announced);
    this.#bytes.set(source.subarray(start, end), this.length);
    this.length = need;
  }

  /** The message. The assembly is used up. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #grow(need: number, announced: number): void {
    const doubled = Math.max(FIRST_BYTES, this.#bytes.length * 2, need);
    const size =
      announced <= TRUSTED_BYTES
        ? Math.max(doubled, announced)
        : Math.max(need, Math.min(doubled * 2, announced));
    const grown = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
  }
}
