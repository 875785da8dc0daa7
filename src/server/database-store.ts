import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Database } from '../engine/database.js';
import type { Disk } from '../engine/log/disk.js';
import type { FileLog } from '../engine/log/file-log.js';
import { openFolderDisk } from '../engine/log/folder-disk.js';
import { type FolderLock, lockFolder } from '../engine/log/folder-lock.js';
import { recoverLog } from '../engine/log/recovery.js';
import { recoverDatabase, type RecoveredDatabase } from '../engine/recover-database.js';
import { Identity } from '../values/identity.js';

/** A database's place on disk and its open log. */
export interface StoredLog {
  readonly disk: Disk;
  readonly log: FileLog;
  readonly epoch: number;
}

/** The databases of one data directory: a folder each, named by identity. One process at a time. */
export class DatabaseStore {
  readonly #folder: string;
  readonly #lock: FolderLock;

  private constructor(folder: string, lock: FolderLock) {
    this.#folder = folder;
    this.#lock = lock;
  }

  /** Throws LogError LOCKED, with the pid, when another process has the directory. */
  static async open(dataDirectory: string): Promise<DatabaseStore> {
    const lock = await lockFolder(dataDirectory);
    const folder = join(dataDirectory, 'databases');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new DatabaseStore(folder, lock);
  }

  async list(): Promise<readonly Identity[]> {
    const names = (await readdir(this.#folder)).filter((name) => /^[0-9a-f]{64}$/.test(name));
    return names.toSorted().map((name) => Identity.fromString(name));
  }

  /** Reads a database back; undefined when its creation never became durable. */
  async recover(
    identity: Identity,
    build: (program: Uint8Array) => Promise<Database>,
  ): Promise<(RecoveredDatabase & StoredLog) | undefined> {
    const disk = await this.#openDisk(identity);
    const recovered = await recoverDatabase(disk, { databaseKey: identity.key, build });
    return recovered === undefined ? undefined : { ...recovered, disk };
  }

  /** An empty log for a new database. */
  async create(identity: Identity): Promise<StoredLog> {
    const disk = await this.#openDisk(identity);
    const { log, epoch } = await recoverLog(disk, { databaseKey: identity.key, apply: () => {} });
    return { disk, log, epoch };
  }

  async remove(identity: Identity): Promise<void> {
    await rm(this.#path(identity), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }

  #openDisk(identity: Identity): Promise<Disk> {
    return openFolderDisk(this.#path(identity));
  }

  #path(identity: Identity): string {
    return join(this.#folder, identity.toHexString());
  }
}
