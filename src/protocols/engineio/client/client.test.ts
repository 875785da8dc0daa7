import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { selfSigned } from '../../../../test/net/self-signed.js';
import { Listener, type ListenerOptions } from '../../../net/listener.js';
import type { Engine } from '../server/engine.js';
import { mountEngine } from '../server/mount.js';
import type { EngineOptions } from '../server/options.js';
import {
  AsyncClient,
  Client,
  type ClientOptions,
  ConnectionError,
  QueueEmpty,
  reason,
} from './index.node.js';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answer = { status?: number; body?: string; headers?: Record<string, string> } | 'hang' | 'cut';

const OPEN = (more: object = {}): string =>
  `0${JSON.stringify({ sid: 's1', upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, ...more })}`;

/** A server that says what the test wants; WebSocket handshakes are left hanging. */
async function serveScript(
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

async function serveEngine(
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

function makeClient(options: ClientOptions = {}): Client {
  const client = new Client({ logger: { info() {}, error() {} }, ...options });
  onTestFinished(() => client.disconnect({ abort: true }));
  return client;
}

async function errorOf(action: Promise<unknown>): Promise<ConnectionError> {
  const error = await action.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(ConnectionError);
  return error as ConnectionError;
}

describe('connect', () => {
  it('takes host and query of the address, adds its own, and stamps GETs', async () => {
    const { url, seen } = await serveScript(({ method }, count) =>
      count === 1 ? { body: OPEN() } : method === 'GET' ? 'hang' : {},
    );
    const client = makeClient();
    await client.connect(`${url}/ignored/path?room=7&x=%20`, {
      engineioPath: '/my/eio/',
      transports: 'polling',
    });
    expect(seen[0]!.url).toMatch(/^\/my\/eio\/\?room=7&x=%20&transport=polling&EIO=4&t=\d+(\.\d+)?$/);
    await client.send('x');
    await expect.poll(() => seen.find(({ method }) => method === 'POST')?.url).toMatch(/&sid=s1$/);
    const plain = makeClient({ timestampRequests: false });
    const other = await serveScript((__, count) => (count === 1 ? { body: OPEN() } : 'hang'));
    await plain.connect(other.url);
    expect(other.seen[0]!.url).toBe('/engine.io/?transport=polling&EIO=4');
  });

  it('sends the caller’s headers with every request of the session, and leaves the caller’s objects alone', async () => {
    const { url, seen } = await serveScript(({ method }, count) => {
      if (count === 1)
        return { body: OPEN({ upgrades: ['websocket'] }), headers: { 'set-cookie': 'io=abc; Path=/' } };
      return method === 'GET' ? 'hang' : { body: 'ok' };
    });
    const headers = Object.freeze({ authorization: 'Bearer t', Cookie: 'own=1' });
    const websocketExtraOptions = Object.freeze({ headers: Object.freeze({ 'x-extra': 'yes' }) });
    const client = makeClient({ requestTimeoutMs: 300, websocketExtraOptions });
    client.on('connect', () => client.send('x'));
    await client.connect(url, { headers });
    await expect
      .poll(() => new Set(seen.map(({ method }) => method)))
      .toEqual(new Set(['GET', 'POST', 'UPGRADE']));
    for (const { headers: got } of seen) expect(got.authorization).toBe('Bearer t');
    for (const { headers: got } of seen.slice(1)) expect(got.cookie).toBe('own=1; io=abc');
    expect(seen.find(({ method }) => method === 'UPGRADE')!.headers['x-extra']).toBe('yes');
  });

  it('throws ConnectionError with the server’s reason when it refuses', async () => {
    const { url } = await serveScript(() => ({ status: 403, body: '{"code":4,"message":"no"}' }));
    const error = await errorOf(makeClient().connect(url));
    expect(error.message).toBe('Unexpected status code 403 in server response');
    expect(error.body).toEqual({ code: 4, message: 'no' });
    const plain = await serveScript(() => ({ status: 404, body: 'nothing' }));
    expect((await errorOf(makeClient().connect(plain.url))).body).toBeUndefined();
  });

  it.each([
    ['garbage', 'Unexpected response from server'],
    ['4hello', 'OPEN packet not returned by server'],
    ['0nonsense', 'Unexpected response from server'],
  ])('throws ConnectionError for the handshake %j', async (body, message) => {
    const { url } = await serveScript(() => ({ body }));
    expect((await errorOf(makeClient().connect(url))).message).toBe(message);
  });

  it.each(['polling', 'websocket'])(
    'gives up on a handshake over %s that takes too long',
    async (transport) => {
      const { url } = await serveScript(() => 'hang');
      const client = makeClient({ requestTimeoutMs: 100 });
      await errorOf(client.connect(url, { transports: [transport] }));
      expect(client.state).toBe('disconnected');
      await client.wait();
    },
  );

  it('cannot be reached: ConnectionError over both transports', async () => {
    await errorOf(makeClient().connect('http://127.0.0.1:9', { transports: ['polling'] }));
    await errorOf(makeClient().connect('ws://127.0.0.1:9', { transports: ['websocket'] }));
  });

  it('refuses what is no address, no transport, or a second call', async () => {
    const { url } = await serveEngine();
    const client = makeClient();
    await expect(client.connect('ftp://x')).rejects.toThrow(TypeError);
    await expect(client.connect(url, { transports: ['pigeon'] })).rejects.toThrow('no valid transport');
    await client.connect(url, { transports: ['pigeon', 'polling'] });
    await expect(client.connect(url)).rejects.toThrow('not in a disconnected state');
    expect(client.state).toBe('connected');
  });

  it('goes on polling when the upgrade’s handshake hangs', async () => {
    const { url, seen } = await serveScript(({ method }, count) => {
      if (count === 1) return { body: OPEN({ upgrades: ['websocket'] }) };
      return method === 'GET' ? 'hang' : { body: 'OK' };
    });
    const client = makeClient({ requestTimeoutMs: 100 });
    await client.connect(url);
    expect(client.transport()).toBe('polling');
    await client.send('still here');
    await expect.poll(() => seen.some(({ body }) => body === '4still here')).toBe(true);
  });

  it('processes what comes in the same payload as the handshake, behind connect', async () => {
    const { url } = await serveScript((_, count) =>
      count === 1 ? { body: `${OPEN()}\u001e4first` } : 'hang',
    );
    const trace: unknown[] = [];
    const client = makeClient();
    client.on('connect', () => void trace.push('connect'));
    client.on('message', (data) => void trace.push(data));
    await client.connect(url);
    expect(trace).toEqual(['connect', 'first']);
  });
});

describe('send', () => {
  it('puts at most 16 packets into a POST', async () => {
    const { url, seen } = await serveScript(({ method }, count) =>
      count === 1 ? { body: OPEN() } : method === 'GET' ? 'hang' : { body: 'OK' },
    );
    const client = makeClient();
    await client.connect(url, { transports: 'polling' });
    for (let i = 0; i < 40; i++) void client.send(`${i}`);
    await client.drain();
    const posts = seen
      .filter(({ method }) => method === 'POST')
      .map(({ body }) => body.split('\u001e').length);
    expect(posts).toEqual([16, 16, 8]);
  });

  it('splits by maxPayload in UTF-8 octets, and refuses what is larger by itself', async () => {
    const { url, seen } = await serveScript(({ method }, count) =>
      count === 1 ? { body: OPEN({ maxPayload: 10 }) } : method === 'GET' ? 'hang' : { body: 'ok' },
    );
    const client = makeClient();
    await client.connect(url, { transports: 'polling' });
    for (const text of ['€€€', 'a', '123456789']) void client.send(text);
    await client.drain();
    expect(seen.filter(({ method }) => method === 'POST').map(({ body }) => body)).toEqual([
      '4€€€',
      '4a',
      '4123456789',
    ]);
    await expect(client.send('1234567890')).rejects.toMatchObject({
      name: 'ContentTooLongError',
      bytes: 11,
      bytesMax: 10,
    });
    await expect(client.send(new Uint8Array(9))).rejects.toMatchObject({ bytes: 13 });
  });

  it('refuses text that polling cannot carry, which WebSocket can', async () => {
    const { url, received } = await serveEngine();
    const client = makeClient();
    await client.connect(url, { transports: 'polling' });
    await expect(client.send('a\u001eb')).rejects.toMatchObject({ code: 'SEPARATOR_IN_TEXT' });
    const other = makeClient();
    await other.connect(url, { transports: 'websocket' });
    await other.send('a\u001eb');
    await expect.poll(() => received).toEqual(['a\u001eb']);
  });

  it('without a connection is an error for Client and nothing for AsyncClient', async () => {
    await expect(makeClient().send('x')).rejects.toMatchObject({ name: 'SocketIsClosedError' });
    await expect(new AsyncClient().send('x')).resolves.toBeUndefined();
  });

  it('takes arrays, objects, buffers and views', async () => {
    const { url, received } = await serveEngine();
    const client = makeClient();
    await client.connect(url);
    await client.send([1, 'a']);
    await client.send({ a: null });
    await client.send(new Uint16Array([1, 2]).buffer);
    await client.send(new DataView(Uint8Array.of(9, 8, 7).buffer, 1));
    await expect
      .poll(() => received)
      .toEqual(['[1,"a"]', '{"a":null}', Buffer.of(1, 0, 2, 0), Buffer.of(8, 7)]);
  });
});

describe('the end', () => {
  it.each(['polling', 'websocket'])('flushes what was queued over %s, unless aborted', async (transport) => {
    const { url, received } = await serveEngine();
    const client = makeClient();
    await client.connect(url, { transports: transport });
    for (let i = 0; i < 40; i++) void client.send(`${i}`);
    await client.disconnect();
    await expect.poll(() => received.length).toBe(40);
    const other = makeClient();
    await other.connect(url, { transports: 'polling' });
    void other.send('lost');
    await other.disconnect({ abort: true });
    expect(other.state).toBe('disconnected');
    expect(received).not.toContain('lost');
  });

  it('says the reason that disconnect was given', async () => {
    const { url } = await serveEngine();
    const client = makeClient();
    const reasons: string[] = [];
    client.on('disconnect', (why) => void reasons.push(why));
    await client.connect(url);
    await client.disconnect({ reason: 'lunch' });
    await client.connect(url);
    await client.disconnect(true, 'positional');
    await client.connect(url);
    await client.disconnect();
    expect(reasons).toEqual(['lunch', 'positional', reason.CLIENT_DISCONNECT]);
  });

  it('during connect makes connect fail, and no event', async () => {
    const { url } = await serveScript(() => 'hang');
    const client = makeClient();
    const trace: string[] = [];
    client.on('disconnect', () => void trace.push('disconnect'));
    const failed = errorOf(client.connect(url));
    await client.disconnect();
    await failed;
    expect(trace).toEqual([]);
  });

  it('comes when the server is not heard for too long', async () => {
    const { url } = await serveScript((_, count) =>
      count === 1 ? { body: OPEN({ pingInterval: 100, pingTimeout: 100 }) } : 'hang',
    );
    const client = makeClient();
    const reasons: string[] = [];
    client.on('disconnect', (why) => void reasons.push(why));
    await client.connect(url);
    await client.wait();
    expect(reasons).toEqual([reason.TRANSPORT_ERROR]);
  });

  it('lets the disconnect handler connect again', async () => {
    const { url, engine } = await serveEngine();
    const client = makeClient();
    let again: Promise<void> | undefined;
    client.on('disconnect', () => void (again ??= client.connect(url)));
    await client.connect(url);
    for (const session of engine.sessions.values()) session.close();
    await client.wait();
    await again;
    expect(client.state).toBe('connected');
  });
});

describe('on', () => {
  it('is a call or a decorator, one handler per event, and knows three events', async () => {
    const { url } = await serveEngine();
    const client = makeClient();
    const got: unknown[] = [];
    client.on('message', () => void got.push('first'));
    const handler = client.on('message')((data: string) => void got.push(data));
    expect(handler).toBeTypeOf('function');
    expect(() => client.on('nonsense' as 'message')).toThrow('Invalid event');
    await client.connect(url);
    await client.send('second');
    await expect.poll(() => got).toEqual(['second']);
  });

  it('survives handlers that throw, and logs what they threw', async () => {
    const { url } = await serveEngine();
    const errors: string[] = [];
    const client = makeClient({ logger: { info() {}, error: (text) => void errors.push(text) } });
    let count = 0;
    client.on('connect', () => Promise.reject(new Error('no')));
    client.on('message', () => {
      count++;
      throw new Error('no');
    });
    await client.connect(url);
    await client.send('a');
    await client.send('b');
    await expect.poll(() => count).toBe(2);
    expect(errors).toEqual([
      'the handler of connect failed',
      'the handler of message failed',
      'the handler of message failed',
    ]);
  });
});

describe('AsyncClient', () => {
  it('decodes text as python-engineio does', async () => {
    const { url } = await serveEngine();
    const client = new AsyncClient({ handle_sigint: false });
    onTestFinished(() => client.disconnect({ abort: true }));
    const got: unknown[] = [];
    client.on('message', (data) => void got.push(data));
    await client.connect(url);
    for (const text of [
      'true',
      'null',
      '-5',
      'NaN',
      '-Infinity',
      '"a"',
      '12',
      '{"a":[1]}',
      'text',
      '',
      `-${'1'.repeat(101)}`,
    ]) {
      await client.send(text);
    }
    const expected = [
      true,
      null,
      -5,
      Number.NaN,
      -Infinity,
      'a',
      '12',
      { a: [1] },
      'text',
      '',
      `-${'1'.repeat(101)}`,
    ];
    await expect.poll(() => got).toEqual(expected);
  });

  it('has the Python names, in seconds', async () => {
    const { url } = await serveEngine({ pingIntervalMs: 2500, pingTimeoutMs: 1500 });
    const client = new AsyncClient({ request_timeout: 2.5, handle_sigint: false, timestamp_requests: false });
    onTestFinished(() => client.disconnect({ abort: true }));
    expect(client.ping_interval).toBeNull();
    await client.connect(url, { engineio_path: 'engine.io' });
    expect([client.request_timeout, client.ping_interval, client.ping_timeout]).toEqual([2.5, 2.5, 1.5]);
    expect([client.is_asyncio_based(), client.current_transport, client.upgrades]).toEqual([
      true,
      'websocket',
      ['websocket'],
    ]);
    expect(client.get_queue_empty_exception()).toBe(QueueEmpty);
  });
});

describe('the helpers', () => {
  it('are tasks, queues, events and a pause', async () => {
    const client = makeClient();
    expect(await client.startBackgroundTask((a: number, b: number) => a + b, 1, 2)).toBe(3);
    const queue = client.createQueue<number>(1);
    await queue.put(1);
    const second = queue.put(2);
    expect(await queue.get()).toBe(1);
    await second;
    expect(queue.getNowait()).toBe(2);
    expect(() => queue.getNowait()).toThrow(client.getQueueEmptyException());
    queue.taskDone();
    const joined = queue.join();
    queue.taskDone();
    await joined;
    const event = client.createEvent();
    const waited = event.wait();
    event.set();
    expect([await waited, event.isSet()]).toEqual([true, true]);
    await client.sleep(0);
  });

  it('json is used by every client of the process', async () => {
    const { url, received } = await serveEngine();
    const standard = {
      dumps: (value: unknown) => JSON.stringify(value),
      loads: (text: string): unknown => JSON.parse(text),
    };
    const client = makeClient({ json: { ...standard, dumps: () => 'dumped' } });
    onTestFinished(() => void makeClient({ json: standard }));
    await client.connect(url);
    await client.send({});
    await expect.poll(() => received).toEqual(['dumped']);
  });

  it('httpSession brings fetch, agent and headers, and is not closed', async () => {
    const { url } = await serveEngine();
    let fetched = 0;
    const client = makeClient({
      httpSession: {
        headers: { 'x-session': '1' },
        fetch: (input, init) => {
          fetched++;
          expect(new Headers(init?.headers).get('x-session')).toBe('1');
          return fetch(input, init);
        },
      },
    });
    await client.connect(url, { transports: 'polling' });
    expect(fetched).toBeGreaterThan(0);
    const agent = new http.Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const other = makeClient({ httpSession: { agent } });
    await other.connect(url);
    await other.disconnect();
    expect(Object.keys(agent.freeSockets).length).toBeGreaterThan(0);
  });
});

describe('a dispatcher', () => {
  interface Dispatcher {
    dispatch(options: { readonly path: string; readonly method: string }, handler: object): boolean;
  }

  it('makes the requests of polling, and the WebSocket does without', async () => {
    const { url, received } = await serveEngine();
    // Node keeps its own dispatcher of undici here, once it has fetched.
    await fetch(url);
    const own = (globalThis as unknown as Record<symbol, Dispatcher>)[
      Symbol.for('undici.globalDispatcher.1')
    ]!;
    const seen: string[] = [];
    const dispatcher: Dispatcher = {
      dispatch(options, handler) {
        seen.push(`${options.method} ${options.path.split('?')[0]}`);
        return own.dispatch(options, handler);
      },
    };
    const client = makeClient({ httpSession: { dispatcher } });
    client.on('connect', () => client.send('posted'));
    await client.connect(url);
    await client.send('framed');
    await expect.poll(() => received).toEqual(['posted', 'framed']);
    expect(client.transport()).toBe('websocket');
    expect(new Set(seen)).toEqual(new Set(['GET /engine.io/', 'POST /engine.io/']));
  });
});

describe('SIGINT', () => {
  const entry = join(import.meta.dirname, 'index.node.ts');

  async function run(
    url: string,
    more: string,
  ): Promise<{ output: string; code: number | null; signal: string | null }> {
    const script = `
      const { AsyncClient } = await import(${JSON.stringify(entry)});
      const client = new AsyncClient();
      client.on('disconnect', (why) => console.log('disconnect', why));
      ${more}
      await client.connect(${JSON.stringify(url)});
      console.log('ready');`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (!output.includes('ready') && chunk.includes('ready')) child.kill('SIGINT');
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { output, code, signal };
  }

  it('disconnects the client, and then does what it always does', async () => {
    const { url, engine } = await serveEngine();
    const { output, signal } = await run(url, '');
    expect(output).toBe('ready\ndisconnect client disconnect\n');
    expect(signal).toBe('SIGINT');
    await expect.poll(() => engine.sessions.size).toBe(0);
  });

  it('leaves the application’s own handler in charge, and calls it once', async () => {
    const { url } = await serveEngine();
    const { output, code } = await run(
      url,
      `process.on('SIGINT', () => { console.log('mine'); client.wait().then(() => process.exit(7)); });`,
    );
    expect(output.split('\n').filter((line) => line === 'mine')).toHaveLength(1);
    expect(output).toContain('disconnect client disconnect');
    expect(code).toBe(7);
  });
});

describe('over TLS', () => {
  it.each(['polling', 'websocket'])(
    'a certificate is checked over %s, unless sslVerify says what else',
    async (transports) => {
      const { url, received } = await serveEngine({}, { tls: selfSigned });
      await errorOf(makeClient().connect(url, { transports }));
      for (const sslVerify of [false, { ca: selfSigned.cert }]) {
        const client = makeClient({ sslVerify });
        await client.connect(url, { transports });
        await client.send('secret');
      }
      await expect.poll(() => received).toEqual(['secret', 'secret']);
    },
  );
});
