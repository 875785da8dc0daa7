import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Disk } from '../engine/log/disk.js';
import type { FileLog, LogSizes } from '../engine/log/file-log.js';
import { openFolderDisk, syncFolder } from '../engine/log/folder-disk.js';
import { type FolderLock, lockFolder } from '../engine/log/folder-lock.js';
import { recoverLog } from '../engine/log/recovery.js';
import {
  recoverDatabase,
  type RecoverDatabaseOptions,
  type RecoveredDatabase,
} from '../engine/recover-database.js';
import { Identity } from '../values/identity.js';

/** A database's place on disk and its open log. */
export interface StoredLog {
  readonly disk: Disk;
  readonly log: FileLog;
  readonly epoch: number;
}

// Some thousand small batches; at full load a few dozen a second.
const PREALLOCATE_BYTES = 1024 * 1024;

/** Where databases are kept: a folder each. Tests and the simulator hand in disks that tear, forget and fail. */
export interface DatabaseFolders {
  list(): Promise<readonly string[]>;
  /** The folder of that name, made when it is not there. */
  open(name: string): Promise<Disk>;
  remove(name: string): Promise<void>;
}

/** The folder, below a data directory, that has one folder for each database. */
export function databasesFolder(dataDirectory: string): string {
  return join(dataDirectory, 'databases');
}

/** The databases of one data directory, named by identity. One process at a time. */
export class DatabaseStore {
  readonly #folders: DatabaseFolders;
  readonly #lock: FolderLock | undefined;
  readonly #log: LogSizes;
  /** For files that need not survive; undefined when databases are not in folders of the real file system. */
  readonly scratchFolder: string | undefined;

  /** @param lock released by `close`. @param log how logs are laid out. */
  constructor(folders: DatabaseFolders, lock?: FolderLock, log: LogSizes = {}, scratchFolder?: string) {
    this.#folders = folders;
    this.#lock = lock;
    this.#log = log;
    this.scratchFolder = scratchFolder;
  }

  /** Throws LogError LOCKED, with the pid, when another process has the directory. */
  static async open(dataDirectory: string): Promise<DatabaseStore> {
    const lock = await lockFolder(dataDirectory);
    const folder = databasesFolder(dataDirectory);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await syncFolder(dataDirectory);
    await removeDeleted(folder);
    const folders: DatabaseFolders = {
      list: () => readdir(folder),
      open: async (name) => {
        const disk = await openFolderDisk(join(folder, name));
        await syncFolder(folder);
        return disk;
      },
      remove: (name) => removeFolder(folder, name),
    };
    return new DatabaseStore(folders, lock, { preallocateBytes: PREALLOCATE_BYTES }, folder);
  }

  async list(): Promise<readonly Identity[]> {
    const names = (await this.#folders.list()).filter((name) => /^[0-9a-f]{64}$/.test(name));
    return names.toSorted().map((name) => Identity.fromString(name));
  }

  /** Reads a database back; undefined when its creation never became durable. */
  async recover(
    identity: Identity,
    programs: Pick<RecoverDatabaseOptions, 'build' | 'follow'>,
  ): Promise<(RecoveredDatabase & StoredLog) | undefined> {
    const disk = await this.#folders.open(identity.toHexString());
    const recovered = await recoverDatabase(disk, {
      databaseKey: identity.key,
      ...programs,
      ...this.#log,
    });
    return recovered === undefined ? undefined : { ...recovered, disk };
  }

  /** An empty log for a new database. */
  async create(identity: Identity): Promise<StoredLog> {
    const disk = await this.#folders.open(identity.toHexString());
    const { log, epoch } = await recoverLog(disk, {
      databaseKey: identity.key,
      ...this.#log,
    });
    return { disk, log, epoch };
  }

  async remove(identity: Identity): Promise<void> {
    await this.#folders.remove(identity.toHexString());
  }

  async close(): Promise<void> {
    await this.#lock?.release();
  }
}

const DELETED = '.deleted';

/** Out of the way first: a crash between the removal of two files must not leave what looks like a damaged database. */
async function removeFolder(parent: string, name: string): Promise<void> {
  const path = join(parent, name);
  await rename(path, path + DELETED);
  await syncFolder(parent);
  await rm(path + DELETED, { recursive: true, force: true });
}

async function removeDeleted(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => name.endsWith(DELETED));
  for (const name of left) await rm(join(folder, name), { recursive: true, force: true });
}
