import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { overUnixSocket, overWebSocket, Peer } from '../../test/conformance/wamp-peer.js';
import { schema, SenderError, t, table } from '../module/index.js';
import { loadModule } from '../module/load-module.js';
import { jsonSerializer } from '../protocols/wamp/messages/json.js';
import { type ChoraleServer, createServer } from './create-server.js';

describe('WAMP on a server', () => {
  let server: ChoraleServer;
  const peers: Peer[] = [];

  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.close();
    await server.close({ drainMs: 0 });
  });

  async function start(): Promise<void> {
    const app = schema({ note: table({ name: 'note' }, { id: t.u32().primaryKey() }) });
    const add2 = app.rpc('com.example.add2', (_ctx, a: number, b: number) => a + b);
    const whoami = app.rpc('com.example.whoami', (ctx) => [
      ctx.sender.toHexString(),
      ctx.authrole,
      ctx.kwargs,
    ]);
    const keep = app.rpc('com.example.keep', async (ctx, id: number) => {
      await Promise.resolve();
      ctx.withTx((tx) => {
        tx.db.note.insert({ id });
        if (id > 9) throw new SenderError('too many notes');
      });
      return ctx.withTx((tx) => Number(tx.db.note.count()));
    });
    const tell = app.rpc('com.example.tell', (ctx, fail: boolean) => {
      ctx.withTx((tx) => {
        tx.publish('com.example.told', [1], { by: ctx.authrole });
        tx.publish('com.example.told', [2]);
        if (fail) throw new SenderError('undone');
      });
    });
    const crash = app.rpc('com.example.crash', () => {
      throw new TypeError('a secret');
    });
    server = await createServer({
      databases: { notes: loadModule({ default: app, add2, whoami, keep, tell, crash }) },
      wamp: { realms: { extra: {} } },
    });
  }

  async function hello(realm: string, details: object): Promise<Peer> {
    const place = { router: server.wamp, url: server.url, port: server.port, unixPath: '' };
    const peer = await Peer.open(place, overWebSocket(jsonSerializer));
    peers.push(peer);
    peer.send(1, realm, { roles: { caller: {} }, ...details });
    return peer;
  }

  it('each database has a realm of its name, and there are those that were asked for', async () => {
    await start();
    for (const realm of ['notes', 'extra']) await (await hello(realm, {})).expectWelcome();
    const refused = await hello('other', {});
    expect(await refused.next()).toMatchObject({ 0: 3, 2: 'wamp.error.no_such_realm' });
  });

  it("the token of a database opens its realm; only the owner's sends others away", async () => {
    await start();
    const stranger = await hello('notes', {});
    await stranger.expectWelcome();
    const owner = await hello('notes', { authmethods: ['ticket'] });
    expect(await owner.next()).toEqual([4, 'ticket', {}]);
    owner.send(5, server.owner.token, {});
    await owner.expectWelcome();
    expect(owner.welcome).toMatchObject({ authid: server.owner.identity.toHexString(), authrole: 'owner' });
    expect(await stranger.call('wamp.session.kill', [owner.session])).toEqual(['wamp.error.not_authorized']);
    expect(await owner.call('wamp.session.kill', [stranger.session])).toEqual([null]);
    expect(await stranger.next()).toEqual([6, {}, 'wamp.close.killed']);
  });

  it('procedures of the module are called as any others, with transactions of their own', async () => {
    await start();
    const stranger = await hello('notes', {});
    await stranger.expectWelcome();
    expect(await stranger.call('com.example.add2', [1, 2])).toEqual([3]);
    expect(await stranger.call('com.example.keep', [1])).toEqual([1]);
    expect(await stranger.call('com.example.keep', [10])).toEqual([
      'wamp.error.runtime_error',
      ['too many notes'],
    ]);
    expect(await stranger.call('com.example.keep', [2])).toEqual([2]);
    expect(await stranger.call('com.example.crash')).toEqual([
      'wamp.error.runtime_error',
      ['internal error'],
    ]);
    expect((await stranger.ask(64, {}, 'com.example.add2'))[4]).toBe('wamp.error.procedure_already_exists');
    const owner = await hello('notes', { authmethods: ['token'], authextra: { token: server.owner.token } });
    await owner.expectWelcome();
    const told = [server.owner.identity.toHexString(), 'owner', { k: 1 }];
    expect(await owner.call('com.example.whoami', [], { k: 1 })).toEqual([told]);
    const elsewhere = await hello('extra', {});
    await elsewhere.expectWelcome();
    expect(await elsewhere.call('com.example.add2', [1, 2])).toEqual(['wamp.error.no_such_procedure']);
  });

  it('what a transaction publishes leaves in order when it is committed, and not when it is undone', async () => {
    await start();
    const peer = await hello('notes', {});
    await peer.expectWelcome();
    const subscription = await peer.subscribe('com.example.told');
    await peer.call('com.example.tell', [true]).catch(() => {});
    expect(await peer.drain()).toEqual([]);
    peer.send(48, peer.id(), {}, 'com.example.tell', [false]);
    const seen = [await peer.next(), await peer.next(), await peer.next()].filter(([type]) => type === 36);
    expect(seen.map(([, id, , details, ...payload]) => [id, details, ...payload])).toEqual([
      [subscription, {}, [1], { by: 'anonymous' }],
      [subscription, {}, [2]],
    ]);
  });

  it('a Unix socket has the same realms, and is gone with the server; one that a crash left is taken over', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chorale-unix-'));
    const unixPath = join(folder, 'wamp.sock');
    // What a killed process leaves behind.
    const script = `require('net').createServer().listen(${JSON.stringify(unixPath)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(unixPath)).toBe(true);
    server = await createServer({ wamp: { realms: { extra: {} }, unixPath } });
    const place = { router: server.wamp, url: server.url, port: server.port, unixPath };
    const peer = await Peer.join(place, overUnixSocket(jsonSerializer), {}, 'extra');
    expect(await peer.call('wamp.session.count')).toEqual([1]);
    peer.close();
    await server.close({ drainMs: 0 });
    expect(existsSync(unixPath)).toBe(false);
    await rm(folder, { recursive: true });
  });
});
