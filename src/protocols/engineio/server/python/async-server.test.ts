import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { AsyncClient } from '../../client/index.node.js';
import { AsyncServer, type AsyncServerOptions, type Environ } from '../index.js';

async function serve(
  options: AsyncServerOptions = {},
): Promise<{ url: string; eio: AsyncServer; log: string[] }> {
  const log: string[] = [];
  const logger = {
    info() {},
    error: (text: string) => void log.push(text),
    warning: (text: string) => void log.push(text),
  };
  const eio = new AsyncServer({ logger, ...options });
  const server = http.createServer((_, out) => void out.writeHead(404).end());
  eio.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    await eio.shutdown();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, eio, log };
}

async function connect(url: string, transports = 'polling,websocket'): Promise<AsyncClient> {
  const client = new AsyncClient({ handle_sigint: false, logger: { info() {}, error() {} } });
  onTestFinished(() => client.disconnect({ abort: true }));
  await client.connect(url, { transports: transports.split(','), headers: { 'x-user': 'ada' } });
  return client;
}

describe('AsyncServer', () => {
  it('has connect, message and disconnect, sessions, transports and environs', async () => {
    const { url, eio, log } = await serve();
    const trace: unknown[] = [];
    eio.on('connect', async (sid, environ: Environ) => {
      trace.push([
        environ['REQUEST_METHOD'],
        environ['PATH_INFO'],
        environ['HTTP_X_USER'],
        typeof environ.request,
      ]);
      await eio.saveSession(sid, { count: 0 });
      await eio.send(sid, 'welcome');
    });
    eio.on('message')((async (sid: string, data: unknown) => {
      const count = await eio.session(sid, (session) => ++(session['count'] as number));
      await eio.send(sid, { count, data });
    }) as never);
    eio.on('disconnect', (_, reason) => void trace.push(reason));
    const client = await connect(url);
    const got: unknown[] = [];
    client.on('message', (data) => void got.push(data));
    await client.send({ a: 1 });
    await client.send('12');
    await expect.poll(() => got.length).toBe(2);
    expect(got).toEqual([
      { count: 1, data: { a: 1 } },
      { count: 2, data: '12' },
    ]);
    expect(eio.transport(client.sid!)).toBe('websocket');
    await eio.disconnect();
    await client.wait();
    await eio.send('nobody', 'x');
    expect(trace).toEqual([['GET', '/engine.io/', 'ada', 'object'], 'server disconnect']);
    expect(log).toEqual(['cannot send to unknown client nobody']);
    await expect(eio.getSession('nobody')).rejects.toThrow('no session');
  });

  it('delivers what connect sent behind the handshake', async () => {
    const { url, eio } = await serve();
    eio.on('connect', (sid) => eio.send(sid, 'first'));
    const open = await fetch(`${url}/engine.io/?EIO=4&transport=polling`);
    expect((await open.text()).split('\u001e')[1]).toBe('4first');
  });

  it.each([
    [false, '"Unauthorized"'],
    [{ why: 'no' }, '{"why":"no"}'],
    ['no', '"no"'],
  ])('refuses with 401 when connect returns %j', async (verdict, body) => {
    const { url, eio } = await serve();
    eio.on('connect', () => verdict);
    const response = await fetch(`${url}/engine.io/?EIO=4&transport=polling`);
    expect([response.status, await response.text()]).toEqual([401, body]);
    await expect(connect(url, 'websocket')).rejects.toThrow();
  });

  it('refuses with 401 when connect throws', async () => {
    const { url, eio, log } = await serve();
    eio.on('connect', () => Promise.reject(new Error('broken')));
    expect((await fetch(`${url}/engine.io/?EIO=4&transport=polling`)).status).toBe(401);
    expect(log).toEqual(['the handler of connect failed']);
  });

  it.each<[AsyncServerOptions['corsAllowedOrigins'], string, number]>([
    [undefined, 'http://elsewhere.test', 400],
    [undefined, 'same', 200],
    ['*', 'http://elsewhere.test', 200],
    ['http://a.test', 'http://b.test', 400],
    [['http://a.test'], 'http://a.test', 200],
    [(origin: string) => origin.endsWith('.test'), 'http://b.test', 200],
    [[], 'http://b.test', 200],
  ])('with the origins %j answers %s with %i', async (corsAllowedOrigins, origin, status) => {
    const { url } = await serve(corsAllowedOrigins === undefined ? {} : { corsAllowedOrigins });
    const headers = { origin: origin === 'same' ? url : origin };
    const response = await fetch(`${url}/engine.io/?EIO=4&transport=polling`, { headers });
    expect(response.status).toBe(status);
    const isNamed = status === 200 && !(Array.isArray(corsAllowedOrigins) && corsAllowedOrigins.length === 0);
    expect(response.headers.get('access-control-allow-origin')).toBe(isNamed ? headers.origin : null);
  });

  it('has its times in seconds and its cookie by name', async () => {
    const { url } = await serve({
      ping_interval: 1.5,
      pingTimeout: 0.5,
      max_http_buffer_size: 1234,
      cookie: 'sid',
    });
    const response = await fetch(`${url}/engine.io/?EIO=4&transport=polling`);
    const open = JSON.parse((await response.text()).slice(1)) as { sid: string };
    expect(open).toMatchObject({ pingInterval: 1500, pingTimeout: 500, maxPayload: 1234 });
    expect(response.headers.get('set-cookie')).toBe(`sid=${open.sid}; Path=/; SameSite=Lax`);
  });
});
