import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import type { LogSection, TxOffset } from '../engine/log/commit-log.js';
import { writeFromBackup } from '../engine/log/backup-file.js';
import { checkReach, cutLogAfter, findOffsetAt } from '../engine/log/cut-log.js';
import type { Disk } from '../engine/log/disk.js';
import { openFolderDisk } from '../engine/log/folder-disk.js';
import { type FolderLock, lockFolder } from '../engine/log/folder-lock.js';
import { SectionKind } from '../engine/log/record-codec.js';
import { scanLog } from '../engine/log/scan-log.js';
import { listSnapshots, readSnapshot } from '../engine/log/snapshot-file.js';
import { Identity } from '../values/identity.js';
import { databasesFolder } from './database-store.js';
import { decodeStoredProgram, type StoredProgram } from './program.js';

/* A data directory without a server: what the commands for backups and logs work on. */

export interface StoredDatabase {
  readonly identity: Identity;
  readonly disk: Disk;
  /** The newest that can be read. */
  readonly program: StoredProgram | undefined;
}

/** Keeps servers and other commands away while something is changed. Throws LOCKED with the pid of who is there. */
export function lockDataDirectory(folder: string): Promise<FolderLock> {
  return lockFolder(folder);
}

/** The databases there are; reading them changes nothing, a server may be running. */
export async function listStoredDatabases(folder: string): Promise<readonly StoredDatabase[]> {
  const parent = databasesFolder(folder);
  if (!existsSync(parent)) return [];
  const names = (await readdir(parent)).filter((name) => /^[0-9a-f]{64}$/.test(name)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const identity = Identity.fromString(name);
      const disk = await openFolderDisk(join(parent, name));
      return { identity, disk, program: await readProgram(disk, identity.key).catch(() => undefined) };
    }),
  );
}

/** The program of the oldest snapshot: the log behind it may not say any more which one ran. */
export async function readOldestProgram(disk: Disk, databaseKey: string): Promise<StoredProgram | undefined> {
  const oldest = (await listSnapshots(disk)).at(-1);
  return oldest === undefined ? undefined : readSnapshotProgram(disk, oldest, databaseKey);
}

async function readProgram(disk: Disk, databaseKey: string): Promise<StoredProgram | undefined> {
  const [newest] = await listSnapshots(disk);
  let program = newest === undefined ? undefined : await readSnapshotProgram(disk, newest, databaseKey);
  await scanLog(disk, databaseKey, ({ sections }) => void (program = programOf(sections) ?? program));
  return program;
}

async function readSnapshotProgram(
  disk: Disk,
  offset: TxOffset,
  databaseKey: string,
): Promise<StoredProgram | undefined> {
  let program: StoredProgram | undefined;
  const section = (one: LogSection): void => void (program = programOf([one]) ?? program);
  await readSnapshot(disk, offset, databaseKey, { section, rows: () => {} }).catch(() => undefined);
  return program;
}

function programOf(sections: readonly LogSection[] = []): StoredProgram | undefined {
  const found = sections.findLast(({ kind }) => kind === SectionKind.program);
  return found && decodeStoredProgram(found.bytes.subarray(1));
}

export type RestorePoint =
  | { readonly kind: 'offset'; readonly offset: TxOffset }
  | { readonly kind: 'time'; readonly timeMicros: number };

export interface Restored {
  readonly identity: Identity;
  readonly lastOffset: TxOffset;
}

/**
 * Puts a backup into a data directory, as it was at `point` (default: its end). It appears whole or not at all. Throws when the
 * database is there already, and LogError TOO_OLD when the backup does not reach back to the point.
 */
export async function restoreBackup(file: string, folder: string, point?: RestorePoint): Promise<Restored> {
  const parent = databasesFolder(folder);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const backups = await openFolderDisk(dirname(file));
  const backup = await backups.open(basename(file), { writable: false, writeThrough: false });
  let temporary: string | undefined;
  try {
    const { disk, databaseKey } = await writeFromBackup(backup, async (key) => {
      const path = join(parent, Identity.fromKey(key).toHexString());
      if (existsSync(path))
        throw new Error(`the database ${Identity.fromKey(key).toHexString()} is there already`);
      temporary = `${path}.restoring`;
      await rm(temporary, { recursive: true, force: true });
      return openFolderDisk(temporary);
    });
    const lastOffset = await cutTo(disk, databaseKey, point);
    const identity = Identity.fromKey(databaseKey);
    await rename(temporary!, join(parent, identity.toHexString()));
    await (await openFolderDisk(parent)).syncFolder();
    return { identity, lastOffset };
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    throw error;
  } finally {
    await backup.close();
  }
}

async function cutTo(disk: Disk, databaseKey: string, point: RestorePoint | undefined): Promise<TxOffset> {
  const last = await lastOffsetOf(disk, databaseKey);
  let offset = last;
  if (point?.kind === 'offset') offset = point.offset;
  if (point?.kind === 'time') offset = await findOffsetAt(disk, databaseKey, point.timeMicros);
  await checkReach(disk, databaseKey, offset);
  await cutLogAfter(disk, offset);
  return offset;
}

async function lastOffsetOf(disk: Disk, databaseKey: string): Promise<TxOffset> {
  const reports = await scanLog(disk, databaseKey);
  return Math.max(reports.at(-1)?.lastOffset ?? 0, ...(await listSnapshots(disk)));
}
