import { constants, write } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { blockEnd } from './disk.js';

// 1 MiB: what one call writes. A batch leaves at half of it where the disk keeps up.
const STAGING_BYTES = 1024 * 1024;

/**
 * Writes past the page cache (O_DIRECT), where the system lets us: the pages that a log would fill are hardly ever read again, and
 * making them is most of what a large write costs. The system wants whole blocks, in the file and in memory.
 */
export class DirectWriter {
  readonly #handle: FileHandle;
  /** A resizable buffer begins at a page of its own, others do not. If that should change, the system refuses and we do without. */
  readonly #staging = new Uint8Array(new ArrayBuffer(STAGING_BYTES, { maxByteLength: STAGING_BYTES }));

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Opens the file once more. Gives undefined where neither system nor file system know such writes. */
  static async open(path: string): Promise<DirectWriter | undefined> {
    const { O_DIRECT, O_DSYNC, O_WRONLY } = constants;
    if (O_DIRECT === undefined || O_DSYNC === undefined) return undefined;
    try {
      return new DirectWriter(await open(path, O_WRONLY | O_DIRECT | O_DSYNC));
    } catch {
      return undefined;
    }
  }

  /**
   * Puts what fits of `bytes` at `position`, a block's start, and zeros behind it up to a block's end; on stable storage when it
   * resolves. Gives how many of the bytes were written, undefined when the system does not take such writes here.
   */
  write(bytes: Uint8Array, position: number): Promise<number | undefined> {
    const count = Math.min(bytes.length, STAGING_BYTES);
    const end = blockEnd(count);
    this.#staging.set(count === bytes.length ? bytes : bytes.subarray(0, count));
    this.#staging.fill(0, count, end);
    return new Promise((resolve, reject) => {
      write(this.#handle.fd, this.#staging, 0, end, position, (error, written) => {
        if (error === null) resolve(Math.min(written, count));
        else if (error.code === 'EINVAL') resolve(undefined);
        else reject(error);
      });
    });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
