import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Wampy } from 'wampy';
import { WebSocket } from 'ws';
import { type ChoraleServer, createServer, loadModule } from 'chorale';
import { schema } from 'chorale/server';
import { cborSerializer, connect, jsonSerializer, msgpackSerializer, type Client } from 'chorale/wamp';

/* Progressive calls of a module's procedures, by our client and by `wampy`. */

const app = schema({});
let ended: string[] = [];

/** Answers each chunk with the sum so far; its `finally` shows that nobody waits for ever. */
const sum = app.rpc('com.sum', async function* (ctx) {
  let total = 0;
  try {
    for await (const { args } of ctx.input) {
      total += Number(args[0] ?? 0);
      yield total;
    }
    return total;
  } finally {
    ended.push(ctx.signal.aborted ? 'aborted' : 'read to the end');
  }
});

let server: ChoraleServer;
let url: string;

beforeAll(async () => {
  server = await createServer({ databases: { app: loadModule({ default: app, sum }) } });
  url = server.url.replace('http', 'ws');
});
afterAll(async () => await server.close({ drainMs: 0 }));

describe.each([jsonSerializer, msgpackSerializer, cborSerializer])('our client, $name', (serializer) => {
  async function join(): Promise<Client> {
    ended = [];
    const client = await connect(url, { realm: 'app', serializers: [serializer] });
    onTestFinished(async () => await client.close());
    return client;
  }

  test('a stream reaches the procedure chunk by chunk, and so do the answers', async () => {
    const client = await join();
    const stream = client.stream('com.sum');
    const sums: unknown[] = [];
    stream.call.onProgress((part) => void sums.push(part.value));
    for (let n = 1; n <= 10; n++) await stream.write([n]);
    expect(await stream.end([11])).toBe(66);
    expect(sums).toEqual([1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 66]);
    expect(await client.call('com.sum', [5])).toBe(5);
    expect(ended).toEqual(['read to the end', 'read to the end']);
  });

  test('20,000 chunks at once are all read', async () => {
    const stream = (await join()).stream('com.sum');
    for (let n = 1; n <= 20_000; n++) await stream.write([1]);
    expect(await stream.end()).toBe(20_000);
  });

  test.each(['skip', 'kill', 'killnowait'] as const)(
    'canceled in mode %s, the procedure ends',
    async (cancelMode) => {
      const controller = new AbortController();
      const stream = (await join()).stream('com.sum', {
        signal: controller.signal,
        cancelMode,
        receiveProgress: true,
      });
      await stream.write([1]);
      for await (const _part of stream) break;
      controller.abort(new Error('enough'));
      await expect(stream.call).rejects.toThrow();
      await expect.poll(() => ended).toEqual(['aborted']);
    },
  );

  test('a client that leaves takes its streams along', async () => {
    const client = await join();
    const stream = client.stream('com.sum', { receiveProgress: true });
    await stream.write([1]);
    for await (const _part of stream) break;
    stream.call.catch(() => {});
    await client.close();
    await expect.poll(() => ended).toEqual(['aborted']);
  });
});

test('wampy: arguments bit by bit, progress in between', async () => {
  const wampy = new Wampy(url, { realm: 'app', ws: WebSocket as never, autoReconnect: false });
  await wampy.connect();
  onTestFinished(async () => void (await wampy.disconnect()));
  const sums: unknown[] = [];
  const { result, sendData } = wampy.progressiveCall('com.sum', 1, {
    progress_callback: ({ argsList }: { readonly argsList: unknown[] }) => void sums.push(argsList[0]),
  } as never);
  sendData(2, { progress: true });
  sendData(3, { progress: false });
  expect((await result).argsList).toEqual([6]);
  expect(sums).toEqual([1, 3, 6]);
});
