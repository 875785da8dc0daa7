import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { ScratchFile } from './scratch-file.js';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'chorale-scratch-'))));
afterEach(() => rm(folder, { recursive: true }));

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

it('gives back what was written, and leaves nothing in the folder', async () => {
  const file = new ScratchFile(folder, () => expect.unreachable());
  file.write(0, filled(5000, 1));
  file.write(8192, filled(10, 2));
  expect([file.read(8192, 10), file.read(0, 5000)]).toEqual([filled(10, 2), filled(5000, 1)]);
  expect(await readdir(folder)).toEqual([]);
  file.close();
});

it('keeps in memory what the disk does not take, and says so once', async () => {
  const errors: unknown[] = [];
  const path = join(folder, 'no folder');
  await writeFile(path, '');
  const file = new ScratchFile(path, (error) => errors.push(error));
  file.write(0, filled(10, 1));
  file.write(64, filled(10, 2));
  expect([file.read(0, 10), file.read(64, 10)]).toEqual([filled(10, 1), filled(10, 2)]);
  expect(errors).toHaveLength(1);
  file.close();
});
