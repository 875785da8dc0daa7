import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { describe, expect, it } from 'vitest';
import type * as Y from 'yjs';

import type { Channel } from '../client/channel.js';
import { channelPair } from '../client/channel.js';
import { RoomClient } from '../client/room-client.js';
import { RoomManager } from '../client/room-manager.js';
import { whenAborted } from '../client/task-scope.js';
import {
  bind,
  connect,
  MemoryClient,
  type MemoryClientOptions,
  MemoryServer,
  registerWire,
  Room,
  WebSocketClient,
  WebSocketServer,
} from './index.js';

const text = ({ doc }: { readonly doc: Y.Doc }): string => doc.getText('t').toJSON();

/** A wire of somebody else's: what his package would declare and register. */
class NamedMemoryClient extends MemoryClient {}

declare module '../client/wires.js' {
  interface WireMap {
    named: { options: MemoryClientOptions & { readonly name: string }; client: NamedMemoryClient };
  }
}

describe('connect and bind', () => {
  it('take wires that others have registered, and know their types', async () => {
    await using server = await bind('memory', {});
    registerWire('named', { connect: (options: MemoryClientOptions) => new NamedMemoryClient(options) });
    await using client = await connect('named', { server, name: 'ada' });
    expect(client).toBeInstanceOf(NamedMemoryClient);
    await expect(bind('named' as never, {} as never)).rejects.toThrow('No server found for "named"');
    // @ts-expect-error -- the wire's own option is missing
    const incomplete: Parameters<typeof connect<'named'>>[1] = { server };
    expect(incomplete).toBeDefined();
  });

  it('say which wire is missing, in the words of wiredb', async () => {
    await expect(connect('foo' as never, {} as never)).rejects.toThrow(
      'No client found for "foo", did you forget to install "wire-foo"?',
    );
    await expect(bind('foo' as never, {} as never)).rejects.toThrow(
      'No server found for "foo", did you forget to install "wire-foo"?',
    );
  });

  it('the example of the documentation works', async () => {
    await using server = await bind('websocket', { host: 'localhost', port: 0 });
    await using a = await connect('websocket', { id: 'notes', host: 'http://localhost', port: server.port });
    await using b = await connect('websocket', { id: 'notes', host: 'http://localhost', port: server.port });
    a.doc.getText('t').insert(0, 'hello');
    await expect.poll(() => text(b)).toBe('hello');
  });
});

