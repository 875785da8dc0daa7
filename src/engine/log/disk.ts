/*
 * The few things the log asks of a disk, so that tests and the simulator can hand in one that tears, forgets and fails.
 */

/** 4 KiB, what disks and file systems write whole. */
export const BLOCK_BYTES = 4096;

/** The first start of a block that is not before `position`. */
export function blockEnd(position: number): number {
  return Math.ceil(position / BLOCK_BYTES) * BLOCK_BYTES;
}

export interface DiskFile {
  /** True when `write` returns only after the bytes are on stable storage (O_DSYNC); `sync` is then not needed for data. */
  readonly isWriteThrough: boolean;
  size(): Promise<number>;
  /** Writes at `position`; may write less than asked. Returns how many bytes were written. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /**
   * The same for a large write at the start of a block (see BLOCK_BYTES): may write zeros behind the last byte, up to the end of its
   * block, and do without the system's page cache.
   */
  writeBlocks(bytes: Uint8Array, position: number): Promise<number>;
  /** Fills `target` from `position`; returns how many bytes there were. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Resolves when everything written is on stable storage. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** One folder of a disk. Names have no slashes. */
export interface Disk {
  /** The names in the folder, in no order. */
  list(): Promise<readonly string[]>;
  /** Makes a new file for writing; fails when the name is taken. With `writeThrough`, O_DSYNC where the system has it. */
  create(name: string, options: { readonly writeThrough: boolean }): Promise<DiskFile>;
  open(
    name: string,
    options: { readonly writable: boolean; readonly writeThrough: boolean },
  ): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Makes creations, renames and removals survive: without it a file may be gone after a power cut. */
  syncFolder(): Promise<void>;
}

/** Writes all of `bytes`, completing short writes. */
export async function writeFully(
  file: DiskFile,
  bytes: Uint8Array,
  position: number,
  way: 'write' | 'writeBlocks' = 'write',
): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const written = await file[way](done === 0 ? bytes : bytes.subarray(done), position + done);
    // A disk that takes nothing without an error would keep us here for ever.
    if (written <= 0) throw new Error('the disk took no bytes');
    done += written;
  }
}

/** Reads `length` bytes at `position`, or as many as there are. */
export async function readFully(file: DiskFile, position: number, length: number): Promise<Uint8Array> {
  const target = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = await file.read(target.subarray(done), position + done);
    if (count === 0) break;
    done += count;
  }
  return done === length ? target : target.subarray(0, done);
}
