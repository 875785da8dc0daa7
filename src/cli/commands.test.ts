import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createServer, type ChoraleServer } from '../server/create-server.js';
import { configFile } from './command-context.js';
import { runCli } from './program.js';
import { testContext, type TestContext } from './testing/test-context.js';

const CHAT = fileURLToPath(new URL('../../examples/chat', import.meta.url));

let folder: string;
let context: TestContext;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chorale-cli-'));
  context = newContext();
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A person at a keyboard: what he did before is forgotten, his files are not. */
function newContext(answers?: readonly string[]): TestContext {
  return testContext({
    workingDirectory: folder,
    environment: { CHORALE_CONFIG: join(folder, 'config.json') },
    ...(answers === undefined ? {} : { answers }),
  });
}

/** Runs a command from its words. */
async function run(...argv: string[]): Promise<{ code: number; out: string; notes: string }> {
  const { outLines, noteLines } = context;
  outLines.length = 0;
  noteLines.length = 0;
  const code = await runCli(argv, context);
  return { code, out: outLines.join('\n'), notes: noteLines.join('\n') };
}

describe('with a server', () => {
  let server: ChoraleServer;
  let at: readonly string[];

  beforeEach(async () => {
    server = await createServer({ dataDirectory: join(folder, 'data') });
    at = ['--server', server.url];
    await configFile(context).updateServer(server.url, { configDirectory: join(folder, 'data', 'config') });
  });

  afterEach(async () => {
    await server.close({ drainMs: 0 });
  });

  test('a module is published, described, called, read, logged, listed and deleted', async () => {
    const published = await run('publish', 'chat', '--project-path', CHAT, ...at);
    expect(published).toMatchObject({ code: 0, out: expect.stringMatching(/^c200[0-9a-f]{60}$/) });
    expect(published.notes).toMatch(/^created chat at http/);

    expect((await run('describe', 'chat', ...at)).out).toContain('  send_message(text: string)');
    expect((await run('describe', 'chat', ...at)).out).toContain('  session (private)');
    expect(await run('call', 'chat', 'send_message', 'hello', ...at)).toEqual({
      code: 0,
      out: '',
      notes: '',
    });
    expect((await run('sql', 'chat', 'SELECT text FROM message', ...at)).out).toBe(
      [' text  ', '-------', ' hello ', '(1 row)'].join('\n'),
    );
    expect(
      JSON.parse((await run('sql', 'chat', 'SELECT text FROM message', '--json', ...at)).out),
    ).toMatchObject([{ rows: [['hello']] }]);
    expect(await run('logs', 'chat', ...at)).toMatchObject({ code: 0 });
    expect(JSON.parse((await run('list', '--json', ...at)).out)).toEqual([
      { names: ['chat'], identity: published.out },
    ]);
    expect((await run('list', ...at)).out).toContain(published.out);

    expect(await run('delete', 'chat', ...at)).toMatchObject({
      code: 2,
      notes: expect.stringContaining('--yes'),
    });
    expect(await run('delete', 'chat', '--yes', ...at)).toMatchObject({ code: 0, notes: 'deleted chat' });
    expect(await run('sql', 'chat', 'SELECT 1', ...at)).toMatchObject({ code: 1 });
  });

  test('a question is answered by a person: no is the default', async () => {
    await run('publish', 'chat', '--project-path', CHAT, ...at);
    context = newContext(['', 'y']);
    expect(await run('delete', 'chat', ...at)).toMatchObject({
      code: 1,
      notes: expect.stringContaining('nothing was changed'),
    });
    expect(await run('delete', 'chat', ...at)).toMatchObject({ code: 0 });
  });

  test('a mistake in a call is found before it leaves, with a hint', async () => {
    await run('publish', 'chat', '--project-path', CHAT, ...at);
    expect(await run('call', 'chat', 'send_mesage', 'x', ...at)).toMatchObject({
      code: 2,
      notes: 'error: there is no reducer `send_mesage`\nDid you mean `send_message`?',
    });
    expect(await run('call', 'chat', 'send_message', ...at)).toMatchObject({
      code: 2,
      notes: 'error: send_message takes 1 argument, got 0\nIt is send_message(text: string).',
    });
    expect(await run('call', 'chat', 'send_message', '', ...at)).toMatchObject({
      code: 1,
      notes: 'error: Messages must not be empty',
    });
    expect(await run('sql', 'chat', 'SELEC * FROM message', ...at)).toMatchObject({ code: 1 });
  });

  test('a login is an identity of its own, kept in a private file and used for calls', async () => {
    const first = await run('login', ...at);
    expect(first.out).toMatch(/^c200[0-9a-f]{60}$/);
    expect((await run('login', ...at)).out).toBe(first.out);
    expect((await stat(join(folder, 'config.json'))).mode & 0o777).toBe(0o600);
    await run('publish', 'chat', '--project-path', CHAT, ...at);
    await run('call', 'chat', 'send_message', 'mine', ...at);
    const { out } = await run('sql', 'chat', 'SELECT sender FROM message', ...at);
    expect(out).toContain(first.out);
    const { token } = JSON.parse((await run('login', '--json', ...at)).out) as { token: string };
    expect((await run('login', '--force', ...at)).out).not.toBe(first.out);
    expect((await run('login', '--token', token, ...at)).out).toBe(first.out);
  });

  test('a token that is not valid is not kept', async () => {
    expect(await run('login', '--token', 'abc', ...at)).toMatchObject({ code: 2 });
    const { token } = JSON.parse((await run('login', '--json', ...at)).out) as { token: string };
    const forged = `${token.slice(0, -8)}AAAAAAAA`;
    expect(await run('login', '--token', forged, ...at)).toMatchObject({ code: 1 });
    expect((await configFile(context).serverEntry(server.url)).token).toBe(token);
  });

  test('who is not the owner cannot publish, and is told how to be', async () => {
    await run('login', ...at);
    const { token } = JSON.parse((await run('login', '--json', ...at)).out) as { token: string };
    const refused = await run('publish', 'chat', '--project-path', CHAT, '--token', token, ...at);
    expect(refused).toMatchObject({ code: 1, notes: expect.stringContaining('chorale login') });
    expect((await run('publish', 'chat', '--project-path', CHAT, '--anonymous', ...at)).code).toBe(1);
  });

  test('a configuration that others can read is refused', async () => {
    await chmod(join(folder, 'config.json'), 0o644);
    expect(await run('list', ...at)).toMatchObject({ code: 1, notes: expect.stringContaining('chmod 600') });
  });

  test('the owner of another server is not taken for the owner of this one', async () => {
    const other = await createServer({ dataDirectory: join(folder, 'other') });
    await configFile(context).updateServer(other.url, { configDirectory: join(folder, 'data', 'config') });
    expect((await run('list', '--server', other.url)).notes).toContain('nobody is logged in');
    await other.close({ drainMs: 0 });
  });

  test('a changed schema needs empty tables, and says so', async () => {
    await writeModule('t.u32()');
    await run('publish', 'game', '--module-path', 'game', ...at);
    await writeModule('t.string()');
    const refused = await run('publish', 'game', '--module-path', 'game', ...at);
    expect(refused).toMatchObject({ code: 1, notes: expect.stringContaining('--delete-data=on-conflict') });
    const words = ['publish', 'game', '--module-path', 'game', '--delete-data=on-conflict', ...at];
    expect((await run(...words)).code).toBe(2);
    expect(await run(...words, '--yes')).toMatchObject({ code: 0 });
    expect((await run('describe', 'game', ...at)).out).toContain('value  string');
  });

  test('a mistake in a module is shown where it stands', async () => {
    await mkdir(join(folder, 'broken'));
    await writeFile(
      join(folder, 'broken', 'index.ts'),
      "import { schema } from 'chorale/server';\nexport default schema({;\n",
    );
    const { code, notes } = await run('publish', 'broken', '--module-path', 'broken', ...at);
    expect(code).toBe(1);
    expect(notes).toContain('index.ts:2:24');
    expect(notes).toContain('export default schema({;');
  });

  test('bindings of a running database are those of its source', async () => {
    await run('publish', 'chat', '--project-path', CHAT, ...at);
    expect(
      (await run('generate', '--lang', 'typescript', '--out-dir', 'local', '--project-path', CHAT)).code,
    ).toBe(0);
    expect((await run('generate', '--database', 'chat', '--out-dir', 'remote', ...at)).code).toBe(0);
    for (const name of ['index.ts', 'user_table.ts', 'send_message_reducer.ts', 'types/reducers.ts']) {
      const [local, remote] = ['local', 'remote'].map((from) => readFile(join(folder, from, name), 'utf8'));
      expect(await remote).toBe(await local);
    }
  });

  async function writeModule(type: string): Promise<void> {
    await mkdir(join(folder, 'game'), { recursive: true });
    const text = `import { schema, table, t } from 'spacetimedb/server';
const thing = table({ name: 'thing', public: true }, { value: ${type} });
export default schema({ thing });
`;
    await writeFile(join(folder, 'game', 'index.ts'), text);
  }
});

