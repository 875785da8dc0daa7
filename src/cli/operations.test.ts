import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitUntilDurable } from '../engine/log/commit-log.js';
import { openFolderDisk } from '../engine/log/folder-disk.js';
import { Snapshotter } from '../engine/snapshotter.js';
import { schema, t, table } from '../module/index.js';
import { loadModule } from '../module/load-module.js';
import { createServer, type ChoraleServer } from '../server/create-server.js';
import { configFile } from './command-context.js';
import { runCli } from './program.js';
import { testContext, type TestContext } from './testing/test-context.js';

const CHAT = fileURLToPath(new URL('../../examples/chat', import.meta.url));

let folder: string;
let context: TestContext;
let servers: ChoraleServer[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chorale-operations-'));
  context = testContext({
    workingDirectory: folder,
    environment: { CHORALE_CONFIG: join(folder, 'config.json') },
  });
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await server.close({ drainMs: 0 });
  await rm(folder, { recursive: true });
});

async function run(...argv: string[]): Promise<{ code: number; out: string[]; notes: string }> {
  const { outLines, noteLines } = context;
  outLines.length = 0;
  noteLines.length = 0;
  const code = await runCli(argv, context);
  return { code, out: [...outLines], notes: noteLines.join('\n') };
}

async function startOn(data: string): Promise<ChoraleServer> {
  const dataDirectory = join(folder, data);
  const server = await createServer({ dataDirectory, onNotice: () => {} });
  servers.push(server);
  await configFile(context).updateServer(server.url, { configDirectory: join(dataDirectory, 'config') });
  return server;
}

/** A server with the chat and some messages in it. */
async function startChat(...messages: readonly string[]): Promise<ChoraleServer> {
  const server = await startOn('data');
  const published = await run('publish', 'chat', '--project-path', CHAT, '--server', server.url);
  expect(published.code, published.notes).toBe(0);
  for (const text of messages) await say(server, text);
  return server;
}

async function say(server: ChoraleServer, text: string): Promise<void> {
  const { code, notes } = await run(
    'call',
    'chat',
    'send_message',
    JSON.stringify(text),
    '--server',
    server.url,
  );
  expect(code, notes).toBe(0);
}

function messagesOf(server: ChoraleServer): string[] {
  const rows = server.database('chat')!.database.table('message').rows();
  return rows.map(({ text }) => String(text)).toSorted();
}

async function segments(data = 'data'): Promise<string[]> {
  const databases = join(folder, data, 'databases');
  const [identity] = await readdir(databases);
  const names = (await readdir(join(databases, identity!))).filter((name) => name.endsWith('.log'));
  return names.toSorted().map((name) => join(databases, identity!, name));
}

describe('backup and restore', () => {
  test('a database is backed up while it runs, and restored with everything that was acknowledged', async () => {
    const server = await startChat('a', 'b');
    const saved = await run('backup', 'chat', 'chat.backup', '--server', server.url);
    expect(saved).toMatchObject({
      code: 0,
      notes: expect.stringMatching(/^wrote \d+ bytes to chat.backup$/),
    });
    await say(server, 'c');
    const restored = await run('restore', 'chat.backup', '--data-dir', 'other');
    expect(restored.code, restored.notes).toBe(0);
    expect(messagesOf(await startOn('other'))).toEqual(['a', 'b']);
  });

  test('only the owner may have a backup', async () => {
    const server = await startChat();
    const refused = await run('backup', 'chat', 'x', '--anonymous', '--server', server.url);
    expect(refused).toMatchObject({ code: 1, notes: expect.stringMatching(/not authorized/) });
  });

  test('--at goes back to a transaction, or to a time', async () => {
    const server = await startChat('a');
    const { log } = server.database('chat')!;
    const afterA = log.lastOffset;
    const time = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await say(server, 'b');
    await run('backup', 'chat', 'chat.backup', '--server', server.url);
    const byOffset = await run('restore', 'chat.backup', '--data-dir', 'one', '--at', String(afterA));
    expect(byOffset.notes).toBe(`restored up to transaction ${afterA} into one`);
    expect(messagesOf(await startOn('one'))).toEqual(['a']);
    expect((await run('restore', 'chat.backup', '--data-dir', 'two', '--at', time)).code).toBe(0);
    expect(messagesOf(await startOn('two'))).toEqual(['a']);
    const future = await run('restore', 'chat.backup', '--data-dir', 'three', '--at', '99999');
    expect(future).toMatchObject({ code: 1, notes: expect.stringMatching(/no transaction 99999 yet/) });
    const past = await run('restore', 'chat.backup', '--data-dir', 'three', '--at', '2001-01-01');
    expect(past).toMatchObject({ code: 1, notes: expect.stringMatching(/no way further back/) });
    expect(await readdir(join(folder, 'three', 'databases'))).toEqual([]);
  });

  test('a damaged backup, a running server and a database that is there are refused', async () => {
    const server = await startChat('a');
    await run('backup', 'chat', 'chat.backup', '--server', server.url);
    const locked = await run('restore', 'chat.backup', '--data-dir', 'data');
    expect(locked).toMatchObject({ code: 1, notes: expect.stringMatching(/pid \d+/) });
    await server.close({ drainMs: 0 });
    const present = await run('restore', 'chat.backup', '--data-dir', 'data');
    expect(present).toMatchObject({ code: 1, notes: expect.stringMatching(/is there already/) });
    await flipByte(join(folder, 'chat.backup'), 500);
    const damaged = await run('restore', 'chat.backup', '--data-dir', 'other');
    expect(damaged).toMatchObject({ code: 1, notes: expect.stringMatching(/damaged at byte/) });
    expect(await readdir(join(folder, 'other', 'databases'))).toEqual([]);
  });
});

