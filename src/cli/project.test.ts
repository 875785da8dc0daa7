import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { databaseName, findProject } from './project.js';
import { testContext } from './testing/test-context.js';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'chorale-project-'));
  await mkdir(join(root, 'My Chat'));
  await mkdir(join(root, 'other', 'server'), { recursive: true });
  await writeFile(join(root, 'My Chat', 'index.ts'), '');
  const generate = [
    { language: 'rust', 'out-dir': 'rs' },
    { language: 'typescript', 'out-dir': 'web/api' },
  ];
  const file = { database: 'game', 'module-path': 'server', generate };
  await writeFile(join(root, 'other', 'spacetime.json'), JSON.stringify(file));
});

afterAll(async () => {
  await rm(root, { recursive: true });
});

test('a folder without configuration is a module of the same name', async () => {
  const project = await findProject(testContext({ workingDirectory: root }), { projectPath: 'My Chat' });
  expect(project).toEqual({
    root: join(root, 'My Chat'),
    modulePath: join(root, 'My Chat'),
    database: 'my-chat',
    bindings: undefined,
  });
});

test('an entry file is a module, too', async () => {
  const project = await findProject(testContext({ workingDirectory: root }), {
    modulePath: 'My Chat/index.ts',
  });
  expect(project.modulePath).toBe(join(root, 'My Chat', 'index.ts'));
  expect(project.database).toBe('my-chat');
});

test('a spacetime.json says where things are', async () => {
  const project = await findProject(testContext({ workingDirectory: join(root, 'other') }), {});
  expect(project).toEqual({
    root: join(root, 'other'),
    modulePath: join(root, 'other', 'server'),
    database: 'game',
    bindings: { outDirectory: join(root, 'other', 'web', 'api'), sdk: 'chorale' },
  });
});

test('a path that is not there is a mistake of the one who typed it', async () => {
  const attempt = findProject(testContext({ workingDirectory: root }), {}, 'nowhere');
  await expect(attempt).rejects.toMatchObject({ message: 'there is nothing at nowhere', exitCode: 2 });
});

test.each([
  ['Chat', 'chat'],
  ['--a__b--', 'a-b'],
  ['日本', 'app'],
  ['v2.0 beta', 'v2-0-beta'],
])('%s may be called %s', (text, name) => {
  expect(databaseName(text)).toBe(name);
});
