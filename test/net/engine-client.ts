import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { expect, onTestFinished } from 'vitest';

import { Listener, type ListenerOptions } from '../../src/net/listener.js';
import {
  Client,
  type ClientOptions,
  ConnectionError,
} from '../../src/protocols/engineio/client/index.node.js';
import type { Engine } from '../../src/protocols/engineio/server/engine.js';
import type { EngineOptions } from '../../src/protocols/engineio/server/options.js';
import { mountEngine } from './mount-engine.js';

/* Servers for clients of Engine.IO, and clients that are gone when the test ends. */

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = { status?: number; body?: string; headers?: Record<string, string> } | 'hang' | 'cut';

export const OPEN = (more: object = {}): string =>
  `0${JSON.stringify({ sid: 's1', upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, ...more })}`;

/** A server that says what the test wants; WebSocket handshakes are left hanging. */
export async function serveScript(
  answer: (seen: Seen, count: number) => Answer,
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const entry = { method, url, headers, body: Buffer.concat(chunks).toString() };
      seen.push(entry);
      const reply = answer(entry, seen.length);
      if (reply === 'cut') request.socket.destroy();
      else if (reply !== 'hang')
        response.writeHead(reply.status ?? 200, reply.headers ?? {}).end(reply.body ?? '');
    });
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('upgrade', (request: IncomingMessage) => {
    seen.push({ method: 'UPGRADE', url: request.url ?? '', headers: request.headers, body: '' });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

export async function serveEcho(
  options: EngineOptions = {},
  listenerOptions: ListenerOptions = {},
): Promise<{ url: string; engine: Engine; received: unknown[] }> {
  const listener = await Listener.listen(listenerOptions);
  const received: unknown[] = [];
  const engine = mountEngine(
    listener,
    options,
    {
      open: (session) => ({
        onMessage(data) {
          const kept = typeof data === 'string' ? data : Buffer.from(data);
          received.push(kept);
          session.send(kept);
        },
        onClose() {},
      }),
    },
    () => {},
  );
  onTestFinished(async () => {
    engine.close();
    await listener.close({ drainMs: 0 });
  });
  return { url: listener.url, engine, received };
}

export function makeClient(options: ClientOptions = {}): Client {
  const client = new Client({ logger: { info() {}, error() {} }, ...options });
  onTestFinished(() => client.disconnect({ abort: true }));
  return client;
}

export async function errorOf(action: Promise<unknown>): Promise<ConnectionError> {
  const error = await action.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(ConnectionError);
  return error as ConnectionError;
}
