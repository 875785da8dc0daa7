import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { loadModule } from '../src/module/load-module.js';
import { schema } from '../src/module/schema.js';
import { type ChoraleServer, createServer } from '../src/server/create-server.js';
import type { RoomDefinitions } from '../src/documents/room-definition.js';
import { openHocuspocus, openYWebsocket, type Peer, spawnServer } from './rooms-peers.js';

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
    a.disconnect();
    await later(names).not.toContain('ada');
  });

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
  it('random disconnects and two kills of the server: the same text, the same state, nothing acknowledged is lost', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chorale-rooms-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    let server = await spawnServer(folder);
    cleanups.push(() => server.kill());
    const open3 = (): Peer[] => [
      openYWebsocket(server.url, 'doc'),
      openHocuspocus(server.url, 'doc'),
      openYWebsocket(server.url, 'doc'),
    ];
    const peers = open3();
    for (const peer of peers) cleanups.push(() => peer.close());
    for (const peer of peers) await later(peer.isSynced).toBe(true);
    let kept = '';
    for (let round = 0; round < 60; round++) {
      const peer = peers[round % 3]!;
      peer.doc
        .getText('t')
        .insert((round * 31) % (text(peer.doc).length + 1), String.fromCharCode(97 + (round % 26)));
      if (round % 7 === 3) {
        const unlucky = peers[(round * 5) % 3]!;
        // A socket that is being opened throws when it is closed.
        if (unlucky.isConnected()) unlucky.disconnect();
        await later(unlucky.isConnected).toBe(false);
      }
      if (round % 7 === 6) for (const other of peers) other.reconnect();
      if (round === 20 || round === 41) {
        await later(peers[1]!.isSaved).toBe(true);
        kept = text(peers[1]!.doc);
        await server.kill();
        server = await spawnServer(folder, server.port);
      }
    }
    for (const peer of peers) peer.reconnect();
    const reader = open(openYWebsocket(server.url, 'doc'));
    await later(() => text(reader.doc).length).toBe(60);
    for (const peer of peers) await later(() => text(peer.doc)).toBe(text(reader.doc));
    const vectors = [...peers, reader].map(({ doc }) =>
      Buffer.from(Y.encodeStateVector(doc)).toString('hex'),
    );
    expect(new Set(vectors).size).toBe(1);
    expect(kept.length).toBeGreaterThan(5);
    for (const letter of new Set(kept)) expect(text(reader.doc)).toContain(letter);
  }, 60_000);

  it('what the server alone remembers after a kill is everything that was acknowledged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chorale-rooms-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const server = await spawnServer(folder);
    const writer = openHocuspocus(server.url, 'doc');
    await later(writer.isSynced).toBe(true);
    for (let i = 0; i < 300; i++) writer.doc.getText('t').insert(i, 'x');
    await later(writer.isSaved).toBe(true);
    await server.kill();
    writer.close();
    const again = await spawnServer(folder);
    cleanups.push(() => again.kill());
    const reader = open(openYWebsocket(again.url, 'doc'));
    await later(() => text(reader.doc).length).toBe(300);
  });
});
