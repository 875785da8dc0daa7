import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { loadModule } from '../src/module/load-module.js';
import { schema } from '../src/module/schema.js';
import { type ChoraleServer, createServer } from '../src/server/create-server.js';
import type { RoomDefinitions } from '../src/documents/room-definition.js';
import {
  openHocuspocus,
  openOurs,
  openYWebsocket,
  type Peer,
  type ServerProcess,
  spawnServer,
  vectorOf,
} from './rooms-peers.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function serve(rooms: RoomDefinitions = { '*path': {} }): Promise<ChoraleServer> {
  const server = await createServer({ databases: { notes: loadModule({ default: schema({}) }) }, rooms });
  cleanups.push(() => server.close({ drainMs: 0 }));
  return server;
}

function open<P extends Peer>(peer: P): P {
  cleanups.push(() => peer.close());
  return peer;
}

const text = (doc: Y.Doc): string => doc.getText('t').toJSON();
const later = (check: () => unknown): ReturnType<typeof expect.poll> =>
  expect.poll(check, { timeout: 10_000 });

describe('y-websocket 3', () => {
  it('two of them converge, and text typed before the connection opened arrives', async () => {
    const server = await serve();
    const a = open(openYWebsocket(server.url, 'my room/ü'));
    a.doc.getText('t').insert(0, 'early ');
    const b = open(openYWebsocket(server.url, 'my room/ü'));
    await later(() => text(b.doc)).toBe('early ');
    b.doc.getText('t').insert(6, 'late');
    await later(() => text(a.doc)).toBe('early late');
    expect(server.rooms()?.find('my room/ü')?.document.temperature).toBe('lazy');
  });

  it('sees who is present, and who has gone', async () => {
    const server = await serve();
    const a = open(openYWebsocket(server.url, 'r'));
    const b = open(openYWebsocket(server.url, 'r'));
    a.provider.awareness.setLocalState({ name: 'ada' });
    const names = (): unknown[] =>
      [...b.provider.awareness.getStates().values()].map((state) => state['name']);
    await later(names).toContain('ada');
    await a.disconnect();
    await later(names).not.toContain('ada');
  });

  it('and our client see each other, also after the connection was lost', async () => {
    const server = await serve();
    const theirs = open(openYWebsocket(server.url, 'r'));
    const ours = open(openOurs(server.url, 'r'));
    const gone: number[] = [];
    theirs.provider.awareness.on(
      'change',
      ({ removed }: { removed: number[] }) => void gone.push(...removed),
    );
    theirs.provider.awareness.setLocalState({ user: 'ada' });
    ours.client.awareness.setLocalStateField('user', 'bob');
    const users = (states: ReadonlyMap<number, Readonly<Record<string, unknown>>>): string[] =>
      Array.from(states.values(), (state) => String(state['user'])).toSorted((x, y) => x.localeCompare(y));
    const both = async (...names: string[]): Promise<void> => {
      await later(() => users(theirs.provider.awareness.getStates())).toEqual(names);
      await later(() => users(ours.client.awareness.getStates())).toEqual(names);
    };
    await both('ada', 'bob');
    await ours.disconnect();
    await later(() => gone).toEqual([ours.doc.clientID]);
    await both('ada', 'bob');
    ours.client.awareness.setLocalState(null);
    await both('ada');
  });

  it.each(['parameter', 'subprotocol'])(
    "a token as y/hub's clients send it, as %s, is who one is",
    async (how) => {
      const senders: string[] = [];
      const server = await serve({
        '*path': { authorize: ({ sender }) => void senders.push(sender.toHexString()) as never },
      });
      const { token, identity } = server.owner;
      const options = how === 'parameter' ? { params: { yauth: token } } : { protocols: [`yauth-${token}`] };
      const a = open(openYWebsocket(server.url, 'r', options));
      await later(a.isSynced).toBe(true);
      expect(senders).toEqual([identity.toHexString()]);
    },
  );

  it('a reader may not write, and is told so', async () => {
    const server = await serve({
      '*path': { authorize: (_ctx, { path }) => (path === 'secret' ? 'deny' : 'read') },
    });
    const reader = open(openYWebsocket(server.url, 'r'));
    await later(reader.isSynced).toBe(true);
    reader.doc.getText('t').insert(0, 'x');
    const other = open(openYWebsocket(server.url, 'r'));
    await later(other.isSynced).toBe(true);
    expect(text(other.doc)).toBe('');
    const stranger = open(openYWebsocket(server.url, 'secret'));
    const codes: number[] = [];
    stranger.provider.on('connection-close', (event) => void codes.push(event?.code ?? 0));
    await later(() => codes).toContain(4403);
  });
});

