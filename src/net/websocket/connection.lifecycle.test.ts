import { once } from 'node:events';

import { expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { ManualClock } from '../../base/clock.js';
import { clientFrame, RawClient } from '../../../test/net/raw-client.js';
import { echo, serve, serveTraced } from '../../../test/net/serve.js';
import { encodeFrame, Opcode } from './frame.js';

const ping = 9;
const pong = 10;

test('a silent peer is pinged after 15 s and dropped after 30 s', async () => {
  const clock = new ManualClock();
  const server = await serveTraced({ clock });
  const client = await RawClient.open(server.port);
  clock.advance(14_900);
  expect(client.frames).toEqual([]);
  clock.advance(200);
  const frames = await client.nextFrames(1);
  expect(frames.map(({ opcode }) => opcode)).toEqual([ping]);
  clock.advance(14_800);
  expect(server.connections.map(({ isOpen }) => isOpen)).toEqual([true]);
  clock.advance(200);
  expect(await client.closeCode()).toBe(1006);
  await server.until(() => server.trace.includes('- 1006'));
  expect(clock.pendingTimers).toBe(0);
});

test('a peer that answers pings stays', async () => {
  const clock = new ManualClock();
  const server = await serveTraced({ clock });
  const client = await RawClient.open(server.port);
  for (let i = 0; i < 5; i++) {
    clock.advance(15_050);
    const frames = await client.nextFrames(1);
    expect(frames.map(({ opcode }) => opcode)).toEqual([ping]);
    client.sendFrame({ opcode: pong });
    client.sendFrame({ opcode: 1, payload: `${i}` });
    await server.until(() => server.trace.includes(`"${i}"`));
  }
  expect(server.connections.map(({ isOpen }) => isOpen)).toEqual([true]);
});

test('a thousand connections share one timer', async () => {
  const clock = new ManualClock();
  const server = await serveTraced({ clock });
  await Promise.all(Array.from({ length: 50 }, () => RawClient.open(server.port)));
  expect(clock.pendingTimers).toBe(1);
});

test('the server closes: what was sent before arrives, the code is echoed, nothing is delivered any more', async () => {
  const server = await serveTraced({}, (connection) => ({
    onMessage() {
      connection.sendText('last words');
      connection.close(4000, 'enough');
      connection.sendText('too late');
    },
  }));
  const client = await RawClient.open(server.port);
  client.send(clientFrame({ opcode: 1, payload: 'go' }), clientFrame({ opcode: 1, payload: 'more' }));
  const frames = await client.nextFrames(2);
  expect(frames.map(({ opcode }) => opcode)).toEqual([1, 8]);
  expect(frames.map(({ payload }) => payload.toString('latin1'))).toEqual(['last words', '\x0f\xa0enough']);
  client.sendFrame({ opcode: 8, payload: Buffer.of(0x0f, 0xa0) });
  await client.until(() => client.isEnded);
  await server.until(() => server.trace.includes('- 4000'));
});

test('a peer that does not answer a close frame is cut off after 250 ms', async () => {
  const clock = new ManualClock();
  const server = await serveTraced({ clock });
  const client = await RawClient.open(server.port);
  (await server.first()).close();
  await client.nextFrames(1);
  expect(client.isEnded).toBe(false);
  clock.advance(200);
  expect(server.listener.webSocketCount).toBe(1);
  clock.advance(100);
  await client.until(() => client.isEnded);
  await server.until(() => server.trace.includes('- 1000'));
});

test('messages of one chunk are followed by one end of turn, before anything is written', async () => {
  const replies: string[] = [];
  const server = await serveTraced({}, (connection) => ({
    onMessage: (data) => void replies.push(Buffer.from(data).toString()),
    onTurnEnd: () => connection.sendText(replies.splice(0).join('+')),
  }));
  const client = await RawClient.open(server.port);
  client.send(...['a', 'b', 'c'].map((payload) => clientFrame({ opcode: 1, payload })));
  const frames = await client.nextFrames(1);
  expect(frames.map(({ payload }) => payload.toString())).toEqual(['a+b+c']);
});

test('one prebuilt frame reaches many sockets, in order with what each was sent besides', async () => {
  const server = await serveTraced();
  const clients = await Promise.all(Array.from({ length: 3 }, () => RawClient.open(server.port)));
  await server.until(() => server.connections.length === 3);
  const shared = encodeFrame(Opcode.text, Buffer.from('to '), Buffer.from('all'));
  for (const [i, connection] of server.connections.entries()) {
    connection.sendText(`before ${i}`);
    connection.sendFrame(shared);
    connection.sendBinary(Buffer.from('after '), Buffer.from(`${i}`));
    connection.sendFrame(shared);
  }
  const got: string[] = [];
  for (const client of clients) {
    const frames = await client.nextFrames(4);
    got.push(frames.map(({ payload }) => payload.toString()).join(', '));
  }
  expect(got.sort()).toEqual([0, 1, 2].map((i) => `before ${i}, to all, after ${i}, to all`));
});

test('parts above and below the copying limit keep their order and content', async () => {
  const server = await serveTraced();
  const client = await RawClient.open(server.port);
  const connection = await server.first();
  const small = Buffer.from('small');
  const large = Buffer.alloc(70_000, 'L');
  connection.sendBinary(small, large, small);
  small.fill('!');
  connection.sendText('ü'.repeat(3000));
  connection.sendBinary(large);
  const frames = await client.nextFrames(3);
  const expected = [`small${'L'.repeat(70_000)}small`, 'ü'.repeat(3000), 'L'.repeat(70_000)];
  expect(frames.map(({ payload }) => payload.toString())).toEqual(expected);
});

test('close({ drainMs }) says 1001, delivers what was queued and resolves when all have left', async () => {
  const { listener, port } = await serve();
  listener.addUpgradeRoute({
    pattern: '/',
    accept: () => ({
      kind: 'accept',
      open(connection) {
        connection.sendBinary(Buffer.alloc(3_000_000));
        return echo(connection);
      },
    }),
  });
  const client = new WebSocket(`ws://127.0.0.1:${port}/`);
  const messages: number[] = [];
  client.on('message', (data: Buffer) => messages.push(data.length));
  await once(client, 'open');
  const closed = once(client, 'close') as Promise<[number, Buffer]>;
  await listener.close({ drainMs: 10_000 });
  const [code] = await closed;
  expect([code, messages]).toEqual([1001, [3_000_000]]);
  await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
});

test('close({ drainMs }) does not wait for ever for a peer that does not read', async () => {
  const clock = new ManualClock();
  const { listener, port } = await serve({ clock });
  listener.addUpgradeRoute({
    pattern: '/',
    accept: () => ({
      kind: 'accept',
      open(connection) {
        connection.sendBinary(Buffer.alloc(15_000_000));
        return echo(connection);
      },
    }),
  });
  const client = await RawClient.open(port);
  client.socket.pause();
  const closed = listener.close({ drainMs: 1000 });
  clock.advance(950);
  expect(listener.webSocketCount).toBe(1);
  clock.advance(100);
  await closed;
  expect(listener.webSocketCount).toBe(0);
  client.destroy();
});
