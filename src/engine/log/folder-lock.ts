import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { LogError } from './log-error.js';

const PID_FILE = 'server.pid';

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Makes this process the only one that works in `folder`; throws LOCKED with the pid of the one that does. Node cannot lock files, so
 * the lock is a socket of a name that is made from the folder's: the system takes it back when its process dies, whatever of.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const address = socketAddress(await realpath(folder));
  const pidFile = join(folder, PID_FILE);
  const server =
    (await listen(address)) ?? ((await isAlive(address)) ? undefined : await listenAgain(address));
  if (server === undefined) throw await lockedError(folder, pidFile);
  await writeFile(pidFile, `${process.pid}\n`, { mode: 0o600 });
  return {
    release: async () => {
      await rm(pidFile, { force: true });
      server.close();
      await once(server, 'close');
    },
  };
}

function socketAddress(folder: string): string {
  const name = `chorale-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`;
  // Abstract on Linux: it leaves no file behind.
  if (process.platform === 'linux') return `\0${name}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  return join(tmpdir(), `${name}.sock`);
}

async function listen(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  try {
    server.listen(address);
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

/** Where sockets are files, one may be left of a process that was killed. */
async function listenAgain(address: string): Promise<Server | undefined> {
  if (process.platform === 'linux' || process.platform === 'win32') return undefined;
  await rm(address, { force: true });
  return listen(address);
}

async function isAlive(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function lockedError(folder: string, pidFile: string): Promise<LogError> {
  const pid = await readFile(pidFile, 'utf8').then(
    (text) => ` (pid ${text.trim()})`,
    () => '',
  );
  return new LogError(
    'LOCKED',
    `another process${pid} is using ${folder}: stop it first, or use another data directory`,
  );
}
