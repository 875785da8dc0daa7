import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

import { Client } from '../../client/index.node.js';
import { attach, listen, Server, type ServerOptions, type Socket } from '../index.js';

async function serve(
  options: ServerOptions = {},
  before: (server: http.Server) => void = () => {},
): Promise<{ url: string; engine: Server }> {
  const server = http.createServer();
  before(server);
  const engine = attach(server, options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    engine.close();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, engine };
}

async function connect(url: string, transports = 'polling,websocket'): Promise<Client> {
  const client = new Client({ logger: { info() {}, error() {} } });
  onTestFinished(() => client.disconnect({ abort: true }));
  await client.connect(url, { transports: transports.split(',') });
  return client;
}

const poll = (url: string, query = '', init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/engine.io/?EIO=4&transport=polling${query}`, init);

describe('the server in npm engine.io’s shape', () => {
  it('tells of sockets, messages, upgrades and ends with its events', async () => {
    const { url, engine } = await serve();
    const trace: string[] = [];
    engine.on('connection', (socket: Socket) => {
      trace.push(`connection ${socket.transport.name} ${socket.readyState} ${socket.protocol}`);
      for (const event of ['data', 'message', 'upgrading', 'upgrade', 'heartbeat', 'close']) {
        socket.on(event, (data: unknown) => {
          trace.push(`${event} ${typeof data === 'string' ? data : ''}`.trim());
        });
      }
    });
    const client = await connect(url);
    await client.send('hi');
    await expect.poll(() => trace).toContain('message hi');
    expect(engine.clientsCount).toBe(1);
    const [socket] = Object.values(engine.clients);
    expect([socket!.id, socket!.upgraded, socket!.transport.name]).toEqual([client.sid, true, 'websocket']);
    expect(socket!.request.url).toContain('EIO=4');
    await client.disconnect();
    await expect.poll(() => trace.at(-1)).toBe('close transport close');
    expect(trace).toEqual([
      'connection polling open 4',
      'upgrading',
      'upgrade',
      'data hi',
      'message hi',
      'close transport close',
    ]);
    expect(engine.clientsCount).toBe(0);
  });

  it.each(['polling', 'websocket'])(
    'sends, calls back, and tells of flush and drain over %s',
    async (transport) => {
      const { url, engine } = await serve();
      const trace: string[] = [];
      engine.on('connection', (socket: Socket) => {
        socket.on('packetCreate', ({ data }: { data: string }) => void trace.push(`create ${data}`));
        socket.on('flush', (packets: unknown[]) => void trace.push(`flush ${packets.length}`));
        socket.on('drain', () => void trace.push('drain'));
        socket.on('message', () => {
          socket.send('a').write('b', {}, () => void trace.push('called back'));
        });
      });
      const client = await connect(url, transport);
      const got: unknown[] = [];
      client.on('message', (data) => void got.push(data));
      trace.length = 0;
      await client.send('go');
      await expect.poll(() => got).toEqual(['a', 'b']);
      expect(trace).toEqual(['create a', 'create b', 'flush 2', 'called back', 'drain']);
    },
  );

  it('refuses with allowRequest’s words, and says so in connection_error', async () => {
    const { url, engine } = await serve({ allowRequest: (_, callback) => callback('go away', false) });
    const errors: unknown[] = [];
    engine.on('connection_error', ({ code, message, context }) => void errors.push([code, message, context]));
    const response = await poll(url);
    expect([response.status, await response.json()]).toEqual([403, { code: 4, message: 'go away' }]);
    expect(errors).toEqual([[4, 'go away', { message: 'go away' }]]);
  });

  it('names sessions as generateId says, and answers its failure with code 3', async () => {
    const { url, engine } = await serve();
    engine.generateId = () => 'mine';
    const client = await connect(url);
    expect(client.sid).toBe('mine');
    const failing = [
      () => Promise.reject(new Error('no')),
      () => {
        throw new Error('no');
      },
    ];
    for (const generateId of failing) {
      engine.generateId = generateId;
      expect(await (await poll(url)).json()).toMatchObject({ code: 3 });
    }
  });

  it('lets listeners add headers, sets its cookie, and answers preflights', async () => {
    const { url, engine } = await serve({
      cookie: true,
      cors: { origin: ['http://a.test'], credentials: true },
    });
    engine.on('initial_headers', (headers: Record<string, string>) => (headers['x-first'] = '1'));
    engine.on('headers', (headers: Record<string, string>) => (headers['x-each'] = '1'));
    const open = await poll(url, '', { headers: { origin: 'http://a.test' } });
    const { sid } = JSON.parse((await open.text()).slice(1)) as { sid: string };
    expect(open.headers.get('set-cookie')).toBe(`io=${sid}; Path=/; HttpOnly; SameSite=Lax`);
    expect([open.headers.get('x-first'), open.headers.get('x-each')]).toEqual(['1', '1']);
    expect(open.headers.get('access-control-allow-origin')).toBe('http://a.test');
    const posted = await poll(url, `&sid=${sid}`, { method: 'POST', body: '4x' });
    expect([posted.headers.get('x-first'), posted.headers.get('x-each')]).toEqual([null, '1']);
    expect(posted.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await poll(url, '', {
      method: 'OPTIONS',
      headers: { origin: 'http://a.test', 'access-control-request-headers': 'x-own' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([204, 'x-own']);
    expect(engine.clientsCount).toBe(1);
  });

  it('runs middlewares before requests and handshakes', async () => {
    const { url, engine } = await serve();
    const seen: string[] = [];
    engine.use((request, response, next) => {
      seen.push(String(request.headers.upgrade));
      response.setHeader('x-mine', '1');
      next(request.url?.includes('bad') === true ? new Error('bad') : undefined);
    });
    const response = await poll(url);
    expect([response.status, response.headers.get('x-mine')]).toEqual([200, '1']);
    expect(await (await poll(url, '&bad=1')).json()).toMatchObject({ code: 3 });
    await connect(url, 'websocket');
    expect(seen).toEqual(['undefined', 'undefined', 'websocket']);
  });

  it('keeps what waits readable in close listeners, and discards it on demand', async () => {
    const { url, engine } = await serve();
    let left: unknown;
    engine.on('connection', (socket: Socket) => {
      socket.on('message', () => {
        socket.send('never fetched');
        socket.on('close', () => (left = socket.writeBuffer.map(({ data }) => data)));
      });
    });
    const { sid } = JSON.parse((await (await poll(url)).text()).slice(1)) as { sid: string };
    await poll(url, `&sid=${sid}`, { method: 'POST', body: '4x' });
    await poll(url, `&sid=${sid}`, { method: 'POST', body: '1' });
    expect(left).toEqual(['never fetched']);
    const second = JSON.parse((await (await poll(url)).text()).slice(1)) as { sid: string };
    const socket = engine.clients[second.sid]!;
    socket.send('dropped');
    socket.close(true);
    expect(await (await poll(url, `&sid=${second.sid}`)).text()).toBe('1');
  });

  it('leaves other paths to whoever had them, and has 501 for them on a port of its own', async () => {
    const { url } = await serve({}, (server) => void server.on('request', (_, out) => out.end('app')));
    expect(await (await fetch(`${url}/other`)).text()).toBe('app');
    expect((await poll(url)).status).toBe(200);
    const engine = listen(0, { path: '/mine' });
    await once(engine.httpServer, 'listening');
    onTestFinished(() => void engine.httpServer.close());
    const { port } = engine.httpServer.address() as AddressInfo;
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(501);
    const open = await fetch(`http://127.0.0.1:${port}/mine?EIO=4&transport=polling`);
    expect(open.status).toBe(200);
  });

  it('sends initialPacket first, and compresses when told to', async () => {
    const { url } = await serve({ initialPacket: 'x'.repeat(2000), httpCompression: { threshold: 100 } });
    const response = await poll(url);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect((await response.text()).split('\u001e')[1]).toBe(`4${'x'.repeat(2000)}`);
    expect(() => new Server({ perMessageDeflate: {} as never })).toThrow('perMessageDeflate');
  });

  it('offers the transports and upgrades that it is told to', async () => {
    const { url } = await serve({ transports: ['polling'] });
    expect((await connect(url)).transport()).toBe('polling');
    await expect(connect(url, 'websocket')).rejects.toThrow();
    const { url: second, engine } = await serve({ allowUpgrades: false });
    const client = await connect(second);
    expect([client.transport(), client.upgrades, engine.upgrades('polling')]).toEqual(['polling', [], []]);
    expect((await connect(second, 'websocket')).transport()).toBe('websocket');
  });

  it('takes its limits by npm’s names', async () => {
    const { url, engine } = await serve({
      pingInterval: 1234,
      pingTimeout: 567,
      maxHttpBufferSize: 100,
      upgradeTimeout: 50,
    });
    const text = await (await poll(url)).text();
    const open = JSON.parse(text.slice(1)) as { sid: string };
    expect(open).toMatchObject({ pingInterval: 1234, pingTimeout: 567, maxPayload: 100 });
    const tooLarge = await poll(url, `&sid=${open.sid}`, { method: 'POST', body: `4${'x'.repeat(100)}` });
    expect(tooLarge.status).toBe(413);
    const socket = new WebSocket(
      `${url.replace('http', 'ws')}/engine.io/?EIO=4&transport=websocket&sid=${open.sid}`,
    );
    await once(socket, 'close');
    expect([engine.clients[open.sid]!.readyState, engine.opts.upgradeTimeout]).toEqual(['open', 50]);
  });

  it.each(['polling', 'websocket'])('tells of packets and heartbeats over %s', async (transport) => {
    const { url, engine } = await serve({ pingInterval: 50, pingTimeout: 5000 });
    const packets: unknown[] = [];
    let beats = 0;
    engine.on('connection', (socket: Socket) => {
      socket.on('packet', (packet: unknown) => void packets.push(packet));
      socket.on('heartbeat', () => beats++);
    });
    const client = await connect(url, transport);
    await client.send('hi');
    await expect.poll(() => beats).toBeGreaterThan(1);
    expect(packets).toContainEqual({ type: 'message', data: 'hi' });
    expect(packets).toContainEqual({ type: 'pong' });
  });

  it('tells of flush and drain on the server, too, and has the address of each client', async () => {
    const { url, engine } = await serve();
    const trace: unknown[] = [];
    engine.on(
      'flush',
      (socket: Socket, packets: unknown[]) => void trace.push(['flush', socket.id, packets.length]),
    );
    engine.on('drain', (socket: Socket) => void trace.push(['drain', socket.id]));
    const client = await connect(url, 'websocket');
    const socket = engine.clients[client.sid!]!;
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.on('flush', () => {});
    socket.send('x');
    await expect
      .poll(() => trace)
      .toEqual([
        ['flush', client.sid, 1],
        ['drain', client.sid],
      ]);
    await client.disconnect();
    await expect.poll(() => engine.clientsCount).toBe(0);
    expect(socket.remoteAddress).toBe('127.0.0.1');
  });

  it('handles requests and upgrades that are handed to it, and ends all clients when it closes', async () => {
    const engine = new Server();
    const port = http.createServer((request, response) => engine.handleRequest(request, response));
    port.on('upgrade', (request, socket, head) => engine.handleUpgrade(request, socket, head));
    port.listen(0, '127.0.0.1');
    await once(port, 'listening');
    onTestFinished(() => {
      port.closeAllConnections();
      port.close();
    });
    const reasons: string[] = [];
    engine.on('connection', (socket: Socket) =>
      socket.on('close', (reason: string) => void reasons.push(reason)),
    );
    const url = `http://127.0.0.1:${(port.address() as AddressInfo).port}`;
    const clients = [await connect(url, 'polling'), await connect(url, 'websocket')];
    expect(engine.close()).toBe(engine);
    for (const client of clients) await client.wait();
    expect(reasons).toEqual(['forced close', 'forced close']);
  });

  it('ends upgrades at other paths that nobody answers, unless told not to', async () => {
    const ask = async (options: object): Promise<WebSocket> => {
      const server = http.createServer();
      const engine = attach(server, { destroyUpgradeTimeout: 20, ...options });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/other`);
      socket.on('error', () => {});
      onTestFinished(() => {
        socket.terminate();
        engine.close();
        server.closeAllConnections();
        server.close();
      });
      return socket;
    };
    const kept = await ask({ destroyUpgrade: false });
    const ended = await ask({});
    await new Promise((resolve) => void ended.on('close', resolve));
    expect(kept.readyState).toBe(WebSocket.CONNECTING);
  });
});
