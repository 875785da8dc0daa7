import { constants } from 'node:fs';
import {
  type FileHandle,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { schema } from '../../src/module/index.js';
import { loadModule } from '../../src/module/load-module.js';
import { createServer } from '../../src/server/create-server.js';
import { waitUntilDurable } from '../../src/engine/log/commit-log.js';
import { DirectWriter } from '../../src/engine/log/direct-writer.js';
import { openFolderDisk } from '../../src/engine/log/folder-disk.js';
import { recoverLog } from '../../src/engine/log/recovery.js';
import { newChanges } from '../../src/engine/testing/log-records.js';
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
          changes: undefined,
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

describe.runIf(process.platform === 'linux')('large batches on a real disk', () => {
  const databaseKey = new Identity(1n).key;
  const SIZES = [100, 70_000, 100, 200_000, 3_000_000, 100, 65_536, 1_048_576];

  /** Writes a batch for each size, and gives the lengths of the rows that a second start finds. */
  async function writeAndRead(
    folder: string,
    whileOpen: () => Promise<void> = async () => {},
  ): Promise<number[]> {
    const { log } = await recoverLog(await openFolderDisk(folder), { databaseKey, preallocateBytes: 10_000 });
    for (const [i, size] of SIZES.entries()) {
      const row = new Uint8Array(size).fill(i + 1);
      log.append({
        timestampMicros: 0,
        caller: undefined,
        connectionId: undefined,
        functionName: 'put',
        changes: newChanges([{ table: 'entry', deletes: [], inserts: [row] }]),
      });
      await waitUntilDurable(log);
    }
    await whileOpen();
    await log.close();
    const found: number[] = [];
    const again = await recoverLog(await openFolderDisk(folder), {
      databaseKey,
      apply: ({ changes }, offset) => {
        const row = changes[0]!.inserts[0]!;
        if (row.every((byte) => byte === offset)) found.push(row.length);
      },
    });
    expect(again.torn).toBeUndefined();
    await again.log.close();
    return found;
  }

  it('go past the page cache where the file system allows it, through to the disk', async () => {
    await inFolder(async (folder) => {
      let flags: number[] = [];
      const sizes = await writeAndRead(folder, async () => {
        flags = await flagsOfOpenFiles(folder, O_DSYNC | constants.O_DIRECT);
      });
      expect(sizes).toEqual(SIZES);
      const expected = [
        O_DSYNC,
        ...((await takesDirectWrites(folder)) ? [O_DSYNC | constants.O_DIRECT] : []),
      ];
      expect(flags.toSorted((a, b) => a - b)).toEqual(expected);
    });
  });

  it.each([
    ['does not open files so', () => vi.spyOn(DirectWriter, 'open').mockResolvedValue(undefined)],
    ['refuses the writes', () => vi.spyOn(DirectWriter.prototype, 'write').mockResolvedValue(undefined)],
  ])('are the same on a file system that %s', async (_what, refuse) => {
    const spy = refuse();
    try {
      await inFolder(async (folder) => {
        let flags: number[] = [];
        const sizes = await writeAndRead(folder, async () => {
          flags = await flagsOfOpenFiles(folder, O_DSYNC | constants.O_DIRECT);
        });
        expect(sizes).toEqual(SIZES);
        expect(flags).toEqual([O_DSYNC]);
      });
      expect(spy).toHaveBeenCalledTimes(1);
    } finally {
      spy.mockRestore();
    }
  });

  it('a write that the system does not take so says so, and nothing is written', async () => {
    await inFolder(async (folder) => {
      const path = join(folder, 'file');
      await writeFile(path, 'unchanged');
      const direct = await DirectWriter.open(path);
      if (direct === undefined) return expect(await takesDirectWrites(folder)).toBe(false);
      expect(await direct.write(new Uint8Array(5000).fill(1), 100)).toBeUndefined();
      expect(await readFile(path, 'utf8')).toBe('unchanged');
      expect(await direct.write(new Uint8Array(5000).fill(1), 4096)).toBe(5000);
      const content = await readFile(path);
      expect([content.length, content.subarray(9096).every((byte) => byte === 0)]).toEqual([12_288, true]);
      await direct.close();
    });
  });
});

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'chorale-disk-')));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function takesDirectWrites(folder: string): Promise<boolean> {
  const path = join(folder, 'probe');
  try {
    await (await open(path, constants.O_CREAT | constants.O_WRONLY | constants.O_DIRECT)).close();
    return true;
  } catch {
    return false;
  } finally {
    await rm(path, { force: true });
  }
}

/** Of this process's open files in the folder, those of `wanted` that they are open with. */
async function flagsOfOpenFiles(folder: string, wanted = O_DSYNC): Promise<number[]> {
  const flags: number[] = [];
  for (const fd of await readdir('/proc/self/fd')) {
    const path = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
    if (!path.startsWith(folder)) continue;
    const [, octal = '0'] =
      /^flags:\s+([0-7]+)$/m.exec(await readFile(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
    flags.push(Number.parseInt(octal, 8) & wanted);
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
