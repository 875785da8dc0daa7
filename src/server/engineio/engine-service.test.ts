import { describe, expect, it, onTestFinished } from 'vitest';

import type { Module } from '../../module/definition/build-module.js';
import { schema, t, table } from '../../module/index.js';
import { loadModule } from '../../module/load-module.js';
import { Client, type ConnectOptions } from '../../protocols/engineio/client/index.node.js';
import { type ChoraleServer, createServer } from '../create-server.js';

/** Notes that are kept in a table and told to the group that one is in. */
function notesModule(trace: string[], greeting = 'hello'): Module {
  const note = table(
    { name: 'note', public: true },
    { id: t.u64().primaryKey().autoInc(), text: t.string() },
  );
  const app = schema({ note });
  const live = app.socket('/live', {
    connect(ctx, socket) {
      trace.push(`+ ${ctx.sender.isEqual(socket.identity)} ${ctx.senderAuth.hasJWT}`);
      socket.join('everybody');
      socket.data = 0;
      socket.send(`${greeting} ${socket.transport}`);
    },
    message(ctx, socket, data) {
      if (data === 'throw') throw new Error('no');
      if (data === 'leave') return socket.leave('everybody');
      if (data === 'close') return socket.close();
      if (data === 'undo') {
        expect(() =>
          ctx.withTx(({ db }) => {
            db.note.insert({ id: 0n, text: 'never' });
            throw new Error('undone');
          }),
        ).toThrow('undone');
      } else ctx.withTx(({ db }) => void db.note.insert({ id: 0n, text: String(data) }));
      socket.data = (socket.data as number) + 1;
      const count = ctx.withTx(({ db }) => db.note.count());
      ctx.broadcast(`${String(data)}: ${count}`, { group: 'everybody', except: socket });
      socket.send(`kept ${count}`);
    },
    disconnect(ctx, socket, reason) {
      trace.push(`- ${reason} ${String(socket.data)} ${socket.groups.size}`);
    },
  });
  return loadModule({ default: app, live });
}

interface Live {
  readonly client: Client;
  readonly messages: unknown[];
}

async function start(trace: string[] = []): Promise<ChoraleServer> {
  const server = await createServer({
    databases: { notes: notesModule(trace) },
    onNotice() {},
    onError() {},
  });
  onTestFinished(() => server.close({ drainMs: 0 }));
  return server;
}

async function open(server: ChoraleServer, transports: string, options: ConnectOptions = {}): Promise<Live> {
  const client = new Client({ logger: { info() {}, error() {} } });
  onTestFinished(() => client.disconnect({ abort: true }));
  const messages: unknown[] = [];
  client.on('message', (data) => void messages.push(data));
  await client.connect(server.url, { engineioPath: 'live', transports: transports.split(','), ...options });
  return { client, messages };
}

