import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import type { ShelfSpace } from '../documents/shelf.js';

/**
 * A file without a name that lives as long as it is open. Nothing in it has to survive, so nothing is synced: what was written lately is
 * in the page cache, and reading it is a copy. What the disk does not take stays in memory.
 */
export class ScratchFile implements ShelfSpace {
  readonly #folder: string;
  readonly #onError: (error: unknown) => void;
  /** By place, what could not be written. */
  readonly #refused = new Map<number, Uint8Array>();
  #fd: number | undefined;
  #isClosed = false;

  constructor(folder: string, onError: (error: unknown) => void) {
    this.#folder = folder;
    this.#onError = onError;
  }

  write(at: number, bytes: Uint8Array): void {
    try {
      writeFully((this.#fd ??= openNameless(this.#folder)), at, bytes);
      this.#refused.delete(at);
    } catch (error) {
      if (this.#refused.size === 0 && !this.#isClosed) this.#onError(error);
      this.#refused.set(at, bytes.slice());
    }
  }

  read(at: number, length: number): Uint8Array {
    const refused = this.#refused.get(at);
    if (refused !== undefined) return refused.slice(0, length);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const count = readSync(this.#fd!, bytes, done, length - done, at + done);
      if (count === 0) throw new Error(`the scratch file ends before byte ${at + length}`);
      done += count;
    }
    return bytes;
  }

  forget(at: number): void {
    this.#refused.delete(at);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function openNameless(folder: string): number {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${randomUUID()}.scratch`);
  const fd = openSync(path, 'wx+', 0o600);
  // Whatever happens to the process, the system frees it.
  rmSync(path);
  return fd;
}

function writeFully(fd: number, at: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}
