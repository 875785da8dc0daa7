/**
 * Joins buffers into one. Remembers the last join: in a fan-out one socket after the other is sent the same
 * shared frames, and they need to be joined only once.
 */
export class BufferJoiner {
  #parts: readonly Uint8Array[] = [];
  #joined: Uint8Array = new Uint8Array(0);

  /** `bytes` is the sum of the lengths. The parts must not change any more. */
  join(parts: readonly Uint8Array[], bytes: number): Uint8Array {
    if (this.#isLast(parts)) return this.#joined;
    this.#parts = parts;
    // Exactly sized, not from Node's pool: it may be kept by many slow sockets.
    const joined = Buffer.allocUnsafeSlow(bytes);
    let offset = 0;
    for (const part of parts) {
      joined.set(part, offset);
      offset += part.length;
    }
    this.#joined = joined;
    return joined;
  }

  #isLast(parts: readonly Uint8Array[]): boolean {
    if (parts.length !== this.#parts.length) return false;
    for (let i = parts.length - 1; i >= 0; i--) if (parts[i] !== this.#parts[i]) return false;
    return true;
  }
}
