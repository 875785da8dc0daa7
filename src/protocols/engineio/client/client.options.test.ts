import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { errorOf, makeClient, serveEcho } from '../../../../test/net/engine-client.js';
import { selfSigned } from '../../../../test/net/self-signed.js';
import { AsyncClient, QueueEmpty } from './index.node.js';

describe('AsyncClient', () => {
  it('decodes text as python-engineio does', async () => {
    const { url } = await serveEcho();
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
    const { url } = await serveEcho({ pingIntervalMs: 2500, pingTimeoutMs: 1500 });
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
    const { url, received } = await serveEcho();
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
    const { url } = await serveEcho();
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
    const { url, received } = await serveEcho();
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
    const { url, engine } = await serveEcho();
    const { output, signal } = await run(url, '');
    expect(output).toBe('ready\ndisconnect client disconnect\n');
    expect(signal).toBe('SIGINT');
    await expect.poll(() => engine.sessions.size).toBe(0);
  });

  it('leaves the application’s own handler in charge, and calls it once', async () => {
    const { url } = await serveEcho();
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
      const { url, received } = await serveEcho({}, { tls: selfSigned });
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
