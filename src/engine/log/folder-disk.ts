import { constants, write } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { DirectWriter } from './direct-writer.js';
import { BLOCK_BYTES, type Disk, type DiskFile } from './disk.js';

// On macOS O_DSYNC does not reach the platters and Windows has no such flag: there a write is followed by a sync.
const HAS_WRITE_THROUGH = process.platform === 'linux';

/** A folder of the real file system. Makes it, readable by its owner only, when it is not there. */
export async function openFolderDisk(folder: string): Promise<Disk> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return new FolderDisk(folder);
}

/** Has the names in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder, and its file systems journal names themselves.
  if (process.platform === 'win32') return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

class FolderDisk implements Disk {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  list(): Promise<readonly string[]> {
    return readdir(this.#folder);
  }

  create(name: string, options: { readonly writeThrough: boolean }): Promise<DiskFile> {
    const { O_CREAT, O_EXCL, O_RDWR } = constants;
    return this.#open(name, O_CREAT | O_EXCL | O_RDWR, options.writeThrough);
  }

  open(
    name: string,
    options: { readonly writable: boolean; readonly writeThrough: boolean },
  ): Promise<DiskFile> {
    const flags = options.writable ? constants.O_RDWR : constants.O_RDONLY;
    return this.#open(name, flags, options.writable && options.writeThrough);
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(join(this.#folder, from), join(this.#folder, to));
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true });
  }

  syncFolder(): Promise<void> {
    return syncFolder(this.#folder);
  }

  async #open(name: string, flags: number, wantsWriteThrough: boolean): Promise<DiskFile> {
    const isWriteThrough = wantsWriteThrough && HAS_WRITE_THROUGH;
    const path = join(this.#folder, name);
    const handle = await open(path, isWriteThrough ? flags | constants.O_DSYNC : flags, 0o600);
    return new FolderFile(handle, path, isWriteThrough);
  }
}

class FolderFile implements DiskFile {
  readonly isWriteThrough: boolean;
  readonly #handle: FileHandle;
  readonly #path: string;
  /** Opened for the first write of blocks; then undefined when the system does not take them. */
  #direct: Promise<DirectWriter | undefined> | undefined;

  constructor(handle: FileHandle, path: string, isWriteThrough: boolean) {
    this.#handle = handle;
    this.#path = path;
    this.isWriteThrough = isWriteThrough;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  /** Not the handle's own `write`: several promises and objects for each flush. */
  write(bytes: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#handle.fd, bytes, 0, bytes.length, position, (error, written) => {
        if (error === null) resolve(written);
        else reject(error);
      });
    });
  }

  async writeBlocks(bytes: Uint8Array, position: number): Promise<number> {
    if (!this.isWriteThrough || position % BLOCK_BYTES !== 0) return this.write(bytes, position);
    this.#direct ??= DirectWriter.open(this.#path);
    const direct = await this.#direct;
    const written = await direct?.write(bytes, position);
    if (written !== undefined) return written;
    await direct?.close();
    this.#direct = Promise.resolve(undefined);
    return this.write(bytes, position);
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    return (await this.#handle.read(target, 0, target.length, position)).bytesRead;
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  async truncate(size: number): Promise<void> {
    await this.#handle.truncate(size);
  }

  async close(): Promise<void> {
    await (await this.#direct)?.close();
    await this.#handle.close();
  }
}
