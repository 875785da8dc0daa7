import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../base/clock.js';
import { loadEntry, loadProgram } from './load.js';
import { ModuleLog } from './logs.js';
import { client, HostFixture, OWNER } from './testing/host-fixture.js';
import { makeProject } from './testing/project.js';
import { bundleModule } from './bundle.js';
import type { Module } from './definition/build-module.js';

const QUICKSTART = path.join(import.meta.dirname, 'testing/quickstart');

async function loadFiles(files: Readonly<Record<string, string>>) {
  const project = await makeProject({ 'package.json': '{}', ...files });
  const log = new ModuleLog({ clock: new ManualClock() });
  return { log, module: await loadEntry(project.directory, { log }) };
}

const APP = `import { schema, table, t, SenderError, Identity, Timestamp } from 'spacetimedb/server';
const app = schema({ user: table({}, { name: t.string().primaryKey() }) });
export default app;
`;

describe('the quickstart, as it was written for spacetimedb/server', () => {
  async function startChat() {
    const log = new ModuleLog({ clock: new ManualClock() });
    const module = await loadEntry(QUICKSTART, { log });
    return { chat: new HostFixture(module), log };
  }

  test('runs without edits: connect, name, message, disconnect', async () => {
    const { chat, log } = await startChat();
    const ada = client(7n);
    expect(chat.host.runInit(OWNER).kind).toBe('committed');
    expect(chat.host.clientConnected(ada).kind).toBe('committed');
    expect(chat.rows('user')).toEqual([{ identity: ada.identity, name: undefined, online: true }]);
    expect(chat.call('set_name', { name: 'ada' }, ada).kind).toBe('committed');
    expect(chat.call('set_name', { name: '' }, ada)).toMatchObject({
      kind: 'refused',
      message: 'A name needs at least one letter',
    });
    expect(chat.call('send_message', { text: 'hello' }, ada).kind).toBe('committed');
    expect(chat.host.clientDisconnected(ada).kind).toBe('committed');
    expect(chat.rows('user')).toEqual([{ identity: ada.identity, name: 'ada', online: false }]);
    expect(chat.rows('message')).toMatchObject([{ sender: ada.identity, text: 'hello' }]);
    expect(log.tail().map((entry) => entry.message)).toEqual([
      `User ${ada.identity.toHexString()} sets name to ada`,
      `User ${ada.identity.toHexString()}: hello`,
    ]);
  });

  test('has the names of the protocol', async () => {
    const { chat } = await startChat();
    expect(chat.host.def.reducers.map((reducer) => reducer.name)).toEqual([
      'init', 'on_connect', 'on_disconnect', 'send_message', 'set_name',
    ]); // prettier-ignore
    expect(chat.host.def.schema.tables.map((one) => [one.name, one.isPublic])).toEqual([
      ['user', true],
      ['message', true],
    ]);
  });
});

describe('console', () => {
  test('goes to the log of the module that prints, with file, line and function', async () => {
    const first = await loadFiles({
      'src/index.ts': `${APP}import { shout } from './shout';\nexport const go = app.reducer(() => { shout('from go'); });\nconsole.warn('loaded');`,
      'src/shout.ts': `// a line above\nexport function shout(text: string) {\n  console.log(text);\n}`,
    });
    const second = await loadFiles({ 'index.ts': `${APP}console.info('second');` });
    new HostFixture(first.module, first.log).call('go');
    expect(first.log.tail()).toMatchObject([
      { level: 'Warn', message: 'loaded', filename: 'src/index.ts', line_number: 6 },
      { level: 'Info', message: 'from go', filename: 'src/shout.ts', line_number: 3, function: 'go' },
    ]);
    expect(second.log.tail()).toMatchObject([{ level: 'Info', message: 'second' }]);
  });
});

describe('stack traces', () => {
  test("of a crash name the author's files", async () => {
    const { module, log } = await loadFiles({
      'src/index.ts': `${APP}import { divide } from './divide';\nexport const go = app.reducer(() => { divide(1n, 0n); });`,
      'src/divide.ts': `export const divide = (a: bigint, b: bigint): bigint =>\n  a / b;`,
    });
    const fixture = new HostFixture(module, log);
    expect(fixture.call('go')).toMatchObject({ kind: 'crashed', message: 'Division by zero' });
    const [entry] = log.tail();
    expect(entry).toMatchObject({
      level: 'Panic',
      filename: 'src/divide.ts',
      line_number: 2,
      function: 'go',
    });
    expect(entry!.message).not.toContain('node_modules');
    expect(entry!.message).toMatch(
      /RangeError: Division by zero\n\s+at divide \(src\/divide\.ts:2:\d+\)\n.*src\/index\.ts:5:\d+/,
    );
  });
});