describe('Hocuspocus provider 4', () => {
  it('converges with y-websocket, and hears that its edit is kept', async () => {
    const server = await serve();
    const a = open(openHocuspocus(server.url, 'doc'));
    const b = open(openYWebsocket(server.url, 'doc'));
    await later(a.isSynced).toBe(true);
    a.doc.getText('t').insert(0, 'hello');
    await later(a.isSaved).toBe(true);
    await later(() => text(b.doc)).toBe('hello');
    b.doc.getText('t').insert(5, '!');
    await later(() => text(a.doc)).toBe('hello!');
  });

  it('one that may only read is told so, a bad token is refused', async () => {
    const server = await serve({ '*path': { authorize: () => 'read' } });
    const a = open(openHocuspocus(server.url, 'doc'));
    await later(() => a.provider.authorizedScope).toBe('readonly');
    const bad = openHocuspocus(server.url, 'doc', 'no token at all');
    const reasons: string[] = [];
    bad.provider.on('authenticationFailed', ({ reason }: { reason: string }) => void reasons.push(reason));
    open(bad);
    await later(() => reasons).toEqual(['the token is not accepted']);
  });

  it('the token of the database opens a room, under the same identity', async () => {
    const senders: string[] = [];
    const server = await serve({
      '*path': { authorize: ({ sender }) => void senders.push(sender.toHexString()) as never },
    });
    const a = open(openHocuspocus(server.url, 'doc', server.owner.token));
    await later(a.isSynced).toBe(true);
    expect(senders).toEqual([server.owner.identity.toHexString()]);
  });

  it('texts go to the hook and back to all', async () => {
    const server = await serve({
      '*path': { onStateless: (room, payload) => room.broadcastStateless(payload.toUpperCase()) },
    });
    const a = open(openHocuspocus(server.url, 'doc'));
    const heard: string[] = [];
    a.provider.on('stateless', ({ payload }: { payload: string }) => void heard.push(payload));
    await later(a.isSynced).toBe(true);
    a.provider.sendStateless('hi');
    await later(() => heard).toEqual(['HI']);
  });
});

describe('all kinds of client in one room', () => {
  async function serveFolder(): Promise<{ folder: string; server: ServerProcess }> {
    const folder = await mkdtemp(join(tmpdir(), 'chorale-rooms-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    return { folder, server: await spawn(folder) };
  }

  async function spawn(folder: string, port?: number): Promise<ServerProcess> {
    const server = await spawnServer(folder, port);
    cleanups.push(() => server.kill());
    return server;
  }

  async function openAll(url: string): Promise<Peer[]> {
    const peers = [openYWebsocket(url, 'doc'), openHocuspocus(url, 'doc'), openOurs(url, 'doc')].map(open);
    for (const peer of peers) await later(peer.isSynced).toBe(true);
    return peers;
  }

  it('random disconnects and two kills of the server: the same text, the same state, and the server has it alone', async () => {
    let { folder, server } = await serveFolder();
    const peers = await openAll(server.url);
    for (let round = 0; round < 60; round++) {
      const { doc } = peers[round % 3]!;
      // Every edit has a letter of its own.
      doc.getText('t').insert((round * 31) % (text(doc).length + 1), String.fromCharCode(0x4e00 + round));
      if (round % 7 === 3) {
        const unlucky = peers[(round * 5) % 3]!;
        // A socket that is being opened throws when it is closed.
        if (unlucky.isConnected()) await unlucky.disconnect();
      }
      if (round % 7 === 6) for (const other of peers) other.reconnect();
      if (round === 20 || round === 41) {
        await server.kill();
        server = await spawn(folder, server.port);
      }
    }
    for (const peer of peers) peer.reconnect();
    for (const peer of peers) await later(() => text(peer.doc).length).toBe(60);
    for (const peer of peers.slice(1)) await later(peer.isSaved).toBe(true);
    await server.kill();
    const expected = new Set(peers.map(({ doc }) => vectorOf(doc)));
    for (const peer of peers) peer.close();
    server = await spawn(folder, server.port);
    const reader = open(openYWebsocket(server.url, 'doc'));
    await later(() => text(reader.doc)).toBe(text(peers[0]!.doc));
    expect(expected).toEqual(new Set([vectorOf(reader.doc)]));
  }, 60_000);

  it('a kill in the middle of writing: the server alone remembers everything that was acknowledged', async () => {
    const { folder, server } = await serveFolder();
    const peers = await openAll(server.url);
    const written = (doc: Y.Doc): number[] => peers.map(({ name }) => doc.getText(name).length);
    for (let i = 0; i < 150; i++) {
      for (const { name, doc } of peers) doc.getText(name).insert(i, 'x');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await later(() => Math.min(...written(peers[0]!.doc))).toBeGreaterThan(20);
    await server.kill();
    // What one was told himself, and what the others have got from him.
    const acknowledged = peers.map((peer, i) =>
      Math.max(
        peer.savedCount(),
        ...peers.filter((other) => other !== peer).map(({ doc }) => written(doc)[i]!),
      ),
    );
    for (const peer of peers) peer.close();
    const again = await spawn(folder);
    const reader = open(openYWebsocket(again.url, 'doc'));
    await later(reader.isSynced).toBe(true);
    for (const [i, count] of acknowledged.entries()) {
      expect(count).toBeGreaterThan(20);
      expect(written(reader.doc)[i]).toBeGreaterThanOrEqual(count);
    }
  });
});