describe('the log', () => {
  test('show prints transactions with their rows, for people and as JSON', async () => {
    await startChat('hello');
    const shown = await run('log', 'show', 'chat', '--data-dir', 'data');
    expect(shown.out).toContainEqual(expect.stringMatching(/^\d+ 2\d{3}-.*Z send_message [0-9a-f]{16}$/));
    expect(shown.out).toContainEqual(expect.stringMatching(/^ {2}\+ message .*"hello"/));
    const json = await run('log', 'show', 'chat', '--json', '--data-dir', 'data', '--from', '1', '--to', '1');
    expect(json.out.map((line) => JSON.parse(line) as object)).toMatchObject([
      { offset: 1, function: 'init' },
    ]);
  });

  test('show prints the rows of a module that the application brought along', async () => {
    const note = table(
      { name: 'note' },
      { id: t.u64().primaryKey().autoInc(), madeAt: t.option(t.string()) },
    );
    const app = schema({ note });
    const add = app.reducer(
      { at: t.string() },
      (ctx, { at }) => void ctx.db.note.insert({ id: 0n, madeAt: at }),
    );
    const databases = { notes: loadModule({ default: app, add }) };
    const server = await createServer({ dataDirectory: join(folder, 'data'), databases, onNotice: () => {} });
    servers.push(server);
    const { host, owner, log } = server.database('notes')!;
    host.callReducerJson(
      'add',
      { identity: owner, connectionId: undefined, tokenPayload: undefined },
      '["noon"]',
    );
    await waitUntilDurable(log);
    const { out } = await run('log', 'show', 'notes', '--data-dir', 'data');
    expect(out).toContainEqual('  + note {"id":1,"made_at":{"some":"noon"}}');
  });

  test("show prints rows also when the log's beginning, which names the module, is only in a snapshot", async () => {
    const server = await startChat('a');
    const hosted = server.database('chat')!;
    const [segment] = await segments();
    const snapshotter = new Snapshotter(await openFolderDisk(dirname(segment!)), {
      databaseKey: hosted.identity.key,
      epoch: 1,
      sections: () => hosted.snapshotSections(),
      pause: async () => {},
      nowMs: () => 0,
    });
    await snapshotter.take(hosted.database);
    await server.close({ drainMs: 0 });
    await rm(segment!);
    await say(await startOn('data'), 'b');
    const { out } = await run('log', 'show', 'chat', '--data-dir', 'data');
    expect(out).toContainEqual(expect.stringMatching(/^ {2}\+ message .*"b"/));
  });

  test('verify reads everything, while the server runs', async () => {
    await startChat('hello');
    const { code, out } = await run('log', 'verify', '--data-dir', 'data');
    expect(code).toBe(0);
    expect(out).toEqual([
      expect.stringMatching(/^chat: 0{19}1\.log: good, transactions 1 to \d+, \d+ bytes$/),
    ]);
  });

  test('damage is found, told, and cut off only when that is asked for', async () => {
    const server = await startChat('a', 'b');
    const { log } = server.database('chat')!;
    const afterB = log.lastOffset;
    await say(server, 'c');
    await server.close({ drainMs: 0 });
    const [segment] = await segments();
    // Where `c` is; what is behind it is whole.
    await flipByte(segment!, await byteOf(segment!, afterB + 1));
    const verified = await run('log', 'verify', 'chat', '--data-dir', 'data');
    expect(verified).toMatchObject({ code: 1, notes: expect.stringMatching(/1 problems were found/) });
    await expect(startOn('data')).rejects.toThrow(/damaged at byte \d+.*chorale log repair/);
    const planned = await run('log', 'repair', 'chat', '--data-dir', 'data');
    expect(planned).toMatchObject({ code: 1, notes: expect.stringMatching(/nothing was changed/) });
    expect(planned.out).toContainEqual(expect.stringMatching(/^kept: everything up to transaction \d+$/));
    const repaired = await run('log', 'repair', 'chat', '--yes', '--data-dir', 'data');
    expect(repaired.code, repaired.notes).toBe(0);
    expect(messagesOf(await startOn('data'))).toEqual(['a', 'b']);
    expect((await run('log', 'verify', 'chat', '--data-dir', 'data')).code).toBe(0);
  });
});

async function flipByte(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = new Uint8Array(1);
  await file.read(byte, 0, 1, at);
  byte[0]! ^= 0xff;
  await file.write(byte, 0, 1, at);
  await file.close();
}

/** A byte of the batch that holds a transaction. */
async function byteOf(path: string, offset: number): Promise<number> {
  const file = await open(path, 'r');
  const bytes = new Uint8Array((await file.stat()).size);
  await file.read(bytes);
  await file.close();
  const view = new DataView(bytes.buffer);
  let at = 72;
  while (Number(view.getBigUint64(at + 16, true)) + view.getUint32(at + 12, true) <= offset) {
    at += 32 + view.getUint32(at + 8, true);
  }
  return at + 40;
}
