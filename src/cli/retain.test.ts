import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createServer, type ServerOptions } from '../server/create-server.js';
import { parseDuration } from './duration.js';
import { runCli } from './program.js';
import { testContext, type TestContext } from './testing/test-context.js';

/* What a server does with it is in `src/engine/recover-database.test.ts`. */

vi.mock('../server/create-server.js', async (importOriginal) => {
  const real = await importOriginal<typeof import('../server/create-server.js')>();
  return { ...real, createServer: vi.fn(real.createServer) };
});

const opened = vi.mocked(createServer);
let folder: string;
let context: TestContext;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chorale-retain-'));
  context = testContext({
    workingDirectory: folder,
    environment: { CHORALE_CONFIG: join(folder, 'config.json') },
  });
  await mkdir(join(folder, 'talker'));
  await writeFile(
    join(folder, 'talker', 'index.ts'),
    "import { schema } from 'chorale/server';\nexport default schema({});\n",
  );
});

afterEach(() => rm(folder, { recursive: true }));

/** What the server was opened with that the command started. */
async function optionsOf(...argv: string[]): Promise<ServerOptions> {
  opened.mockClear();
  const running = runCli(argv, context);
  await expect.poll(() => context.noteLines.join('\n')).toMatch(/is running at|created talker/);
  context.interrupt();
  expect(await running).toBe(0);
  return opened.mock.calls[0]![0]!;
}

async function freeAddress(): Promise<string> {
  const server = await createServer();
  await server.close({ drainMs: 0 });
  return server.url;
}

test('start --retain 7d keeps a week', async () => {
  const { retainMs } = await optionsOf('start', 'talker', '--port', '0', '--retain', '7d');
  expect(retainMs).toBe(7 * 86_400_000);
});

test('dev --retain 7d keeps a week', async () => {
  const { retainMs } = await optionsOf('dev', 'talker', '--server', await freeAddress(), '--retain', '7d');
  expect(retainMs).toBe(7 * 86_400_000);
});

test('without it nothing is kept that a restart does not need', async () => {
  expect((await optionsOf('start', 'talker', '--port', '0')).retainMs).toBe(0);
});

test('a time that is none is a mistake in the command', async () => {
  for (const command of ['start', 'dev'])
    expect(await runCli([command, '--retain', 'a week'], context)).toBe(2);
});

test('times to keep are written like 7d', () => {
  expect(['7d', '12h', '30m', '45s', '2w'].map(parseDuration)).toEqual([
    604_800_000, 43_200_000, 1_800_000, 45_000, 1_209_600_000,
  ]);
  expect(() => parseDuration('a week')).toThrow(/Write it like 7d/);
});
