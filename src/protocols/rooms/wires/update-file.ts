import { type FSWatcher, watch } from 'node:fs';
import {
  type FileHandle,
  link,
  open,
  readFile,
  rename,
  stat,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname } from 'node:path';

import { checkFileHeader, encodeRecord, FILE_HEADER, parseRecords } from './file-format.js';

/*
 * Several processes may have one file open. Each appends whole records. Who squashes puts a new file in the place of the old one;
 * the others notice before and after they append that theirs is not the one at the path any more, and append once more. Updates that
 * are there twice do no harm.
 */

export interface UpdateFileOptions {
  readonly path: string;
  /** Others may be writing: what looks torn is looked at twice. */
  readonly isShared: boolean;
  readonly onWarning: (text: string) => void;
}

// A write that is under way is through by then.
const SECOND_LOOK_MS = 20;
// Who squashes takes milliseconds: an older one has crashed.
const ABANDONED_MS = 60_000;

/** wiredb's file: a header, and updates one after another. */
export class UpdateFile {
  readonly #options: UpdateFileOptions;
  #file: FileHandle;
  /** How far it was read: the end of a record. */
  #readEnd = FILE_HEADER.length;

  private constructor(options: UpdateFileOptions, file: FileHandle) {
    this.#options = options;
    this.#file = file;
  }

  /** Makes it if there is none. Throws for a file of another version. */
  static async open(options: UpdateFileOptions): Promise<UpdateFile> {
    await createUnlessThere(options.path);
    const handle = await open(options.path, 'a+');
    const file = new UpdateFile(options, handle);
    try {
      await file.#checkHeader();
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Somebody else's crash may have come between making the file and writing its header. */
  async #checkHeader(): Promise<void> {
    const bytes = await readFile(this.#options.path);
    if (!Buffer.from(FILE_HEADER).subarray(0, bytes.length).equals(bytes)) return checkFileHeader(bytes);
    if (bytes.length === FILE_HEADER.length) return;
    await truncate(this.#options.path, 0);
    await this.#file.write(FILE_HEADER);
  }

  /** What was appended since, by whomever. What is torn at the end is cut off, and said. */
  async readNew(): Promise<Uint8Array[]> {
    await this.#follow();
    const first = await this.#readTail();
    if (first.torn === 0) return [...first.updates];
    const isGrowing = async (): Promise<boolean> => {
      await new Promise((resolve) => setTimeout(resolve, SECOND_LOOK_MS));
      return (await this.#file.stat()).size !== this.#readEnd + first.torn;
    };
    // It is read on as soon as it has grown: whoever writes there wakes whoever watches.
    if (this.#options.isShared && (await isGrowing())) return [...first.updates];
    const { path, onWarning } = this.#options;
    onWarning(`${path}: the last ${first.torn} bytes were cut off: a crash interrupted their record`);
    await this.#file.truncate(this.#readEnd);
    return [...first.updates];
  }

  /** On disk when it resolves. Gives what others have written meanwhile. */
  async append(updates: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const bytes = Buffer.concat(updates.map(encodeRecord));
    const news = this.#options.isShared ? await this.readNew() : [];
    do {
      await this.#file.appendFile(bytes);
      await this.#file.datasync();
    } while (await this.#follow());
    return news;
  }

  /**
   * One update in a new file that takes the place of the old one in one step: a crash leaves either of them. Does nothing, and says
   * so, while somebody else is at it. @param makeWhole is handed what others have appended meanwhile.
   */
  async rewrite(makeWhole: (news: readonly Uint8Array[]) => Uint8Array): Promise<boolean> {
    const { path } = this.#options;
    const temporary = `${path}.squash`;
    const next = await openAlone(temporary);
    if (next === undefined) return false;
    await next.appendFile(FILE_HEADER);
    await next.appendFile(encodeRecord(makeWhole(await this.readNew())));
    await next.datasync();
    const readEnd = (await next.stat()).size;
    await rename(temporary, path);
    await syncFolder(path);
    // Who appended to the old one until now may not have noticed.
    const { updates } = await this.#readTail();
    if (updates.length > 0) await next.appendFile(Buffer.concat(updates.map(encodeRecord)));
    await next.datasync();
    await this.#file.close();
    this.#file = next;
    this.#readEnd = readEnd;
    return true;
  }

  /** Calls back when somebody may have written. */
  watch(onChange: () => void): FSWatcher {
    const { path } = this.#options;
    // The folder, as the file may be replaced.
    return watch(dirname(path), (_event, name) => {
      if (name === null || name === basename(path)) onChange();
    });
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Whether another file has taken its place, which is the one that is open now. */
  async #follow(): Promise<boolean> {
    if (!this.#options.isShared) return false;
    const [own, there] = await Promise.all([this.#file.stat(), stat(this.#options.path)]);
    if (own.ino === there.ino) return false;
    await this.#file.close();
    this.#file = await open(this.#options.path, 'a+');
    this.#readEnd = FILE_HEADER.length;
    return true;
  }

  async #readTail(): Promise<{ readonly updates: readonly Uint8Array[]; readonly torn: number }> {
    const { size } = await this.#file.stat();
    const bytes = Buffer.alloc(Math.max(0, size - this.#readEnd));
    await this.#file.read(bytes, 0, bytes.length, this.#readEnd);
    const { updates, end } = parseRecords(bytes, 0);
    this.#readEnd += end;
    return { updates, torn: bytes.length - end };
  }
}

let creationCount = 0;

/** With its header from the first moment, whoever else makes it. */
async function createUnlessThere(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) !== undefined) return;
  creationCount += 1;
  const temporary = `${path}.${process.pid}.${creationCount}.new`;
  await writeFile(temporary, FILE_HEADER);
  await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await unlink(temporary);
}

/** Makes a file unless it is there. One that was left behind by a crash does not count. */
async function openAlone(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'ax+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
  if (Date.now() - mtimeMs < ABANDONED_MS) return undefined;
  await unlink(path).catch(() => {});
  return open(path, 'ax+').catch(() => undefined);
}

/** That the new name lasts, too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
