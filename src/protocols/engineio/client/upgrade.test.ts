import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';

import { serveEngine } from '../../../../test/net/serve-engine.js';
import { Client, type ClientOptions, reason } from './index.node.js';

interface Script {
  /** What the open packet says besides the usual. */
  readonly open?: object;
  /** The GET that waits is not let go for an upgrade. */
  readonly isHolding?: boolean;
  /** What a POST is answered with. */
  readonly postStatus?: number;
  /** What the WebSocket does with a message. */
  readonly onMessage: (text: string, socket: WebSocket) => void;
}

/** A server whose polls wait until an upgrade is probed, and whose WebSocket does what the test wants. */
async function serveScript(
  script: Script,
): Promise<{ url: string; posts: string[]; trace: string[]; waiting: http.ServerResponse[] }> {
  const posts: string[] = [];
  const trace: string[] = [];
  const waiting: http.ServerResponse[] = [];
  let isProbed = false;
  const server = http.createServer((request, response) => {
    if (request.method === 'POST') {
      request.setEncoding('utf8').on('data', (text: string) => posts.push(text));
      request.on('end', () => response.writeHead(script.postStatus ?? 200).end());
    } else if (request.url!.includes('sid=')) {
      if (isProbed) response.end('6');
      else waiting.push(response);
    } else {
      const open = {
        sid: 's',
        upgrades: ['websocket'],
        pingInterval: 25_000,
        pingTimeout: 20_000,
        ...script.open,
      };
      response.end(`0${JSON.stringify(open)}`);
    }
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      trace.push(text);
      isProbed ||= text === '2probe' && script.isHolding !== true;
      if (isProbed) for (const response of waiting.splice(0)) response.end('6');
      script.onMessage(text, socket);
    });
    socket.on('close', () => void trace.push('closed'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posts, trace, waiting };
}

// For clients that wait for what never comes. The handshake has that time, too: on a machine that is busy much less is too little.
const IMPATIENT = { requestTimeoutMs: 500 };

function makeClient(options: ClientOptions = {}): { client: Client; messages: unknown[]; reasons: string[] } {
  const client = new Client({ logger: { info() {}, error() {} }, ...options });
  onTestFinished(() => client.disconnect({ abort: true }));
  const messages: unknown[] = [];
  const reasons: string[] = [];
  client.on('message', (data) => void messages.push(data));
  client.on('disconnect', (why) => void reasons.push(why));
  return { client, messages, reasons };
}

describe('an upgrade of the client', () => {
  it.each<[string, Script['onMessage']]>([
    ['is not answered', () => {}],
    ['is answered with nonsense', (_, socket) => socket.send('3nonsense')],
    ['is answered with what is no packet', (_, socket) => socket.send('nonsense')],
    ['ends the WebSocket', (_, socket) => socket.close()],
  ])('whose probe %s is given up, and polling goes on', async (_, onMessage) => {
    const { url, posts, trace } = await serveScript({ onMessage });
    const { client, reasons } = makeClient(IMPATIENT);
    await client.connect(url);
    expect(client.transport()).toBe('polling');
    await client.send('still here');
    await client.drain();
    expect(posts).toEqual(['4still here']);
    await expect.poll(() => trace).toEqual(['2probe', 'closed']);
    expect(reasons).toEqual([]);
  });

  it('is given up if the server does not let the GET go, which then goes on waiting', async () => {
    const { url, posts, trace, waiting } = await serveScript({
      isHolding: true,
      onMessage: (_, socket) => socket.send('3probe'),
    });
    const { client, messages, reasons } = makeClient(IMPATIENT);
    await client.connect(url);
    expect(client.transport()).toBe('polling');
    await client.send('still here');
    await expect.poll(() => posts).toEqual(['4still here']);
    for (const text of ['4one', '4two']) {
      await expect.poll(() => waiting.length).toBe(1);
      waiting.pop()!.end(text);
    }
    await expect.poll(() => messages).toEqual(['one', 'two']);
    expect([trace, reasons]).toEqual([['2probe', 'closed'], []]);
  });

  it('survives a noop behind it and a ping interval of 0, as python-engineio sends them', async () => {
    const { url, trace } = await serveScript({
      open: { pingInterval: 0, pingTimeout: 25_000 },
      onMessage(text, socket) {
        if (text === '2probe') socket.send('3probe');
        else if (text === '5') for (const packet of ['6', '2', '4hello']) socket.send(packet);
      },
    });
    const { client, messages, reasons } = makeClient();
    await client.connect(url);
    await expect.poll(() => trace).toEqual(['2probe', '5', '3']);
    expect([client.transport(), messages, reasons]).toEqual(['websocket', ['hello'], []]);
  });

  it('ends with the connection when the server closes right behind it', async () => {
    const { url } = await serveScript({
      onMessage: (text, socket) => socket.send(text === '2probe' ? '3probe' : '1'),
    });
    const { client, reasons } = makeClient();
    await client.connect(url);
    await client.wait();
    expect(reasons).toEqual([reason.SERVER_DISCONNECT]);
  });
});

describe('a POST', () => {
  it.each([200, 201, 204, 299])(
    'that is answered with %i has succeeded, whatever its body',
    async (postStatus) => {
      const { url, posts } = await serveScript({ postStatus, onMessage() {} });
      const { client, reasons } = makeClient();
      await client.connect(url, { transports: 'polling' });
      await client.send('one');
      await client.drain();
      await client.send('two');
      await client.drain();
      expect([posts, reasons]).toEqual([['4one', '4two'], []]);
    },
  );

  it.each([300, 400, 500])('that is answered with %i ends the connection', async (postStatus) => {
    const { url } = await serveScript({ postStatus, onMessage() {} });
    const { client, reasons } = makeClient();
    await client.connect(url, { transports: 'polling' });
    await client.send('one');
    await client.wait();
    expect(reasons).toEqual([reason.TRANSPORT_ERROR]);
  });
});

describe('what is sent in the handler of connect', () => {
  it.each(['polling', 'websocket', 'polling,websocket'])(
    'arrives first and in order over %s',
    async (transports) => {
      const { url } = await serveEngine();
      const { client, messages } = makeClient();
      client.on('connect', async () => {
        await client.send('one');
        await client.send('two');
      });
      await client.connect(url, { transports: transports.split(',') });
      await client.send('three');
      await expect.poll(() => messages).toEqual(['one', 'two', 'three']);
    },
  );
});

it('names of transports that every object has are none', async () => {
  const { client } = makeClient();
  const transports = ['__proto__', 'constructor', 'toString'];
  await expect(client.connect('http://127.0.0.1:9', { transports })).rejects.toThrow('no valid transport');
});
