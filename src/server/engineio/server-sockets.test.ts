import { describe, expect, it, onTestFinished } from 'vitest';

import {
  schema,
  type SchemaShape,
  type SocketCtx,
  type SocketHandlers,
  t,
  table,
} from '../../module/index.js';
import { loadModule } from '../../module/load-module.js';
import { Client } from '../../protocols/engineio/client/index.node.js';
import { type ChoraleServer, createServer, type ServerOptions } from '../create-server.js';

type Sockets = NonNullable<ServerOptions['sockets']>;

interface Functions {
  readonly withTx: (body: (ctx: Identified) => unknown[]) => unknown[];
  readonly broadcast: (data: string) => void;
}

/** Handlers may take them out of their context. */
const functionsOf = (ctx: Functions): Functions => ctx;

type Identified = Pick<SocketCtx<SchemaShape>, 'sender' | 'connectionId'>;

async function start(sockets: Sockets, options: ServerOptions = {}): Promise<ChoraleServer> {
  const server = await createServer({ sockets, onNotice() {}, onError() {}, ...options });
  onTestFinished(() => server.close({ drainMs: 0 }));
  return server;
}

async function open(
  server: ChoraleServer,
  headers = {},
  transports = ['polling', 'websocket'],
): Promise<{ readonly client: Client; readonly messages: unknown[] }> {
  const client = new Client({ logger: { info() {}, error() {} } });
  onTestFinished(() => client.disconnect({ abort: true }));
  const messages: unknown[] = [];
  client.on('message', (data) => void messages.push(data));
  await client.connect(server.url, { engineioPath: 'live', headers, transports });
  return { client, messages };
}

describe('sockets of a server', () => {
  it('work as those of a module: groups, broadcast, identities, the end', async () => {
    const trace: string[] = [];
    const server = await start({
      '/live': {
        connect(ctx, socket) {
          trace.push(`+ ${ctx.sender.toHexString() === server.owner.identity.toHexString()}`);
          socket.join('all');
        },
        message: (ctx, socket, data) => ctx.broadcast(data, { group: 'all', except: socket }),
        disconnect: (_ctx, _socket, reason) => void trace.push(`- ${reason}`),
      },
    });
    const a = await open(server, { authorization: `Bearer ${server.owner.token}` });
    const b = await open(server);
    await a.client.send('hello');
    await expect.poll(() => b.messages).toEqual(['hello']);
    await a.client.disconnect();
    await expect.poll(() => trace).toEqual(['+ true', '+ false', '- transport close']);
    expect(a.messages).toEqual([]);
  });

  it('without a database have transactions on no tables: what is sent in one that throws never leaves', async () => {
    const server = await start({
      '/live': {
        message(ctx, socket, data) {
          ctx.withTx(({ db }) => {
            socket.send(`${String(data)} ${Object.keys(db).length}`);
            if (data === 'throw') throw new Error('undone');
          });
        },
      },
    });
    const { client, messages } = await open(server);
    await client.send('one');
    await expect.poll(() => messages).toEqual(['one 0']);
    await client.send('throw');
    await client.wait();
    expect(messages).toEqual(['one 0']);
  });

  it('write to the tables of the default database', async () => {
    const note = table({ name: 'note' }, { id: t.u32().primaryKey() });
    const app = schema({ note });
    const live: SocketHandlers<{ note: typeof note }> = {
      message(ctx, socket, data) {
        const count = ctx.withTx(({ db }) => {
          db.note.insert({ id: Number(data) });
          return db.note.count();
        });
        socket.send(String(count));
      },
    };
    const databases = { notes: loadModule({ default: app }) };
    const server = await start({ '/live': live }, { databases });
    const { client, messages } = await open(server);
    await client.send('7');
    await expect.poll(() => messages).toEqual(['1']);
    expect(server.database('notes')!.database.table('note').count).toBe(1);
  });

  it('know a stranger by one identity and connection, whoever asks first', async () => {
    const seen: unknown[] = [];
    const server = await start({
      '/live': {
        async message(ctx, socket, data) {
          const { sender, connectionId, senderAuth, timestamp } = ctx;
          const { withTx, broadcast } = functionsOf(ctx);
          const inside = withTx((tx) => [tx.sender, tx.connectionId]);
          seen.push([data, sender, connectionId, senderAuth.jwt?.identity, timestamp, ...inside]);
          await Promise.resolve();
          broadcast(`${socket.identity.toHexString()} ${socket.connectionId.toHexString()}`);
        },
      },
    });
    const [a, b] = [await open(server), await open(server)];
    await a.client.send('a');
    await expect.poll(() => b.messages.length).toBe(1);
    await a.client.send('again');
    await expect.poll(() => b.messages.length).toBe(2);
    await b.client.send('b');
    await expect.poll(() => a.messages.length).toBe(3);
    const who = (index: number): unknown[] => {
      const [, sender, connectionId, , timestamp] = seen[index] as unknown[];
      expect(seen[index]).toEqual([
        expect.any(String),
        sender,
        connectionId,
        sender,
        timestamp,
        sender,
        connectionId,
      ]);
      return [sender, connectionId];
    };
    expect(a.messages[0]).toBe(who(0).join(' '));
    expect(who(1)).toEqual(who(0));
    expect(a.messages.map(String)).toEqual(b.messages.map(String));
    expect(a.messages[2]).toBe(who(2).join(' '));
    expect(who(2)[0]).not.toEqual(who(0)[0]);
    expect(who(2)[1]).not.toEqual(who(0)[1]);
  });

  it('over WebSocket hear text that cannot travel over polling, for the separator of packets is in it', async () => {
    const errors: string[] = [];
    const server = await start(
      { '/live': { message: (ctx, _socket, data) => ctx.broadcast(data) } },
      { onError: (error, where) => void errors.push(`${where}: ${(error as { code?: string }).code}`) },
    );
    const polling = await open(server, {}, ['polling']);
    const webSocket = await open(server);
    await webSocket.client.send('a\u001eb');
    await webSocket.client.send('c');
    await expect.poll(() => webSocket.messages).toEqual(['a\u001eb', 'c']);
    await expect.poll(() => polling.messages).toEqual(['c']);
    expect(errors).toEqual(['socket /live: SEPARATOR_IN_TEXT']);
  });

  it('whose handler throws are closed, and onError says where', async () => {
    const errors: string[] = [];
    const server = await start(
      { '/live': { message: () => Promise.reject(new Error('broken')) } },
      { onError: (error, where) => void errors.push(`${where}: ${(error as Error).message}`) },
    );
    const { client } = await open(server);
    await client.send('x');
    await client.wait();
    expect(errors).toEqual(['socket /live: broken']);
  });

  it.each<[string, ServerOptions]>([
    ['begins with a slash', { sockets: { live: {} } }],
    ['is taken', { sockets: { '/engine.io': {} } }],
    ['is there twice', { sockets: { '/live': {}, '/live/': {} } }],
    ['Engine.IO is turned off', { sockets: { '/live': {} }, engineio: false }],
  ])('are refused when their path %s', async (text, options) => {
    await expect(createServer({ onNotice() {}, ...options })).rejects.toThrow(text);
  });
});
