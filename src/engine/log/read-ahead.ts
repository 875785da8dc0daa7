import { type DiskFile, readFully } from './disk.js';

/** 4 MiB, what one read asks for: large enough that calls do not count, small enough for any machine. */
export const READ_BYTES = 4 * 1024 * 1024;

/** Reads a file front to back, a large piece at a time: the disk brings the next one while what is in this one is looked at. */
export class ReadAhead {
  readonly #file: DiskFile;
  readonly #size: number;
  #at = 0;
  #bytes: Uint8Array = new Uint8Array();
  /** The piece behind `#bytes`, on its way. */
  #next: Promise<Uint8Array> | undefined;

  constructor(file: DiskFile, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** The same as `read` without waiting: undefined when the bytes are not there yet. */
  peek(at: number, length: number): Uint8Array | undefined {
    if (at < this.#at || at + length > this.#at + this.#bytes.length) return undefined;
    return this.#bytes.subarray(at - this.#at, at - this.#at + length);
  }

  /** `length` bytes at `at`, fewer at the end of the file. A view that is good until the next read. */
  async read(at: number, length: number): Promise<Uint8Array> {
    const there = Math.min(length, this.#size - at);
    const known = this.peek(at, there);
    if (known !== undefined) return known;
    await this.#moveTo(at);
    if (this.peek(at, there) === undefined) this.#bytes = await this.#fetch(at, there);
    this.#fetchNext();
    return this.#bytes.subarray(0, there);
  }

  /** Resolves when the disk is not being asked for anything any more. */
  async settle(): Promise<void> {
    await this.#next?.catch(() => {});
  }

  /** Has `#bytes` begin at `at`: what is left of it with what was on its way, or nothing. */
  async #moveTo(at: number): Promise<void> {
    const skipped = at - this.#at;
    const next = await this.#next;
    this.#next = undefined;
    this.#at = at;
    const isInside = next !== undefined && skipped >= 0 && skipped <= this.#bytes.length;
    this.#bytes = isInside ? Buffer.concat([this.#bytes.subarray(skipped), next]) : new Uint8Array();
  }

  #fetch(at: number, length: number): Promise<Uint8Array> {
    return readFully(this.#file, at, Math.min(Math.max(length, READ_BYTES), this.#size - at));
  }

  #fetchNext(): void {
    const at = this.#at + this.#bytes.length;
    if (at >= this.#size) return;
    this.#next = this.#fetch(at, READ_BYTES);
    // Whoever needs the piece hears of the error.
    this.#next.catch(() => {});
  }
}