describe('the websocket wire', () => {
  it('asks for the room by its path, with the cookies and the token that it was given', async () => {
    const asked: string[] = [];
    const server = createServer().on('upgrade', ({ url = '', headers }, socket: Socket) => {
      asked.push(`${url} ${String(headers.cookie)}`);
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const options = { host: '127.0.0.1', port, id: 'a room/ü', token: 't&1', cookies: { a: '1', b: '2' } };
    await expect(connect('websocket', options)).rejects.toThrow(
      /no connection to ws:\/\/127.0.0.1:\d+\/a%20room/,
    );
    expect(asked).toEqual(['/a%20room/%C3%BC?token=t%261 a=1; b=2']);
    await new Promise((resolve) => server.close(resolve));
  });

  it('room names are told apart after decoding, and without leading slashes', async () => {
    await using server = await bind('websocket', {});
    const { port } = server;
    await using a = await connect('websocket', { id: '//r', host: 'http://127.0.0.1', port });
    await using b = await connect('websocket', { id: 'r', host: '127.0.0.1', port });
    a.doc.getText('t').insert(0, 'x');
    await expect.poll(() => text(b)).toBe('x');
    expect(server.roomCount).toBe(1);
  });
});

/** Counts what goes through a channel. */
class CountingClient extends RoomClient {
  sent = 0;
  received = 0;
  readonly #server: MemoryServer;

  constructor(server: MemoryServer) {
    super({ id: 'r' });
    this.#server = server;
  }

  protected override async openChannel(): Promise<Channel> {
    const inner = this.#server.connect(this.id);
    const count = (): void => void (this.received += 1);
    return {
      id: inner.id,
      send: (message) => {
        this.sent += 1;
        return inner.send(message);
      },
      async *[Symbol.asyncIterator]() {
        for await (const message of { [Symbol.asyncIterator]: () => inner[Symbol.asyncIterator]() }) {
          count();
          yield message;
        }
      },
      close: () => inner.close(),
    };
  }
}

describe('messages', () => {
  it.each([1, 2, 5, 10])(
    'with %i clients that edit once each hears N + 2 messages, and sends three',
    async (n) => {
      await using server = new MemoryServer();
      const clients = await Promise.all(Array.from({ length: n }, () => new CountingClient(server).open()));
      for (const client of clients) await client.synchronized;
      for (const [i, client] of clients.entries()) client.doc.getText('t').insert(0, String(i));
      for (const client of clients) await expect.poll(() => text(client).length).toBe(n);
      for (const client of clients) expect([client.sent, client.received]).toEqual([3, n + 2]);
      for (const client of clients) await client.close();
    },
  );
});

describe('rooms', () => {
  it('two servers whose rooms dial a third converge', async () => {
    await using top = await WebSocketServer.open();
    class Chained extends Room {
      override async run(signal: AbortSignal): Promise<void> {
        const options = { id: this.id, doc: this.doc, host: 'http://127.0.0.1', port: top.port };
        await using _client = await new WebSocketClient(options).open();
        await super.run(signal);
      }
    }
    await using left = await WebSocketServer.open({ room: Chained });
    await using right = await WebSocketServer.open({ room: (id) => new Chained(id) });
    await using a = await connect('websocket', { id: 'r', host: '127.0.0.1', port: left.port });
    await using b = await connect('websocket', { id: 'r', host: '127.0.0.1', port: right.port });
    a.doc.getText('t').insert(0, 'Hello');
    await expect.poll(() => text(b)).toBe('Hello');
    b.doc.getText('t').insert(5, 'World');
    await expect.poll(() => text(a)).toBe('HelloWorld');
  });

  it('a room that has ended has ended its tasks', async () => {
    const trace: string[] = [];
    class Traced extends Room {
      override async run(signal: AbortSignal): Promise<void> {
        trace.push('run');
        await super.run(signal);
        trace.push('ended');
      }
    }
    await using server = await bind('memory', { room: Traced, lingerMs: 0 });
    const client = await connect('memory', { server });
    await client.close();
    await expect.poll(() => trace).toEqual(['run', 'ended']);
    expect(server.roomCount).toBe(0);
  });

  it('who comes while the room ends finds what was in it: the successor waits', async () => {
    const trace: string[] = [];
    let letEnd: () => void = () => {};
    const gate = new Promise<void>((resolve) => void (letEnd = resolve));
    class Slow extends Room {
      override async run(signal: AbortSignal): Promise<void> {
        trace.push('opened');
        await whenAborted(signal);
        await gate;
        trace.push('ended');
      }
    }
    await using server = await bind('memory', { room: Slow, lingerMs: 0 });
    const first = await connect('memory', { server });
    await first.close();
    await expect.poll(() => server.roomCount).toBe(0);
    const second = connect('memory', { server });
    await new Promise((resolve) => setImmediate(resolve));
    expect(trace).toEqual(['opened']);
    letEnd();
    await using _client = await second;
    expect(trace).toEqual(['opened', 'ended', 'opened']);
  });

  it('the document stays for who comes back in time', async () => {
    await using server = await bind('memory', { lingerMs: 60_000 });
    const first = await connect('memory', { server });
    first.doc.getText('t').insert(0, 'kept');
    await first.close();
    await using second = await connect('memory', { server });
    expect(text(second)).toBe('kept');
  });

  it('a client that sends nonsense ends its own connection, and the room hears of it', async () => {
    const errors: unknown[] = [];
    class Watched extends Room {
      override onError(error: unknown): void {
        errors.push(error);
      }
    }
    await using server = await bind('memory', { room: Watched });
    await using good = await connect('memory', { server });
    const bad = server.connect('');
    await bad.send(Uint8Array.of(0, 2, 3, 9, 9, 9));
    await expect.poll(() => errors.length).toBe(1);
    await bad.send(new Uint8Array(0));
    await using other = await connect('memory', { server });
    good.doc.getText('t').insert(0, 'x');
    await expect.poll(() => text(other)).toBe('x');
  });

  it('one slow reader neither holds up the others nor piles up updates; at the end it has everything', async () => {
    const manager = new RoomManager();
    const [slow, slowEnd] = channelPair('r');
    let release: () => void = () => {};
    let isBlocked = true;
    const gate = new Promise<void>((resolve) => void (release = resolve));
    let sends = 0;
    void manager.serve({
      ...slowEnd,
      [Symbol.asyncIterator]: () => slowEnd[Symbol.asyncIterator](),
      send: (message) => {
        sends += 1;
        void slowEnd.send(message);
        return isBlocked ? gate : undefined;
      },
    });
    class Over extends RoomClient {
      readonly #channel: Channel;
      constructor(channel: Channel) {
        super({ id: 'r' });
        this.#channel = channel;
      }
      protected override async openChannel(): Promise<Channel> {
        return this.#channel;
      }
    }
    const reader = await new Over(slow).open();
    const [end, serverEnd] = channelPair('r');
    void manager.serve(serverEnd);
    const writer = await new Over(end).open();
    for (let i = 0; i < 300; i++) writer.doc.getText('t').insert(0, 'x'.repeat(10_000));
    await expect.poll(async () => (await manager.find('r'))?.doc.getText('t').length).toBe(3_000_000);
    // A megabyte is a hundred of them.
    expect(sends).toBeLessThan(130);
    isBlocked = false;
    release();
    await expect.poll(() => text(reader).length).toBe(3_000_000);
    await reader.close();
    await writer.close();
    await manager.close();
  });

  it('a websocket client connects again, with what was edited meanwhile', async () => {
    const first = await WebSocketServer.open();
    const { port } = first;
    await using client = await new WebSocketClient({
      host: '127.0.0.1',
      port,
      reconnect: { minMs: 10 },
    }).open();
    client.awareness.setLocalState({ user: 'ada' });
    await first.close();
    await expect.poll(() => client.status).not.toBe('connected');
    client.doc.getText('t').insert(0, 'offline');
    await using second = await WebSocketServer.open({ port });
    await using other = await connect('websocket', { host: '127.0.0.1', port: second.port });
    await expect.poll(() => text(other)).toBe('offline');
    await expect.poll(() => [...other.awareness.getStates().values()]).toEqual([{ user: 'ada' }]);
  });
});
