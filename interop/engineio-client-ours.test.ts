import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { Server as NpmServer } from 'engine.io';
import { Server as SocketIoServer } from 'socket.io';
import { describe, expect, it, onTestFinished } from 'vitest';

import { Client } from '../src/protocols/engineio/client/index.node.js';
import { serveEcho } from './engineio-peer.js';

interface NpmSocket {
  on(event: 'message', listener: (data: string | Buffer) => void): void;
  send(data: string | Buffer): void;
  close(): void;
}

interface NpmEngine {
  on(event: 'connection', listener: (socket: NpmSocket) => void): void;
  close(): void;
}

interface Peer {
  readonly url: string;
  readonly path: string;
  closeSessions(): void;
}

async function listen(attach: (port: http.Server) => NpmEngine, path: string): Promise<Peer> {
  const port = http.createServer();
  const engine = attach(port);
  const sockets: NpmSocket[] = [];
  engine.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('message', (data) => {
      const burst = typeof data === 'string' ? /^burst (\d+)$/.exec(data) : null;
      if (burst === null) socket.send(data);
      else for (let i = 0; i < Number(burst[1]); i++) socket.send(`burst ${i}`);
    });
  });
  port.listen(0, '127.0.0.1');
  await once(port, 'listening');
  onTestFinished(() => {
    engine.close();
    port.closeAllConnections();
    port.close();
  });
  return {
    url: `http://127.0.0.1:${(port.address() as AddressInfo).port}`,
    path,
    closeSessions: () => sockets.forEach((socket) => socket.close()),
  };
}

const peers: [string, () => Promise<Peer>][] = [
  [
    'our server',
    async () => {
      const { url, sockets } = await serveEcho({ pingIntervalMs: 200, pingTimeoutMs: 300 });
      return {
        url,
        path: 'engine.io',
        closeSessions: () => sockets.forEach((socket) => socket.close()),
      };
    },
  ],
  [
    'npm engine.io',
    () =>
      listen((port) => {
        const engine = new NpmServer({ pingInterval: 200, pingTimeout: 300 });
        engine.attach(port);
        return engine as unknown as NpmEngine;
      }, 'engine.io'),
  ],
  [
    'the engine of npm socket.io',
    () =>
      listen((port) => {
        const io = new SocketIoServer(port, { pingInterval: 200, pingTimeout: 300 });
        // Its own connections would be taken for those of Socket.IO's protocol.
        const engine = io.engine as unknown as NpmEngine & { removeAllListeners(event: string): void };
        engine.removeAllListeners('connection');
        return engine;
      }, 'socket.io'),
  ],
];

describe.each(peers)('our client against %s', (_, serve) => {
  interface Opened {
    readonly client: Client;
    readonly messages: unknown[];
    readonly trace: string[];
  }

  async function open(peer: Peer, transports?: string[]): Promise<Opened> {
    const client = new Client();
    onTestFinished(() => client.disconnect({ abort: true }));
    const messages: unknown[] = [];
    const trace: string[] = [];
    client.on('message', (data) => void messages.push(data));
    client.on('connect', () => void trace.push('connect'));
    client.on('disconnect', (why) => void trace.push(`disconnect: ${why}`));
    await client.connect(peer.url, {
      engineioPath: peer.path,
      ...(transports === undefined ? {} : { transports }),
    });
    return { client, messages, trace };
  }

  it.each(['polling', 'websocket'])('text, octets and bursts come back over %s', async (transport) => {
    const { client, messages } = await open(await serve(), [transport]);
    await client.send('hello €');
    await client.send(Uint8Array.of(1, 2, 3));
    await client.send(['a', { b: 1 }]);
    await client.send('burst 43');
    for (let i = 0; i < 43; i++) await client.send(`${i}`);
    await expect.poll(() => messages.length).toBe(89);
    expect(messages.slice(0, 4)).toEqual(['hello €', Uint8Array.of(1, 2, 3), '["a",{"b":1}]', 'burst 0']);
    expect(messages.at(-1)).toBe('42');
    expect(client.transport()).toBe(transport);
  });

  it('upgrades, and loses nothing that is sent meanwhile', async () => {
    const peer = await serve();
    const client = new Client();
    onTestFinished(() => client.disconnect({ abort: true }));
    const messages: unknown[] = [];
    client.on('message', (data) => void messages.push(data));
    let sent = 0;
    const more = (): void => void client.send(`m${sent++}`);
    client.on('connect', more);
    const connected = new AbortController();
    const connecting = client.connect(peer.url, { engineioPath: peer.path }).then(() => connected.abort());
    while (!connected.signal.aborted) {
      if (client.state === 'connected') more();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await connecting;
    expect(client.transport()).toBe('websocket');
    more();
    await expect.poll(() => messages.length).toBe(sent);
    expect(messages).toEqual(Array.from({ length: sent }, (__, i) => `m${i}`));
  });

  it.each(['polling', 'websocket'])('stays through heartbeats over %s', async (transport) => {
    const { client, trace } = await open(await serve(), [transport]);
    const startMs = performance.now();
    // Three times as long as the server waits for a client that is gone.
    await expect.poll(() => performance.now() - startMs > 1500, { timeout: 5000 }).toBe(true);
    expect(trace).toEqual(['connect']);
    expect(client.state).toBe('connected');
  });

  it.each(['polling', 'websocket'])('hears once of the end it made, over %s', async (transport) => {
    const { client, trace } = await open(await serve(), [transport]);
    await client.disconnect();
    await client.wait();
    await client.disconnect();
    expect(trace).toEqual(['connect', 'disconnect: client disconnect']);
    expect(client.sid).toBeNull();
  });

  it.each(['polling', 'websocket'])('hears once of the end the server made, over %s', async (transport) => {
    const peer = await serve();
    const { client, trace } = await open(peer, [transport]);
    peer.closeSessions();
    await client.wait();
    expect(trace).toHaveLength(2);
    expect(trace[1]).toMatch(/^disconnect: (server disconnect|transport error)$/);
    await client.connect(peer.url, { engineioPath: peer.path, transports: [transport] });
    expect(trace).toHaveLength(3);
  });
});
