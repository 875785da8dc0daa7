import { type FileHandle, mkdtemp, open, readdir, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, vi } from 'vitest';

import { schema } from '../../src/module/index.js';
import { loadModule } from '../../src/module/load-module.js';
import { createServer } from '../../src/server/create-server.js';
import { waitUntilDurable } from '../../src/engine/log/commit-log.js';
import { openFolderDisk } from '../../src/engine/log/folder-disk.js';
import { recoverLog } from '../../src/engine/log/recovery.js';
import { Identity } from '../../src/values/identity.js';

// As <asm-generic/fcntl.h> has it.
const O_DSYNC = 0o10000;

it.runIf(process.platform === 'linux')(
  'on Linux the log is open with O_DSYNC, when it is new and when it goes on',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chorale-disk-'));
    try {
      for (const functionName of ['first', 'second']) {
        const { log } = await recoverLog(await openFolderDisk(folder), { databaseKey: new Identity(1n).key });
        log.append({
          timestampMicros: 0,
          caller: undefined,
          connectionId: undefined,
          functionName,
          changes: [],
        });
        await waitUntilDurable(log);
        expect(await flagsOfOpenFiles(folder)).toEqual([O_DSYNC]);
        await log.close();
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

/** Of this process's open files in the folder, whether they are written through. */
async function flagsOfOpenFiles(folder: string): Promise<number[]> {
  const flags: number[] = [];
  for (const fd of await readdir('/proc/self/fd')) {
    const path = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
    if (!path.startsWith(folder)) continue;
    const [, octal = '0'] =
      /^flags:\s+([0-7]+)$/m.exec(await readFile(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
    flags.push(Number.parseInt(octal, 8) & O_DSYNC);
  }
  return flags;
}

it.runIf(process.platform === 'linux')(
  'what a new data directory is made of is synced: key and owner, the database, its log, and the folders that name them',
  async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'chorale-disk-')));
    const synced = new Set<string>();
    const restore = await watchSyncs((path) => void synced.add(path.replace(folder, 'data')));
    try {
      const databases = { one: loadModule({ default: schema({}) }) };
      await using server = await createServer({ dataDirectory: folder, databases, onNotice: () => {} });
      const identity = server.database('one')!.identity.toHexString();
      const folders = ['data', 'data/config', 'data/databases', `data/databases/${identity}`];
      expect(folders.filter((path) => !synced.has(path))).toEqual([]);
      const files = [...synced].filter((path) => path.startsWith('data/config/'));
      expect(files.map((path) => path.replace(/\.\d+\.[-0-9a-f]+$/, ''))).toEqual([
        'data/config/token-key.pem',
        'data/config/owner.token',
      ]);
    } finally {
      restore();
      await rm(folder, { recursive: true });
    }
  },
);

/** Tells of each file or folder that is to be synced, until the returned function is called. */
async function watchSyncs(tell: (path: string) => void): Promise<() => void> {
  const some = await open('/dev/null');
  const prototype = Object.getPrototypeOf(some) as FileHandle;
  await some.close();
  const spy = vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    tell(await readlink(`/proc/self/fd/${this.fd}`));
  });
  return () => spy.mockRestore();
}
