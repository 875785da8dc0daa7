import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WampError, connect, progress, result } from 'chorale/wamp';
import type { Client } from 'chorale/wamp';

/*
 * Our client with the npm router `fox-wamp`. It speaks JSON over WebSocket, announces little, and knows neither cancelling nor
 * timeouts: the client does here what the router does not.
 */

interface FoxServer {
  on(name: 'listening', callback: () => void): void;
  address(): { readonly port: number };
  close(): void;
}
type FoxRouter = new () => { listenWAMP(options: { port: number; host: string }): FoxServer };

const Fox = createRequire(import.meta.url)('fox-wamp') as FoxRouter;

describe('our WAMP client with fox-wamp', () => {
  let server: FoxServer;
  const clients: Client[] = [];

  beforeAll(async () => {
    server = new Fox().listenWAMP({ port: 0, host: '127.0.0.1' });
    await new Promise<void>((resolve) => server.on('listening', resolve));
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map(async (client) => await client.close()));
  });
  afterAll(() => server.close());

  const join = async (): Promise<Client> => {
    const client = await connect(`ws://127.0.0.1:${server.address().port}/wamp`, { realm: 'realm1' });
    clients.push(client);
    return client;
  };

  test('calls with positional and named arguments are answered', async () => {
    const [callee, caller] = [await join(), await join()];
    await callee.register(
      'com.add',
      ({ args: [a, b], kwargs }) => Number(a) + Number(b) + Number(kwargs['c'] ?? 0),
    );
    expect(await caller.call('com.add', [1, 2])).toBe(3);
    expect(await caller.call('com.add', [1, 2], { kwargs: { c: 4 } })).toBe(7);
    await callee.unregister('com.add');
    await expect(caller.call('com.add', [1, 2])).rejects.toMatchObject({
      uri: 'wamp.error.no_such_procedure',
    });
  });

  test('many calls in one turn are told apart', async () => {
    const [callee, caller] = [await join(), await join()];
    await callee.register('com.double', async ({ args: [n] }) => Number(n) * 2);
    const numbers = Array.from({ length: 300 }, (_, i) => i);
    const doubled = await Promise.all(numbers.map(async (i) => await caller.call('com.double', [i])));
    expect(doubled).toEqual(numbers.map((i) => i * 2));
  });

  test('errors have their URI', async () => {
    const [callee, caller] = [await join(), await join()];
    await callee.register('com.fail', () => {
      throw new WampError('com.error.nope', ['why']);
    });
    await expect(caller.call('com.fail')).rejects.toBeInstanceOf(WampError);
  });

  test('progress comes before the result', async () => {
    const [callee, caller] = [await join(), await join()];
    await callee.register('com.count', function* () {
      yield progress([1]);
      yield progress([2]);
      return 'done';
    });
    const call = caller.call('com.count');
    const seen: unknown[] = [];
    for await (const part of call) seen.push(part.value);
    expect([seen, await call]).toEqual([[1, 2], 'done']);
  });

  test('calls end when they are cancelled or late, though the router does nothing about it', async () => {
    const [callee, caller] = [await join(), await join()];
    await callee.register('com.never', () => new Promise(() => {}));
    const controller = new AbortController();
    const call = caller.call('com.never', [], { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await expect(caller.call('com.never', [], { callTimeoutMs: 10 })).rejects.toMatchObject({
      uri: 'wamp.error.timeout',
    });
  });

  test('events come in order, and name their publisher', async () => {
    const [publisher, subscriber] = [await join(), await join()];
    const seen: unknown[] = [];
    const publishers = new Set<unknown>();
    const subscription = await subscriber.subscribe('com.news', ({ args, publisherId }) => {
      seen.push(args[0]);
      publishers.add(publisherId);
    });
    for (let i = 0; i < 50; i++) void publisher.publish('com.news', [i]);
    expect(await publisher.publish('com.news', ['last'], { acknowledge: true })).toBeGreaterThan(0);
    await expect.poll(() => seen).toHaveLength(51);
    expect(seen).toEqual([...Array.from({ length: 50 }, (_, i) => i), 'last']);
    expect([...publishers]).toEqual([publisher.session.sessionId]);
    await subscription.unsubscribe();
    expect(subscriber.getSubscriptionIds('com.news')).toEqual([]);
  });

  test('all kinds of values, octets among them, come through JSON as they were', async () => {
    const [callee, caller] = [await join(), await join()];
    await callee.register('com.echo', ({ args, kwargs }) => result(args, kwargs));
    const values = [
      1,
      2 ** 40,
      -0.5,
      'grün',
      null,
      true,
      [1, [2]],
      { a: { b: 1 } },
      Uint8Array.of(0, 1, 255),
    ];
    const { args, kwargs } = await caller.call('com.echo', values, { kwargs: { k: 'v' } }).result();
    expect([args, kwargs]).toEqual([values, { k: 'v' }]);
  });

  test('its own patterns, with * and #, match as it says', async () => {
    const [publisher, subscriber] = [await join(), await join()];
    const seen: unknown[] = [];
    await subscriber.subscribe('com.*.today', ({ args, topic }) => seen.push(['*', args[0], topic]));
    await subscriber.subscribe('com.news.#', ({ args, topic }) => seen.push(['#', args[0], topic]));
    await publisher.publish('com.news.today', [1], { acknowledge: true });
    await publisher.publish('com.news.b.c', [2], { acknowledge: true });
    await expect.poll(() => seen).toHaveLength(3);
    expect(new Set(seen.map(String))).toEqual(
      new Set(['*,1,com.news.today', '#,1,com.news.today', '#,2,com.news.b.c']),
    );
  });

  test('several may serve a procedure, each as many calls at a time as it likes', async () => {
    const [one, two, caller] = [await join(), await join(), await join()];
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await one.register('com.shared', async () => (await released, 'one'), { concurrency: 1 });
    await two.register('com.shared', () => 'two', { concurrency: 1 });
    const first = caller.call('com.shared');
    expect([await caller.call('com.shared'), await caller.call('com.shared')]).toEqual(['two', 'two']);
    release();
    expect(await first).toBe('one');
  });

  test('a publisher hears himself only if he wants to', async () => {
    const client = await join();
    const seen: unknown[] = [];
    await client.subscribe('com.mine', ({ args }) => seen.push(args[0]));
    await client.publish('com.mine', [1], { acknowledge: true });
    await client.publish('com.mine', [2], { acknowledge: true, excludeMe: false });
    await expect.poll(() => seen).toEqual([2]);
  });
});
