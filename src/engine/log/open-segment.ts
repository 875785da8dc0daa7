import { type DiskFile, writeFully } from './disk.js';

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
  /** Zeros could not be written. What is written afterwards fails, too. */
  readonly onError: (error: unknown) => void;
}

// 32 KiB: zeros spare a batch some 60 us of the file system's work and 0.2 ms of waiting, and cost 2 us for each kilobyte, so that
// behind larger batches they cost more than they spare.
const LARGE_BATCH_BYTES = 32 * 1024;

/** The file that batches go to, one after another, and the zeros that are written ahead of them. */
export class OpenSegment {
  readonly #file: DiskFile;
  readonly #options: OpenSegmentOptions;
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
    const end = this.#bytes + batch.length;
    // Zeros that are on their way must not come down on the batch.
    if (this.#allocating !== undefined && end > this.#allocatedBytes) {
      return this.#allocating.then(() => this.#write(batch, end));
    }
    return this.#write(batch, end);
  }

  /** Cuts off what was written ahead, unless the disk has failed, and closes the file. */
  async close(): Promise<void> {
    await this.#allocating;
    if (this.#error === undefined && this.#allocatedBytes > this.#bytes)
      await this.#file.truncate(this.#bytes);
    await this.#file.close();
  }

  async #write(batch: Uint8Array, end: number): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    await this.#put(batch, this.#bytes);
    this.#bytes = end;
    this.#allocatedBytes = Math.max(end, this.#allocatedBytes);
    if (batch.length < LARGE_BATCH_BYTES) this.#allocate();
  }

  async #put(bytes: Uint8Array, at: number): Promise<void> {
    try {
      await writeFully(this.#file, bytes, at);
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
    this.#allocating = this.#put(new Uint8Array(preallocateBytes), at)
      .then(() => void (this.#allocatedBytes = at + preallocateBytes), onError)
      .finally(() => void (this.#allocating = undefined));
  }
}
