import { once } from 'node:events';

import { Socket, type SocketOptions } from 'engine.io-client';
import legacy from 'engine.io-client-v3';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ManualClock } from '../src/base/clock.js';
import { serveEcho, transportsOf } from './engineio-peer.js';

/** What both versions of the npm client have. */
interface NpmSocket {
  readonly transport: { readonly name: string };
  binaryType: string;
  on(event: string, listener: (data: never) => void): unknown;
  once(event: string, listener: () => void): unknown;
  send(data: unknown): unknown;
  close(): unknown;
}

const clients: [string, (url: string, options: object) => NpmSocket, object][] = [
  ['engine.io-client 6', (url, options) => new Socket(url, options as SocketOptions) as NpmSocket, {}],
  ['engine.io-client 3', (url, options) => legacy(url, options) as NpmSocket, { allowEio3: true }],
];

describe.each(clients)('npm %s against our server', (_, connect, serverOptions) => {
  async function open(url: string, options: object): Promise<{ socket: NpmSocket; messages: unknown[] }> {
    const socket = connect(url, options);
    onTestFinished(() => void socket.close());
    socket.binaryType = 'nodebuffer';
    const messages: unknown[] = [];
    socket.on('message', (data) => void messages.push(data));
    await once(socket as never, 'open');
    return { socket, messages };
  }

  it.each(['polling', 'websocket'])('text, octets and bursts come back over %s', async (transport) => {
    const { url, errors } = await serveEcho(serverOptions);
    const { socket, messages } = await open(url, { transports: [transport] });
    socket.send('hello €');
    socket.send(Buffer.of(1, 2, 3));
    socket.send('burst 43');
    await expect.poll(() => messages.length).toBe(45);
    expect(messages.slice(0, 3)).toEqual(['hello €', Buffer.of(1, 2, 3), 'burst 0']);
    expect(messages.at(-1)).toBe('burst 42');
    expect(socket.transport.name).toBe(transport);
    expect(errors).toEqual([]);
  });

  it('upgrades while messages are under way and loses none', async () => {
    const { url, trace, sockets } = await serveEcho(serverOptions);
    const { socket, messages } = await open(url, {});
    const expected: string[] = [];
    const upgraded = new AbortController();
    socket.once('upgrade', () => upgraded.abort());
    for (let i = 0; !upgraded.signal.aborted || i < 20; i++) {
      socket.send(`m${i}`);
      expected.push(`m${i}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => messages.length).toBe(expected.length);
    expect(messages).toEqual(expected);
    expect(socket.transport.name).toBe('websocket');
    expect(transportsOf(sockets)).toEqual(['websocket']);
    expect(trace).toEqual(['+ polling']);
  });

  it('upgrades without waiting for a tick of the server, whose clock stands still', async () => {
    const { url, sockets } = await serveEcho(serverOptions, new ManualClock());
    const { socket } = await open(url, {});
    // npm engine.io lets the GET that waits go after 100 ms.
    await once(socket as never, 'upgrade');
    await expect.poll(() => transportsOf(sockets)).toEqual(['websocket']);
  });

  it.each(['polling', 'websocket'])('both sides hear of the end, over %s', async (transport) => {
    const { url, trace, sockets } = await serveEcho(serverOptions);
    const first = await open(url, { transports: [transport] });
    first.socket.close();
    await expect.poll(() => trace).toEqual([`+ ${transport}`, '- transport close']);
    const second = await open(url, { transports: [transport] });
    const closed = once(second.socket as never, 'close');
    for (const one of sockets) one.close();
    await closed;
    await expect.poll(() => trace.slice(2)).toEqual([`+ ${transport}`, '- forced close']);
    expect(sockets.size).toBe(0);
  });

  it('stays through heartbeats', async () => {
    const { url, trace, sockets } = await serveEcho({
      ...serverOptions,
      pingIntervalMs: 100,
      pingTimeoutMs: 300,
    });
    const { socket } = await open(url, {});
    let beats = 0;
    socket.on('pong', () => beats++);
    socket.on('ping', () => beats++);
    await expect.poll(() => beats).toBeGreaterThan(4);
    expect(transportsOf(sockets)).toEqual(['websocket']);
    expect(trace).toEqual(['+ polling']);
  });
});