describe('bindings', () => {
  test('are written once, unchanged files are left alone and old ones removed', async () => {
    await mkdir(join(folder, 'out'));
    await writeFile(join(folder, 'out', 'gone_table.ts'), '// generated by chorale 0.0.1, do not edit\n');
    await writeFile(join(folder, 'out', 'mine.ts'), '// mine\n');
    const words = ['generate', CHAT, '--out-dir', 'out'];
    expect((await run(...words)).notes).toMatch(/^\d+ files in out, \d+ of them changed$/);
    expect((await run(...words)).notes).toMatch(/, 0 of them changed$/);
    await expect(stat(join(folder, 'out', 'gone_table.ts'))).rejects.toThrow('ENOENT');
    expect(await readFile(join(folder, 'out', 'mine.ts'), 'utf8')).toBe('// mine\n');
  });

  test('for other languages are not written here', async () => {
    expect(await run('generate', CHAT, '--lang', 'rust', '--out-dir', 'out')).toMatchObject({ code: 2 });
  });

  test('for the Python SDK are the files that its quickstart names', async () => {
    await mkdir(join(folder, 'out'));
    await writeFile(join(folder, 'out', 'gone.py'), '# generated by chorale 0.0.1, do not edit\n');
    await writeFile(join(folder, 'out', 'mine.py'), '# mine\n');
    const words = ['generate', '--lang', 'python', '--out-dir', 'out', '--project-path', CHAT];
    expect((await run(...words)).notes).toBe('5 files in out, 6 of them changed');
    expect((await readdir(join(folder, 'out'))).toSorted()).toEqual([
      '__init__.py',
      'message.py',
      'mine.py',
      'send_message_reducer.py',
      'set_name_reducer.py',
      'user.py',
    ]);
    expect(await run(...words, '--sdk', 'spacetimedb')).toMatchObject({ code: 2 });
  });

  test('can be for the npm package', async () => {
    await run('generate', CHAT, '--sdk', 'spacetimedb', '--out-dir', 'out');
    expect(await readFile(join(folder, 'out', 'index.ts'), 'utf8')).toContain('from "spacetimedb"');
  });

  test('can be the package of a SpacetimeDBAsyncClient', async () => {
    await run('generate', CHAT, '--sdk', 'chorale-async', '--out-dir', 'out');
    expect((await readdir(join(folder, 'out'))).toSorted()).toEqual([
      'index.ts',
      'message.ts',
      'send_message_reducer.ts',
      'set_name_reducer.ts',
      'user.ts',
    ]);
  });
});

