const FIRST_CHUNK_BYTES = 1024;
const CHUNK_BYTES = 64 * 1024;
// From here on a buffer is kept as it is; smaller ones are copied, so that they do not keep a slab alive.
const KEEP_BYTES = 4096;

/** Octets that wait for a slow socket, in order, packed: it holds little more memory than its `bytes`. */
export class Backlog {
  #full: Uint8Array[] = [];
  #tail: Uint8Array | undefined;
  #tailBytes = 0;
  bytes = 0;

  append(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (bytes.length >= KEEP_BYTES) {
      this.#closeTail();
      this.#full.push(bytes);
      return;
    }
    const tail = this.#tailWithRoomFor(bytes.length);
    tail.set(bytes, this.#tailBytes);
    this.#tailBytes += bytes.length;
  }

  /** Takes whole buffers from the front until `bytesMax` is reached; at least one if there is one. */
  take(bytesMax: number): Uint8Array[] {
    this.#closeTail();
    let count = 0;
    let bytes = 0;
    while (count < this.#full.length && (count === 0 || bytes + this.#full[count]!.length <= bytesMax)) {
      bytes += this.#full[count++]!.length;
    }
    this.bytes -= bytes;
    return this.#full.splice(0, count);
  }

  #tailWithRoomFor(count: number): Uint8Array {
    const tail = this.#tail;
    if (tail !== undefined && this.#tailBytes + count <= tail.length) return tail;
    if (tail !== undefined && tail.length < CHUNK_BYTES) {
      // Few connections have much to catch up on: start small, then double.
      const grown = allocate(Math.min(CHUNK_BYTES, Math.max(tail.length * 2, this.#tailBytes + count)));
      grown.set(tail.subarray(0, this.#tailBytes));
      this.#tail = grown;
      if (this.#tailBytes + count <= grown.length) return grown;
    }
    this.#closeTail();
    this.#tail = allocate(this.#full.length === 0 ? Math.max(FIRST_CHUNK_BYTES, count) : CHUNK_BYTES);
    return this.#tail;
  }

  #closeTail(): void {
    if (this.#tail !== undefined && this.#tailBytes > 0)
      this.#full.push(this.#tail.subarray(0, this.#tailBytes));
    this.#tail = undefined;
    this.#tailBytes = 0;
  }
}

function allocate(bytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(bytes);
}
