import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { lockFolder } from './folder-lock.js';

describe('folder lock', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chorale-lock-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('the second one is refused and told who the first one is', async () => {
    const lock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(`(pid ${process.pid})`);
    await lock.release();
    await (await lockFolder(folder)).release();
  });

  it.runIf(process.platform === 'linux')('a lock ends with its process, however that ends', async () => {
    const script = `
      const { createServer } = require('node:net');
      const { createHash } = require('node:crypto');
      const name = 'chorale-' + createHash('sha256').update(process.argv[1]).digest('hex').slice(0, 32);
      createServer().listen('\\0' + name, () => console.log('locked'));`;
    const child = spawn(process.execPath, ['-e', script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    await expect(lockFolder(folder)).rejects.toThrow('another process');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await lockFolder(folder)).release();
  });
});