describe('without a server', () => {
  test.each([
    [['sql', 'chat', 'SELECT 1']],
    [['call', 'chat', 'x']],
    [['logs', 'chat']],
    [['describe', 'chat']],
    [['delete', 'chat', '--yes']],
    [['login']],
    [['publish', 'chat', '--module-path', CHAT]],
  ])('%j says how to start one', async (words) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await run(...words, '--server', url)).toEqual({
      code: 1,
      out: '',
      notes: [
        `error: no server is running at ${url}`,
        'Start one with `chorale start`, or say where it is with --server URL.',
      ].join('\n'),
    });
  });

  test.each([
    [['sql', 'chat'], 'missing required argument'],
    [['dance'], 'unknown command'],
    [['logs', 'chat', '-n', 'x'], 'whole number'],
    [['logs', 'chat', '--level', 'x'], 'It must be one of'],
    [['start', '--port', '70000'], 'from 0 to 65535'],
    [['publish', '--delete-data=maybe'], 'Allowed choices'],
    [['describe', '..', '--anonymous'], 'is not the name of a database'],
    [['sql', 'chat', 'x', '--server', 'ftp://x'], 'not the address of a server'],
    [['start', 'nowhere'], 'there is nothing at nowhere'],
  ])('%j is a mistake of the one who typed it', async (words, text) => {
    const { code, notes } = await run(...words);
    expect({ code, notes }).toEqual({ code: 2, notes: expect.stringContaining(text) });
  });

  test('every command explains itself with an example', async () => {
    const names = /^ {2}([a-z]+) /gm;
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    const commands = [...out.slice(out.indexOf('Commands:')).matchAll(names)].map((match) => match[1] ?? '');
    expect(commands).toEqual(expect.arrayContaining(['init', 'dev', 'start', 'login']));
    for (const command of commands.filter((name) => name !== 'help')) {
      const help = await run(command, '--help');
      expect(help.code).toBe(0);
      expect(help.out).toContain(`$ chorale ${command}`);
    }
  });

  test('init writes an application that builds', async () => {
    const { code, notes } = await run('init', 'guest book!');
    expect({ code, notes }).toEqual({ code: 0, notes: expect.stringContaining('npm run dev') });
    expect(JSON.parse(await readFile(join(folder, 'guest book!', 'chorale.json'), 'utf8'))).toMatchObject({
      database: 'guest-book',
    });
    expect(await run('build', 'guest book!')).toMatchObject({
      code: 0,
      notes: expect.stringContaining('bundle.js'),
    });
    expect(await run('generate', 'guest book!')).toMatchObject({ code: 0 });
    expect(await run('init', 'guest book!')).toMatchObject({
      code: 2,
      notes: expect.stringContaining('is not empty'),
    });
  });
});

