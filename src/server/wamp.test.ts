import { afterEach, describe, expect, it } from 'vitest';

import { overWebSocket, Peer } from '../../test/conformance/wamp-peer.js';
import { schema, table, t } from '../module/index.js';
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
    server = await createServer({
      databases: { notes: loadModule({ default: app }) },
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
});
