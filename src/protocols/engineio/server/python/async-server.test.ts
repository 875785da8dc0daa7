import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

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

  const openPacket = async (
    url: string,
  ): Promise<{ open: Record<string, unknown>; cookie: string | null }> => {
    const response = await fetch(`${url}/engine.io/?EIO=4&transport=polling`);
    const open = JSON.parse((await response.text()).slice(1)) as Record<string, unknown>;
    return { open, cookie: response.headers.get('set-cookie') };
  };

  it('has its times in seconds and its cookie by name', async () => {
    const { url } = await serve({
      ping_interval: 1.5,
      pingTimeout: 0.5,
      max_http_buffer_size: 1234,
      cookie: 'sid',
    });
    const { open, cookie } = await openPacket(url);
    expect(open).toMatchObject({ pingInterval: 1500, pingTimeout: 500, maxPayload: 1234 });
    expect(cookie).toBe(`sid=${String(open['sid'])}; path=/; SameSite=Lax`);
  });

  it('without options announces 25 and 20 seconds, both transports, and no cookie', async () => {
    const { open, cookie } = await openPacket((await serve()).url);
    expect(open).toEqual({
      sid: expect.stringMatching(/^[\w-]{20}$/) as unknown,
      upgrades: ['websocket'],
      pingInterval: 25_000,
      pingTimeout: 20_000,
      maxPayload: 1_000_000,
    });
    expect(cookie).toBeNull();
  });

  it('with a pair as ping_interval announces the sum, and pings after the first', async () => {
    const { url } = await serve({ ping_interval: [0.05, 60], ping_timeout: 60 });
    const { open } = await openPacket(url);
    expect(open['pingInterval']).toBe(60_050);
    const polled = await fetch(`${url}/engine.io/?EIO=4&transport=polling&sid=${String(open['sid'])}`);
    expect(await polled.text()).toBe('2');
  });

  it('has cookies with any attributes, made at each handshake', async () => {
    let count = 0;
    const cookie = {
      name: 'io',
      SameSite: 'Strict',
      Secure: true,
      HttpOnly: false,
      'Max-Age': () => `${++count}`,
    };
    const { url } = await serve({ cookie });
    await openPacket(url);
    const second = await openPacket(url);
    expect(second.cookie).toBe(
      `io=${String(second.open['sid'])}; path=/; SameSite=Strict; Secure; Max-Age=2`,
    );
    const bad = await serve({ cookie: { name: 'io', path: '/; Domain=x' } });
    expect((await fetch(`${bad.url}/engine.io/?EIO=4&transport=polling`)).status).toBe(500);
  });

  it.each([
    ['allow_upgrades', { allow_upgrades: false }, { upgrades: [] }],
    ['transports', { transports: 'polling' as const }, { upgrades: [] }],
    [
      'unknown ones',
      { async_mode: 'aiohttp', monitor_clients: false, nonsense: 1 },
      { upgrades: ['websocket'] },
    ],
  ])('takes the option %s', async (_, options, expected) => {
    expect((await openPacket((await serve(options)).url)).open).toMatchObject(expected);
  });

  it('compresses answers above the threshold when told to', async () => {
    const { url, eio } = await serve({ http_compression: true, compression_threshold: 500 });
    eio.on('connect', (sid) => eio.send(sid, 'x'.repeat(500)));
    const response = await fetch(`${url}/engine.io/?EIO=4&transport=polling`);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.text()).toContain('4xxxx');
  });

  it('asks cors_allowed_origins with the environ, and sends credentials unless told otherwise', async () => {
    const seen: unknown[] = [];
    const policy = (origin: string, environ: Environ): boolean =>
      seen.push([origin, environ['QUERY_STRING']]) > 0;
    const { url } = await serve({ cors_allowed_origins: policy, cors_credentials: false });
    const ask = (at: string) =>
      fetch(`${at}/engine.io/?EIO=4&transport=polling`, { headers: { origin: 'http://a.test' } });
    expect((await ask(url)).headers.get('access-control-allow-credentials')).toBeNull();
    expect(seen[0]).toEqual(['http://a.test', 'EIO=4&transport=polling']);
    const open = await serve({ cors_allowed_origins: '*' });
    expect((await ask(open.url)).headers.get('access-control-allow-credentials')).toBe('true');
  });

  it.each([
    [true, ['start 1', 'start 2', 'end 1', 'end 2']],
    [false, ['start 1', 'end 1', 'start 2', 'end 2']],
  ])('with async_handlers %s runs the handlers of a client like this', async (async_handlers, expected) => {
    const { url, eio } = await serve({ async_handlers });
    const trace: string[] = [];
    eio.on('message', async (_sid, data: string) => {
      trace.push(`start ${data}`);
      await new Promise((resolve) => setImmediate(resolve));
      trace.push(`end ${data}`);
    });
    eio.on('disconnect', (_sid, reason) => void trace.push(reason));
    const { open } = await openPacket(url);
    const body = ['41', '42', '1'].join('\u001e');
    await fetch(`${url}/engine.io/?EIO=4&transport=polling&sid=${String(open['sid'])}`, {
      method: 'POST',
      body,
    });
    await expect.poll(() => trace.filter((line) => line.startsWith('end'))).toHaveLength(2);
    expect(trace.filter((line) => line !== 'client disconnect')).toEqual(expected);
    expect(trace.at(async_handlers ? 2 : -1)).toBe('client disconnect');
  });

  it('says whether a client has left or was lost', async () => {
    const { url, eio } = await serve();
    const reasons: string[] = [];
    eio.on('disconnect', (_sid, reason) => void reasons.push(reason));
    const leaving = await connect(url, 'websocket');
    await leaving.disconnect();
    await expect.poll(() => reasons).toEqual([eio.reason.CLIENT_DISCONNECT]);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/engine.io/?EIO=4&transport=websocket`);
    await once(socket, 'message');
    socket.terminate();
    await expect.poll(() => reasons[1]).toBe(eio.reason.TRANSPORT_CLOSE);
  });

  it('names clients as generate_id says, in either spelling', async () => {
    const { url, eio } = await serve();
    eio.generateId = () => 'camel';
    expect((await openPacket(url)).open['sid']).toBe('camel');
    eio.generate_id = () => 'snake';
    expect((await openPacket(url)).open['sid']).toBe('snake');
  });

  it('has the Python names', async () => {
    const { url, eio } = await serve();
    const client = await connect(url, 'websocket');
    const got: unknown[] = [];
    client.on('message', (data) => void got.push(data));
    const sid = client.sid!;
    await eio.save_session(sid, { name: 'ada' });
    expect(await eio.get_session(sid)).toEqual({ name: 'ada' });
    await eio.send_packet(sid, { type: 4, data: 'packet' });
    await expect.poll(() => got).toEqual(['packet']);
    const queue = eio.create_queue<number>();
    expect(() => queue.getNowait()).toThrow(eio.get_queue_empty_exception());
    expect(eio.create_event().isSet()).toBe(false);
    expect(await eio.start_background_task((n: number) => n + 1, 1)).toBe(2);
    await eio.sleep();
    expect(() => eio.transport('nobody')).toThrow('no session');
    expect(() => eio.on('nonsense' as 'message')).toThrow('Invalid event');
  });
});