describe('commands that run on', () => {
  let running: Promise<number>;

  const starts = async (...words: string[]): Promise<string> => {
    running = runCli(words, context);
    const url = (): string | undefined => /http:\/\/localhost:\d+/.exec(context.noteLines.join('\n'))?.[0];
    await expect.poll(url, { timeout: 10_000 }).toBeDefined();
    return (url() ?? '').replace('localhost', '127.0.0.1');
  };

  const stops = async (): Promise<number> => {
    context.interrupt();
    return await running;
  };

  test('start serves a module with its pages, and ends in good order', async () => {
    await mkdir(join(folder, 'pages'));
    await writeFile(join(folder, 'pages', 'index.html'), 'hello');
    const url = await starts('start', CHAT, '--port', '0', '--data-dir', 'data', '--static', 'pages');
    expect(await (await fetch(url)).text()).toBe('hello');
    const other = newContext();
    expect(await runCli(['call', 'chat', 'send_message', 'x', '--server', url], other)).toBe(0);
    expect(await runCli(['start', CHAT, '--data-dir', 'data2', '--port', new URL(url).port], other)).toBe(1);
    expect(other.noteLines.join('\n')).toContain('is in use already');
    expect(await stops()).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  test('what was written is there after a restart; a changed schema asks before it is lost', async () => {
    const words = ['start', 'talker', '--port', '0', '--data-dir', 'data'];
    await writeTalker('one');
    const first = await starts(...words);
    await runCli(['call', 'talker', 'talk', '--server', first], newContext());
    await stops();
    context = newContext();
    const rows = newContext();
    await runCli(['sql', 'talker', 'SELECT word FROM said', '--server', await starts(...words)], rows);
    expect(rows.outLines).toContain(' one  ');
    await stops();
    await writeTalker('two', '', ', extra: t.u8()');
    context = newContext();
    expect(await runCli(words, context)).toBe(1);
    expect(context.noteLines.join('\n')).toContain('--delete-data=on-conflict');
    context = newContext();
    await starts(...words, '--delete-data=on-conflict');
    expect(await stops()).toBe(0);
  });

  test('start without a module is an empty server to publish to', async () => {
    const url = await starts('start', '--port', '0');
    const other = newContext();
    expect(await runCli(['publish', 'chat', '--module-path', CHAT, '--server', url], other)).toBe(0);
    expect(await stops()).toBe(0);
  });

  test('logs --follow shows what is said until Ctrl-C', async () => {
    await writeTalker('one');
    const url = await starts('start', 'talker', '--port', '0');
    const follower = newContext();
    const following = runCli(['logs', 'talker', '--follow', '--json', '--server', url], follower);
    const caller = newContext();
    await runCli(['call', 'talker', 'talk', '--server', url], caller);
    await expect.poll(() => follower.outLines.join('\n')).toContain('"message":"one"');
    follower.interrupt();
    expect(await following).toBe(0);
    expect(await stops()).toBe(0);
  });

  test('dev swaps a changed module in, writes bindings, and keeps the last good version', async () => {
    await writeTalker('one');
    const port = await freePort();
    const server = `http://127.0.0.1:${port}`;
    const words = ['dev', 'talker', '--server', server, '--out-dir', 'api', '--data-dir', 'data'];
    running = runCli(words, context);
    const notes = (): string => context.noteLines.join('\n');
    await expect.poll(notes, { timeout: 10_000 }).toMatch(/start: created talker/);
    expect(await readFile(join(folder, 'api', 'talk_reducer.ts'), 'utf8')).toContain('generated by chorale');
    await runCli(['call', 'talker', 'talk', '--server', server], newContext());
    await expect.poll(() => context.outLines.join('\n')).toContain('one (talk)');
    const socket = new WebSocket(
      `ws://127.0.0.1:${port}/v1/database/talker/subscribe`,
      'v2.bsatn.spacetimedb',
    );
    await once(socket, 'message');

    await writeTalker('two', "export const shout = app.reducer({}, () => console.log('AHOY'));");
    await expect.poll(notes, { timeout: 10_000 }).toMatch(/index\.ts: updated talker/);
    await expect
      .poll(() =>
        stat(join(folder, 'api', 'shout_reducer.ts')).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await runCli(['call', 'talker', 'talk', '--server', server], newContext());
    await expect.poll(() => context.outLines.join('\n')).toContain('two (talk)');

    await writeTalker('three', 'export const x = ;');
    await expect
      .poll(notes, { timeout: 10_000 })
      .toMatch(/not published; the last good version keeps running/);
    await runCli(['call', 'talker', 'talk', '--server', server], newContext());
    const { outLines } = context;
    await expect.poll(() => outLines.filter((line) => line.includes('two (talk)')).length).toBe(2);
    const rows = newContext();
    await runCli(['sql', 'talker', 'SELECT COUNT(*) AS n FROM said', '--server', server], rows);
    expect(rows.outLines).toContain(' 3 ');
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
    expect(await stops()).toBe(0);
  });

  test('dev keeps the rows when a table is added, and says what it refuses', async () => {
    const write = (columns: string, tables: string, more: string): Promise<void> =>
      writeFile(
        join(folder, 'talker', 'index.ts'),
        `import { schema, table, t } from 'chorale/server';
const said = table({ name: 'said', public: true }, { id: t.u64().primaryKey().autoInc(), word: t.string()${columns} });
const heard = table({ name: 'heard', public: true }, { word: t.string() });
const app = schema({ ${tables} });
export default app;
export const talk = app.reducer({}, (ctx) => { ${more} });
`,
      );
    await mkdir(join(folder, 'talker'), { recursive: true });
    await write('', 'said', "ctx.db.said.insert({ id: 0n, word: 'one' })");
    const server = `http://127.0.0.1:${await freePort()}`;
    running = runCli(
      ['dev', 'talker', '--server', server, '--out-dir', 'api', '--data-dir', 'data'],
      context,
    );
    const notes = (): string => context.noteLines.join('\n');
    await expect.poll(notes, { timeout: 10_000 }).toMatch(/start: created talker/);
    await runCli(['call', 'talker', 'talk', '--server', server], newContext());

    await write('', 'heard, said', "ctx.db.heard.insert({ word: 'two' })");
    await expect.poll(notes, { timeout: 10_000 }).toMatch(/index\.ts: updated talker/);
    await runCli(['call', 'talker', 'talk', '--server', server], newContext());

    await write(', loud: t.bool()', 'heard, said', '');
    await expect.poll(notes, { timeout: 10_000 }).toMatch(/the last good version keeps running/);
    expect(notes()).toMatch(
      /table `said`: column `loud` is new\. Tables can be added while the data stays; rows of tables/,
    );
    expect(notes()).toContain('--delete-data=on-conflict');
    const rows = newContext();
    for (const name of ['said', 'heard'])
      await runCli(['sql', 'talker', `SELECT word FROM ${name}`, '--server', server], rows);
    expect(rows.outLines.map((line) => line.trim())).toEqual(expect.arrayContaining(['one', 'two']));
    expect(await stops()).toBe(0);
    // The last good version is what a restart finds, with the rows of both tables.
    await using again = await createServer({ dataDirectory: join(folder, 'data'), onNotice: () => {} });
    const { database } = again.database('talker')!;
    expect(['said', 'heard'].map((name) => database.table(name).count)).toEqual([1, 1]);
  });

  async function writeTalker(word: string, more = '', column = ''): Promise<void> {
    await mkdir(join(folder, 'talker'), { recursive: true });
    const text = `import { schema, table, t } from 'chorale/server';
const said = table({ name: 'said', public: true }, { id: t.u64().primaryKey().autoInc(), word: t.string()${column} });
const app = schema({ said });
export default app;
export const talk = app.reducer({}, (ctx) => {
  ctx.db.said.insert({ id: 0n, word: '${word}'${column === '' ? '' : ', extra: 0'} });
  console.log('${word}');
});
${more}
`;
    await writeFile(join(folder, 'talker', 'index.ts'), text);
  }
});

async function freePort(): Promise<number> {
  const server = await createServer();
  await server.close({ drainMs: 0 });
  return server.port;
}
