import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { loadModule } from '../../../src/module/load-module.js';
import { schema } from '../../../src/module/schema.js';
import {
  bind,
  connect,
  PipeClient,
  PipeServer,
  type RoomClient,
} from '../../../src/protocols/rooms/wires/index.js';
import { createServer } from '../../../src/server/create-server.js';
import { type Environment, openEnvironment } from '../environment.js';
import { PythonPeer } from './python-peer.js';

/*
 * wiredb's and pycrdt's clients in our rooms, our client in wiredb's rooms, and one file for both. Part of `npm run interop:python` only.
 */

const isWanted = process.env['INTEROP_PYTHON'] === '1';

async function findPython(folder: string): Promise<Environment> {
  if (!isWanted) return { kind: 'absent', reason: 'run it with `npm run interop:python`' };
  const environment = await openEnvironment(join(import.meta.dirname, folder));
  if (environment.kind === 'absent')
    process.stderr.write(`interop:python skipped ${folder}: ${environment.reason}\n`);
  return environment;
}

const HOST = 'http://127.0.0.1';
const textOf = ({ doc }: RoomClient): string => doc.getText('t').toJSON();
const append = ({ doc }: RoomClient, text: string): void =>
  doc.getText('t').insert(doc.getText('t').length, text);

function closeLater<T extends { close(): Promise<void> }>(opened: T): T {
  onTestFinished(() => opened.close());
  return opened;
}

/** Both write, and both read both. */
async function converse(ours: RoomClient, theirs: PythonPeer): Promise<void> {
  append(ours, 'ours, é€ ');
  await expect.poll(() => theirs.text()).toBe('ours, é€ ');
  await theirs.insert('theirs, ü');
  await expect.poll(() => textOf(ours)).toBe('ours, é€ theirs, ü');
  // A message of more than one read of wiredb's pipe.
  append(ours, 'x'.repeat(50_000));
  append(ours, 'y'.repeat(50_000));
  await expect.poll(async () => (await theirs.text()).length).toBe(100_018);
}

async function serveChorale(): Promise<number> {
  const databases = { notes: loadModule({ default: schema({}) }) };
  const server = await createServer({ databases, rooms: { '*path': {} } });
  onTestFinished(() => server.close({ drainMs: 0 }));
  return server.port;
}

async function freePort(): Promise<number> {
  const probe = createTcpServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { readonly port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chorale-python-rooms-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'doc.y');
}

for (const [version, folder] of [
  ['0.6.2', 'wiredb-0.6'],
  ['0.7.1', 'wiredb-0.7'],
] as const) {
  const environment = await findPython(folder);
  const python = environment.kind === 'ready' ? environment.python : '';

  describe.skipIf(environment.kind === 'absent')(`Python wiredb ${version}`, () => {
    it('its clients meet ours in a room of a Chorale server', async () => {
      const port = await serveChorale();
      const words = ['wiredb', 'connect', HOST, String(port), 'my room'];
      const theirs = await PythonPeer.open(python, words);
      const ours = closeLater(await connect('websocket', { id: 'my room', host: HOST, port }));
      await converse(ours, theirs);
      const third = await PythonPeer.open(python, words);
      expect(await third.text()).toBe(textOf(ours));
      await third.insert('third');
      await expect.poll(() => theirs.text()).toMatch(/third$/);
    });

    it('its clients meet ours in a room of `bind`', async () => {
      const server = closeLater(await bind('websocket', {}));
      const words = ['wiredb', 'connect', HOST, String(server.port), 'r'];
      const theirs = await PythonPeer.open(python, words);
      const ours = closeLater(await connect('websocket', { id: 'r', host: HOST, port: server.port }));
      await converse(ours, theirs);
      await theirs.close();
      append(ours, '!');
      const again = await PythonPeer.open(python, words);
      expect(await again.text()).toBe(textOf(ours));
    });

    it('our client is at home in its server', async () => {
      const port = await freePort();
      const theirs = await PythonPeer.open(python, ['wiredb', 'bind', '127.0.0.1', String(port), 'r']);
      const ours = closeLater(await connect('websocket', { id: 'r', host: HOST, port, reconnect: false }));
      await converse(ours, theirs);
      const second = closeLater(await connect('websocket', { id: 'r', host: HOST, port, reconnect: false }));
      expect(textOf(second)).toBe(textOf(ours));
    });

    it('its client comes to our room over a pipe between processes, and hears of its end', async () => {
      const server = closeLater(new PipeServer({ framing: 'wiredb' }));
      const { peer: theirs, ready } = PythonPeer.start(python, ['wiredb', 'pipe-connect'], 2);
      server.attach('r', theirs.pipe);
      await ready;
      const ours = closeLater(
        new PipeClient({ id: 'r', framing: 'wiredb', connection: await server.connect('r') }),
      );
      await ours.open();
      await converse(ours, theirs);
      // Its thread reads until the stop marker comes.
      await server.close();
      await theirs.close();
    });

    it('our client comes to its room over a pipe between processes', async () => {
      const { peer: theirs, ready } = PythonPeer.start(python, ['wiredb', 'pipe-bind'], 2);
      await ready;
      const ours = closeLater(new PipeClient({ id: 'r', framing: 'wiredb', connection: theirs.pipe }));
      await ours.open();
      await converse(ours, theirs);
    });

    it('one file for both: each reads what the other has written and squashed', async () => {
      const path = await temporaryFile();
      const holds = async (word: string): Promise<boolean> => (await readFile(path)).includes(word);
      const theirs = await PythonPeer.open(python, ['wiredb', 'file', path]);
      await theirs.insert('one');
      await theirs.insert('two');
      await expect.poll(() => holds('two')).toBe(true);
      await theirs.close();

      const ours = await connect('file', { path });
      expect(textOf(ours)).toBe('onetwo');
      append(ours, 'thrée');
      await ours.close();

      const squashing = await PythonPeer.open(python, ['wiredb', 'file', path, 'squash']);
      expect(await squashing.text()).toBe('onetwothrée');
      await squashing.insert('four');
      await expect.poll(() => holds('four')).toBe(true);
      await squashing.close();

      const squashed = await connect('file', { path, squash: true });
      expect(textOf(squashed)).toBe('onetwothréefour');
      append(squashed, 'five');
      await squashed.close();
      const last = await PythonPeer.open(python, ['wiredb', 'file', path]);
      expect(await last.text()).toBe('onetwothréefourfive');
    });
  });
}

const pycrdt = await findPython('pycrdt');

describe.skipIf(pycrdt.kind === 'absent')('Python pycrdt-websocket', () => {
  it('its provider meets our client in a room of a Chorale server', async () => {
    const port = await serveChorale();
    const theirs = await PythonPeer.open(pycrdt.kind === 'ready' ? pycrdt.python : '', [
      'pycrdt',
      'connect',
      HOST,
      String(port),
      'r',
    ]);
    const ours = closeLater(await connect('websocket', { id: 'r', host: HOST, port }));
    await converse(ours, theirs);
  });
});
