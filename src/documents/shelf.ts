/** Where a shelf's bytes are. Reads give exactly what was written at that place. */
export interface ShelfSpace {
  write(at: number, bytes: Uint8Array): void;
  /** Bytes of the caller's own. */
  read(at: number, length: number): Uint8Array;
  /** Nobody will read there before something else is written. */
  forget(at: number): void;
  close(): void;
}

// A small document with its headers is a hundred bytes.
const PLACE_BYTES_MIN = 64;

/**
 * Keeps bytes that need not stay in memory, as long as the process lives: the log has them all, so nothing here is synced, backed up or
 * read after a restart. Places are used again by sizes: four to a power of two, so at most a fifth of one is empty.
 */
export class Shelf {
  readonly #space: ShelfSpace;
  readonly #freeBySize = new Map<number, number[]>();
  #endAt = 0;
  #usedBytes = 0;
  #pinCount = 0;
  /** at, length, …: given back while the shelf was pinned. */
  #returned: number[] = [];

  constructor(space: ShelfSpace = new MemorySpace()) {
    this.#space = space;
  }

  /** Of everything that is on it. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Where it ends: what it has needed at most. */
  get extentBytes(): number {
    return this.#endAt;
  }

  /** Copies the bytes; gives their place. */
  put(bytes: Uint8Array): number {
    const size = placeBytes(bytes.length);
    let at = this.#freeBySize.get(size)?.pop();
    if (at === undefined) {
      at = this.#endAt;
      this.#endAt += size;
    }
    this.#space.write(at, bytes);
    this.#usedBytes += size;
    return at;
  }

  get(at: number, length: number): Uint8Array {
    return this.#space.read(at, length);
  }

  drop(at: number, length: number): void {
    if (this.#pinCount > 0) return void this.#returned.push(at, length);
    const size = placeBytes(length);
    this.#usedBytes -= size;
    this.#space.forget(at);
    const free = this.#freeBySize.get(size);
    if (free === undefined) this.#freeBySize.set(size, [at]);
    else free.push(at);
  }

  /** Until the returned function is called, whatever is on the shelf now can be read, though it be dropped. */
  pin(): () => void {
    this.#pinCount += 1;
    let isPinned = true;
    return () => {
      if (!isPinned) return;
      isPinned = false;
      this.#pinCount -= 1;
      if (this.#pinCount > 0) return;
      const returned = this.#returned;
      this.#returned = [];
      for (let i = 0; i < returned.length; i += 2) this.drop(returned[i]!, returned[i + 1]!);
    };
  }

  close(): void {
    this.#space.close();
  }
}

function placeBytes(length: number): number {
  if (length <= PLACE_BYTES_MIN) return PLACE_BYTES_MIN;
  const step = 2 ** (Math.floor(Math.log2(length - 1)) - 2);
  return Math.ceil(length / step) * step;
}

/** For databases that are in memory only. */
class MemorySpace implements ShelfSpace {
  readonly #byPlace = new Map<number, Uint8Array>();

  write(at: number, bytes: Uint8Array): void {
    this.#byPlace.set(at, bytes.slice());
  }

  read(at: number, length: number): Uint8Array {
    return this.#byPlace.get(at)!.subarray(0, length);
  }

  forget(at: number): void {
    this.#byPlace.delete(at);
  }

  close(): void {
    this.#byPlace.clear();
  }
}
