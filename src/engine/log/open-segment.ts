import { blockEnd, type DiskFile, writeFully } from './disk.js';

/** Where a segment ends, as recovery found it or as it was made. */
export interface SegmentEnd {
  readonly file: DiskFile;
  /** The byte behind the last batch. */
  readonly bytes: number;
  /** The size of the file: zeros follow the last batch. */
  readonly allocatedBytes: number;
}

export interface OpenSegmentOptions {
  readonly segmentBytesMax: number;
  /** Zeros that are written ahead of the batches, 0 for none. */
  readonly preallocateBytes: number;
  /** Batches from this length on are written by whole blocks. */
  readonly largeBatchBytes: number;
  /** Zeros could not be written. What is written afterwards fails, too. */
  readonly onError: (error: unknown) => void;
}

// 16: large batches use zeros up without need, and they cost 2 us for each kilobyte. So where large and small ones take turns, as under
// load, none are written; who is alone is soon without large ones.
const SMALL_BATCHES_BEFORE_ZEROS = 16;

/** The file that batches go to, one after another, and the zeros that are written ahead of them. */
export class OpenSegment {
  readonly #file: DiskFile;
  readonly #options: OpenSegmentOptions;
  /** How many small batches have to come before zeros are written again. */
  #batchesBeforeZeros = 0;
  #bytes: number;
  #allocatedBytes: number;
  /** Zeros on their way to the disk. */
  #allocating: Promise<void> | undefined;
  /** Of the disk: it is not asked again. */
  #error: unknown;

  constructor({ file, bytes, allocatedBytes }: SegmentEnd, options: OpenSegmentOptions) {
    this.#file = file;
    this.#bytes = bytes;
    this.#allocatedBytes = allocatedBytes;
    this.#options = options;
  }

  /** The next batch belongs into the next segment. */
  get isFull(): boolean {
    return this.#bytes >= this.#options.segmentBytesMax;
  }

  /** Resolves when `batch` is on stable storage. The disk is asked at once; the next call must wait for this one. */
  write(batch: Uint8Array): Promise<void> {
    const isLarge = batch.length >= this.#options.largeBatchBytes;
    const start = isLarge ? blockEnd(this.#bytes) : this.#bytes;
    const end = isLarge ? blockEnd(start + batch.length) : start + batch.length;
    // Zeros that are on their way must not come down on the batch.
    if (this.#allocating !== undefined && end > this.#allocatedBytes) {
      return this.#allocating.then(() => this.#write(batch, start, end, isLarge));
    }
    return this.#write(batch, start, end, isLarge);
  }

  /** Cuts off what was written ahead, unless the disk has failed, and closes the file. */
  async close(): Promise<void> {
    await this.#allocating;
    if (this.#error === undefined && this.#allocatedBytes > this.#bytes)
      await this.#file.truncate(this.#bytes);
    await this.#file.close();
  }

  async #write(batch: Uint8Array, start: number, end: number, isLarge: boolean): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    await this.#put(batch, start, isLarge ? 'writeBlocks' : 'write');
    this.#bytes = end;
    this.#allocatedBytes = Math.max(end, this.#allocatedBytes);
    if (isLarge) this.#batchesBeforeZeros = SMALL_BATCHES_BEFORE_ZEROS;
    else if (this.#batchesBeforeZeros > 0) this.#batchesBeforeZeros -= 1;
    else this.#allocate();
  }

  async #put(bytes: Uint8Array, at: number, way: 'write' | 'writeBlocks'): Promise<void> {
    try {
      await writeFully(this.#file, bytes, at, way);
      if (!this.#file.isWriteThrough) await this.#file.sync();
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }

  /** Has zeros written ahead when half of them are used up, beside the batches. */
  #allocate(): void {
    const { preallocateBytes, onError } = this.#options;
    if (preallocateBytes === 0 || this.#allocating !== undefined || this.isFull) return;
    if (this.#allocatedBytes - this.#bytes > preallocateBytes / 2) return;
    const at = this.#allocatedBytes;
    this.#allocating = this.#put(new Uint8Array(preallocateBytes), at, 'write')
      .then(() => void (this.#allocatedBytes = at + preallocateBytes), onError)
      .finally(() => void (this.#allocating = undefined));
  }
}