describe('sockets of a module', () => {
  it('run transactions and talk to their group, over both transports', async () => {
    const trace: string[] = [];
    const server = await start(trace);
    const a = await open(server, 'polling');
    const b = await open(server, 'websocket');
    await a.client.send('one');
    await expect.poll(() => b.messages).toEqual(['hello websocket', 'one: 1']);
    await b.client.send('undo');
    await expect.poll(() => a.messages).toEqual(['hello polling', 'kept 1', 'undo: 1']);
    await b.client.send('leave');
    await b.client.send('two');
    await expect.poll(() => a.messages.at(-1)).toBe('two: 2');
    await a.client.send('three');
    await expect.poll(() => a.messages.at(-1)).toBe('kept 3');
    expect(b.messages).toEqual(['hello websocket', 'one: 1', 'kept 1', 'kept 2']);
    expect(trace).toEqual(['+ true true', '+ true true']);
    await a.client.disconnect();
    await expect.poll(() => trace.at(-1)).toBe('- transport close 2 0');
  });

  it('know the identity of the token presented at the handshake, as a header or in the query', async () => {
    const seen: string[] = [];
    const app = schema({});
    const live = app.socket('/live', { connect: (ctx) => void seen.push(ctx.sender.toHexString()) });
    const module = loadModule({ default: app, live });
    const server = await createServer({ databases: { one: module }, onNotice() {}, onError() {} });
    onTestFinished(() => server.close({ drainMs: 0 }));
    const { token, identity } = server.owner;
    await open(server, 'polling', { headers: { authorization: `Bearer ${token}` } });
    const byQuery = new Client();
    onTestFinished(() => byQuery.disconnect({ abort: true }));
    await byQuery.connect(`${server.url}?token=${token}`, { engineioPath: 'live', transports: 'websocket' });
    expect(seen).toEqual([identity.toHexString(), identity.toHexString()]);
    await open(server, 'polling');
    expect(seen[2]).not.toBe(identity.toHexString());
    for (const authorization of ['Bearer nonsense', 'Basic x']) {
      await expect(open(server, 'polling', { headers: { authorization } })).rejects.toThrow(/40[01]/);
    }
  });

  it('whose handler throws are closed, and the module’s log says why', async () => {
    const trace: string[] = [];
    const server = await start(trace);
    const { client } = await open(server, 'websocket');
    await client.send('throw');
    await client.wait();
    expect(trace.at(-1)).toBe('- forced close 0 0');
    expect(server.database('notes')!.moduleLog.tail().at(-1)).toMatchObject({ level: 'Panic' });
  });

  it('can be closed by the module', async () => {
    const server = await start();
    const { client } = await open(server, 'polling');
    await client.send('close');
    await client.wait();
    expect(client.state).toBe('disconnected');
  });

  it('do not exist at other paths', async () => {
    const server = await start();
    await expect(open(server, 'polling', { engineioPath: 'nowhere' })).rejects.toThrow('404');
    await expect(open(server, 'polling', { engineioPath: 'engine.io' })).rejects.toMatchObject({
      body: { code: 3 },
    });
  });

  it('have paths of their own within a module', () => {
    const app = schema({});
    const socket = app.socket('/live', {});
    expect(() => loadModule({ default: app, a: socket, b: app.socket('/live', {}) })).toThrow(
      'two sockets have the path',
    );
    expect(() => loadModule({ default: app, a: schema({}).socket('/x', {}) })).toThrow('another schema');
    expect(() => app.socket('live', {})).toThrow('begins with a slash');
  });
});

describe('protocols inside a session', () => {
  it.each(['polling', 'websocket'])('WAMP says welcome over %s', async (transports) => {
    const server = await createServer({ wamp: { realms: { realm1: {} } }, onNotice() {}, onError() {} });
    onTestFinished(() => server.close({ drainMs: 0 }));
    const client = new Client();
    onTestFinished(() => client.disconnect({ abort: true }));
    const messages: unknown[][] = [];
    client.on('message', (text: string) => void messages.push(JSON.parse(text) as unknown[]));
    await client.connect(`${server.url}?protocol=wamp.2.json&path=/ws`, { transports });
    expect(client.protocol).toBe('wamp.2.json');
    await client.send([1, 'realm1', { roles: { caller: {} } }]);
    await expect.poll(() => messages[0]?.[0]).toBe(2);
  });

  it.each(['polling', 'websocket'])('a room is synchronised over %s', async (transports) => {
    const server = await createServer({
      databases: { notes: notesModule([]) },
      rooms: { 'notes/:id': {} },
      onNotice() {},
      onError() {},
    });
    onTestFinished(() => server.close({ drainMs: 0 }));
    const clients = [new Client(), new Client()];
    onTestFinished(async () => {
      for (const client of clients) await client.disconnect({ abort: true });
    });
    const [heard, told] = clients.map((client) => {
      const messages: string[] = [];
      client.on('message', (data: Uint8Array) => void messages.push(Buffer.from(data).toString('hex')));
      return messages;
    });
    for (const client of clients) {
      await client.connect(`${server.url}?protocol=&path=/rooms/notes/1`, { transports });
      // Sync step 1 of an empty document, as y-websocket sends it.
      await client.send(Uint8Array.of(0, 0, 1, 0));
    }
    const step2 = '0001020000';
    await expect.poll(() => [heard!.includes(step2), told!.includes(step2)]).toEqual([true, true]);
    // An update: client 1 inserts "a" into the text "t".
    const update = Uint8Array.of(1, 1, 1, 0, 4, 1, 1, 0x74, 1, 0x61, 0);
    await clients[0]!.send(Uint8Array.of(0, 2, update.length, ...update));
    await expect.poll(() => told).toContain(`0002${Buffer.of(update.length, ...update).toString('hex')}`);
  });

  it('that do not exist are refused', async () => {
    const server = await start();
    const client = new Client();
    await expect(
      client.connect(`${server.url}?protocol=nonsense&path=/v1/database/none/subscribe`),
    ).rejects.toThrow('404');
  });
});
