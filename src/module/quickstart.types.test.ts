import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const ROOT = path.join(import.meta.dirname, '../..');

/** The same file against the types of the npm package and against ours. */
test.each([
  ['the npm package', 'tsconfig.json'],
  ['ours', 'tsconfig.chorale.json'],
])('the quickstart compiles against %s', async (_whose, config) => {
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const project = path.join(import.meta.dirname, 'testing/quickstart', config);
  const { stdout } = await run(process.execPath, [tsc, '-p', project]);
  expect(stdout).toBe('');
});