describe('a module that does not load', () => {
  async function failure(text: string): Promise<string> {
    return loadFiles({ 'src/index.ts': text }).then(
      () => 'loaded',
      (error: unknown) => `${(error as { code: string }).code} ${(error as Error).message}`,
    );
  }

  test('says what was thrown, and where', async () => {
    expect(await failure(`${APP}throw new Error('no luck');`)).toBe(
      'EVALUATION_FAILED src/index.ts:4: no luck',
    );
    expect(await failure(`${APP}throw 'text';`)).toBe(
      'EVALUATION_FAILED the module threw text while it was loaded',
    );
  });

  test('says which call of ours was wrong, and where', async () => {
    expect(await failure(`${APP}\nexport const v = app.view({}, t.array(t.u8()), () => []);`)).toBe(
      'EVALUATION_FAILED src/index.ts:5: views are not supported yet: see the coverage table in the documentation',
    );
  });

  test('says which export is wrong', async () => {
    expect(await failure(`${APP}export const LIMIT = 10;`)).toContain(
      'export `LIMIT` is a number, not a reducer',
    );
    expect(await failure(`export const x = 1;`)).toContain('default export must be its schema');
  });

  test('is a bundle of another tool', async () => {
    const log = new ModuleLog({ clock: new ManualClock() });
    const program = `import{moduleHooks as a}from"spacetime:sys@2.0";export default a;`;
    await expect(loadProgram(program, { log })).rejects.toMatchObject({
      code: 'UNSUPPORTED_PROGRAM',
      message: expect.stringContaining("publish the module's TypeScript source"),
    });
  });

  test('waits for something that does not come', async () => {
    const log = new ModuleLog({ clock: new ManualClock() });
    const clock = new ManualClock();
    let isEvaluating = (): boolean => clock.pendingTimers > 0;
    const loading = loadProgram('await new Promise(() => {});', { log, clock });
    const result = expect(loading).rejects.toMatchObject({ code: 'TIMED_OUT' });
    while (!isEvaluating()) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10_000);
    await result;
  });

  test('leaves no file and no handle behind', async () => {
    // Of its own: other tests use the common one meanwhile.
    const folder = mkdtempSync(path.join(tmpdir(), 'chorale-test-'));
    vi.stubEnv('TMPDIR', folder);
    try {
      await failure(`${APP}throw new Error('no luck');`);
      await loadFiles({ 'index.ts': APP });
      expect(readdirSync(folder).filter((name) => /^chorale-(?!test)/.test(name))).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true });
    }
    const registry = (globalThis as { [key: symbol]: unknown })[Symbol.for('chorale.moduleHosts')] as Map<
      string,
      unknown
    >;
    expect(registry.size).toBe(0);
  });
});

describe('loading again', () => {
  test('gives a fresh module each time, also of the same text', async () => {
    const project = await makeProject({
      'index.ts': `${APP}let n = 0; export const go = app.reducer((ctx) => { n += 1; throw new SenderError(String(n)); });`,
    });
    const log = new ModuleLog({ clock: new ManualClock() });
    const { program } = await bundleModule(project.directory);
    const run = (module: Module) => new HostFixture(module).call('go');
    const first = await loadProgram(program, { log });
    expect([run(first), run(first)].map((outcome) => 'message' in outcome && outcome.message)).toEqual([
      '1',
      '2',
    ]);
    expect(run(await loadProgram(program, { log }))).toMatchObject({ message: '1' });
    writeFileSync(
      path.join(project.directory, 'index.ts'),
      `${APP}export const other = app.reducer(() => {});`,
    );
    const changed = await loadEntry(project.directory, { log });
    expect([...changed.reducers.keys()]).toEqual(['other']);
    expect(changed.schemaHash).toBe(first.schemaHash);
  });

  test('a given directory keeps the program, for debuggers', async () => {
    const project = await makeProject({ 'index.ts': APP, 'kept/x': '' });
    const log = new ModuleLog({ clock: new ManualClock() });
    await loadEntry(project.directory, { log, directory: path.join(project.directory, 'kept') });
    expect(readdirSync(path.join(project.directory, 'kept')).some((name) => name.endsWith('.mjs'))).toBe(
      true,
    );
  });

  test("classes and errors are the same as the host's", async () => {
    const { module, log } = await loadFiles({
      'index.ts': `${APP}import { errors } from 'chorale/server';
export const go = app.reducer((ctx) => {
  if (!(ctx.sender instanceof Identity) || !(ctx.timestamp instanceof Timestamp)) throw new Error('strange class');
  ctx.db.user.insert({ name: 'a' });
  try { ctx.db.user.insert({ name: 'a' }); } catch (e) {
    throw new SenderError(e instanceof errors.UniqueAlreadyExists ? 'taken' : 'other');
  }
});`,
    });
    expect(new HostFixture(module, log).call('go')).toMatchObject({ kind: 'refused', message: 'taken' });
  });
});
