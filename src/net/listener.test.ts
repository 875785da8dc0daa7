import { once } from 'node:events';
import type { Duplex } from 'node:stream';

import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { clientFrame, RawClient } from '../../test/net/raw-client.js';
import { Listener, type ListenerOptions } from './listener.js';
import type { WebSocketConnection, WebSocketHandler } from './websocket/connection.js';

const errors: unknown[] = [];
let listener: Listener | undefined;

afterEach(async () => {
  await listener?.close({ drainMs: 0 });
  listener = undefined;
  expect(errors.splice(0)).toEqual([]);
});

async function listen(options: ListenerOptions = {}): Promise<Listener> {
  listener = await Listener.listen({ onError: (error) => errors.push(error), ...options });
  return listener;
}

function echo(connection: WebSocketConnection): WebSocketHandler {
  return {
    onMessage(data, isText) {
      if (isText) connection.sendText(Buffer.from(data).toString());
      else connection.sendBinary(data);
    },
    onClose() {},
  };
}

test('the ws client gets its text and binary messages of any size back', async () => {
  const { port } = await listen();
  listener!.addUpgradeRoute({ pattern: '/*path', accept: () => ({ kind: 'accept', open: echo }) });
  const client = new WebSocket(`ws://127.0.0.1:${port}/any`);
  await once(client, 'open');
  for (const size of [0, 1, 125, 126, 4095, 4096, 65_535, 65_536, 1_000_000]) {
    const sent = Buffer.alloc(size, size);
    client.send(sent);
    const [data, isBinary] = (await once(client, 'message')) as [Buffer, boolean];
    expect(isBinary).toBe(true);
    expect(data.equals(sent)).toBe(true);
  }
  client.send('grüß dich 👋');
  const [text, isBinary] = (await once(client, 'message')) as [Buffer, boolean];
  expect([text.toString(), isBinary]).toEqual(['grüß dich 👋', false]);
  client.close(3001, 'bye');
  const [code] = (await once(client, 'close')) as [number];
  expect(code).toBe(3001);
});

test('HTTP, WebSocket and a raw protocol share the port', async () => {
  const { port, url, router } = await listen();
  router.route('GET', '/hello/:name', ({ params }) => ({ status: 200, body: `hello ${params['name']}` }));
  listener!.addUpgradeRoute({ pattern: '/ws', accept: () => ({ kind: 'accept', open: echo }) });
  listener!.addRawProtocol(0x7f, (socket: Duplex) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  expect(await (await fetch(`${url}/hello/ada%20l`)).text()).toBe('hello ada l');
  const raw = await RawClient.connect(port);
  raw.send('\x7fabc');
  await raw.until(() => raw.received.length === 4);
  expect(raw.received.toString()).toBe('\x7fabc');
  raw.destroy();
  const client = await RawClient.open(port, '/ws');
  client.sendFrame({ opcode: 2, payload: 'hi' });
  const frames = await client.nextFrames(1);
  expect(frames.map(({ payload }) => payload.toString())).toEqual(['hi']);
  client.destroy();
});

test('all replies to one chunk leave in one write', async () => {
  const { port } = await listen();
  listener!.addUpgradeRoute({ pattern: '/', accept: () => ({ kind: 'accept', open: echo }) });
  const client = await RawClient.open(port);
  const chunks: number[] = [];
  client.socket.on('data', (chunk) => chunks.push(chunk.length));
  client.send(...Array.from({ length: 100 }, () => clientFrame({ opcode: 2, payload: '0123456789' })));
  await client.nextFrames(100);
  expect(chunks).toEqual([1200]);
  client.destroy();
});
