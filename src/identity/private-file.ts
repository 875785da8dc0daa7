import { constants } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';

/** A secret on disk that cannot be used as it lies there. The text says which command repairs it. */
export class PrivateFileError extends Error {
  override readonly name = 'PrivateFileError';

  readonly code: 'READABLE_BY_OTHERS' | 'TOO_LARGE';
  readonly path: string;

  constructor(code: 'READABLE_BY_OTHERS' | 'TOO_LARGE', path: string, message: string) {
    super(message);
    this.code = code;
    this.path = path;
  }
}

// 64 KiB: keys and tokens are below 4 KiB; a larger file is not what we wrote.
const PRIVATE_FILE_BYTES_MAX = 64 * 1024;

/**
 * The text of a file only its owner can read, or undefined when there is none.
 * Refuses a file that others can read: it must be assumed known.
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  const file = await openIfPresent(path);
  if (file === undefined) return undefined;
  try {
    // The mode of the open file, so that nobody can exchange it between the check and the reading.
    const { mode, size } = await file.stat();
    // Windows keeps access lists instead of mode bits.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new PrivateFileError(
        'READABLE_BY_OTHERS',
        path,
        `${path} can be read by others (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${path}`,
      );
    }
    if (size > PRIVATE_FILE_BYTES_MAX) {
      throw new PrivateFileError('TOO_LARGE', path, `${path} has ${size} bytes; it is not a key or a token`);
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/**
 * Creates a file that only its owner can read, whole or not at all, and never over an existing one.
 * False when it exists already: somebody else was first, read his.
 */
export async function createPrivateFile(path: string, text: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporaryPath = `${path}.${process.pid}.${crypto.randomUUID()}`;
  await writeSynced(temporaryPath, text, 0o600);
  try {
    // A link, unlike a rename, fails when the name is taken.
    await link(temporaryPath, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await unlink(temporaryPath);
  }
}

/** Reads the file; when there is none, creates it with what `make` gives. Of several processes one wins, and all see its text. */
export async function readOrCreatePrivateFile(path: string, make: () => Promise<string>): Promise<string> {
  const existing = await readPrivateFile(path);
  if (existing !== undefined) return existing;
  await createPrivateFile(path, await make());
  const created = await readPrivateFile(path);
  if (created === undefined) throw new Error(`${path} was removed while it was being created`);
  return created;
}

async function openIfPresent(path: string) {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function writeSynced(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
