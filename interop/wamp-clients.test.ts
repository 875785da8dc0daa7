import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Wampy } from 'wampy';
import { CborSerializer } from 'wampy/CborSerializer.js';
import { JsonSerializer } from 'wampy/JsonSerializer.js';
import { MsgpackSerializer } from 'wampy/MsgpackSerializer.js';
import { WebSocket } from 'ws';
import { connect } from 'chorale/wamp';
import type { Client } from 'chorale/wamp';
import { Listener } from '../src/net/listener.js';
import { mountWamp } from '../src/protocols/wamp/server/mount.js';
import { WampRouter } from '../src/protocols/wamp/server/router.js';

/*
 * The npm clients `autobahn` and `wampy` with our router, each talking to our client: what one sends, the other must understand.
 */

interface AutobahnSession {
  readonly id: number;
  register(uri: string, handler: (...parameters: never[]) => unknown, options?: object): Promise<unknown>;
  unregister(registration: unknown): Promise<unknown>;
  call(uri: string, args?: unknown[], kwargs?: object, options?: object): AutobahnPromise;
  subscribe(uri: string, handler: (...parameters: never[]) => void, options?: object): Promise<unknown>;
  publish(uri: string, args?: unknown[], kwargs?: object, options?: object): Promise<{ readonly id: number }>;
}
/** Its promises tell of progress, too. */
type AutobahnPromise = Promise<unknown> & {
  then(
    onResult: (value: unknown) => unknown,
    onError: (error: unknown) => unknown,
    onProgress: (value: unknown) => void,
  ): unknown;
};
interface AutobahnConnection {
  onopen: (session: AutobahnSession) => void;
  onclose: (reason: string, details: unknown) => boolean;
  open(): void;
  close(): void;
}
interface Autobahn {
  readonly Connection: new (options: object) => AutobahnConnection;
  readonly Error: new (uri: string, args?: unknown[], kwargs?: object) => Error;
  readonly Result: new (args: unknown[], kwargs: object) => object;
  readonly serializer: Readonly<
    Record<'JSONSerializer' | 'MsgpackSerializer' | 'CBORSerializer', new () => object>
  >;
}

const autobahn = createRequire(import.meta.url)('autobahn') as Autobahn;

let listener: Listener;
let router: WampRouter;
let url: string;
const errors: unknown[] = [];
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  const onError = (error: unknown): void => void errors.push(error);
  router = new WampRouter({ realms: { realm1: {} }, onError });
  listener = await Listener.listen({ onError });
  mountWamp(listener, router);
  url = `ws://127.0.0.1:${listener.port}/wamp`;
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  await expect.poll(() => router.connectionCount).toBe(0);
  expect(errors.splice(0)).toEqual([]);
});
afterAll(async () => {
  router.close();
  await listener.close({ drainMs: 0 });
});

async function joinOurs(): Promise<Client> {
  const client = await connect(url, { realm: 'realm1' });
  cleanups.push(async () => await client.close());
  return client;
}

describe.each(['JSONSerializer', 'MsgpackSerializer', 'CBORSerializer'] as const)(
  'autobahn with our router, %s',
  (serializer) => {
    async function join(): Promise<AutobahnSession> {
      const connection = new autobahn.Connection({
        url,
        realm: 'realm1',
        max_retries: 0,
        serializers: [new autobahn.serializer[serializer]()],
      });
      const session = await new Promise<AutobahnSession>((resolve, reject) => {
        connection.onopen = resolve;
        connection.onclose = (reason) => {
          reject(new Error(reason));
          return true;
        };
        connection.open();
      });
      cleanups.push(() => connection.close());
      return session;
    }

    test('calls, and is called, with all kinds of values', async () => {
      const [theirs, ours] = [await join(), await joinOurs()];
      await theirs.register(
        'com.theirs',
        (args: unknown[], kwargs: object) => new autobahn.Result(args, kwargs),
      );
      await ours.register('com.ours', ({ args: [a, b] }) => Number(a) + Number(b));
      expect(await theirs.call('com.ours', [1, 2])).toBe(3);
      const args = [1, 2 ** 40, -0.5, 'grün', null, true, [1, [2]], { a: { b: 1 } }];
      const { args: back, kwargs } = await ours.call('com.theirs', args, { kwargs: { k: 'v' } }).result();
      expect([back, kwargs]).toEqual([args, { k: 'v' }]);
    });

    test('errors are the same on both sides', async () => {
      const [theirs, ours] = [await join(), await joinOurs()];
      await theirs.register('com.theirs', () => {
        throw new autobahn.Error('com.error.theirs', [1], { k: 2 });
      });
      await expect(ours.call('com.theirs')).rejects.toMatchObject({
        uri: 'com.error.theirs',
        args: [1],
        kwargs: { k: 2 },
      });
      await expect(theirs.call('com.nobody')).rejects.toMatchObject({
        error: 'wamp.error.no_such_procedure',
      });
    });

    test('progress goes both ways', async () => {
      const [theirs, ours] = [await join(), await joinOurs()];
      await ours.register('com.ours', function* () {
        yield 1;
        yield 2;
        return 3;
      });
      await theirs.register(
        'com.theirs',
        (_: unknown, __: unknown, details: { progress?(args: unknown[]): void }) => {
          details.progress?.(['a']);
          details.progress?.(['b']);
          return 'c';
        },
      );
      const seen: unknown[] = [];
      const total = await new Promise((resolve, reject) => {
        void theirs
          .call('com.ours', [], {}, { receive_progress: true })
          .then(resolve, reject, (value) => seen.push(value));
      });
      const call = ours.call('com.theirs');
      for await (const part of call) seen.push(part.value);
      expect([seen, total, await call]).toEqual([[1, 2, 'a', 'b'], 3, 'c']);
    });

    test('patterns, shared registrations and disclosure work', async () => {
      const [theirs, ours] = [await join(), await joinOurs()];
      await theirs.register(
        'com.pattern',
        (_: unknown, __: unknown, details: { procedure: string; caller: number }) => [
          details.procedure,
          details.caller,
        ],
        { match: 'prefix' },
      );
      expect(await ours.call('com.pattern.x', [], { discloseMe: true })).toEqual([
        'com.pattern.x',
        ours.session.sessionId,
      ]);
      await theirs.register('com.shared', () => 'theirs', { invoke: 'roundrobin' });
      await ours.register('com.shared', () => 'ours', { invocationPolicy: 'roundrobin' });
      const answers = [await ours.call('com.shared'), await ours.call('com.shared')];
      expect(new Set(answers)).toEqual(new Set(['ours', 'theirs']));
    });

    test('events go both ways, by pattern, with exclusion and acknowledgement', async () => {
      const [theirs, ours] = [await join(), await joinOurs()];
      const seen: unknown[][] = [];
      await theirs.subscribe(
        'com.news',
        (args: unknown[], kwargs: unknown, details: { topic: string }) =>
          seen.push(['theirs', args, kwargs, details.topic]),
        { match: 'prefix' },
      );
      await ours.subscribe('com..today', ({ args, topic }) => seen.push(['ours', args, topic]), {
        matchPolicy: 'wildcard',
      });
      const { id } = await theirs.publish(
        'com.news.today',
        [1],
        {},
        { acknowledge: true, exclude_me: false },
      );
      expect(id).toBeGreaterThan(0);
      await expect.poll(() => seen.length).toBe(2);
      await ours.publish('com.news.tomorrow', [2], { kwargs: { k: 1 }, acknowledge: true });
      await expect.poll(() => seen.length).toBe(3);
      expect(seen.filter(([who]) => who === 'theirs')).toEqual([
        ['theirs', [1], {}, 'com.news.today'],
        ['theirs', [2], { k: 1 }, 'com.news.tomorrow'],
      ]);
      expect(seen.filter(([who]) => who === 'ours')).toEqual([['ours', [1], 'com.news.today']]);
    });
  },
);

describe.each([
  ['json', () => new JsonSerializer()],
  ['msgpack', () => new MsgpackSerializer()],
  ['cbor', () => new CborSerializer()],
])('wampy with our router, %s', (_, makeSerializer) => {
  async function join(): Promise<Wampy> {
    const wampy = new Wampy(url, {
      realm: 'realm1',
      serializer: makeSerializer(),
      ws: WebSocket as never,
      autoReconnect: false,
    });
    await wampy.connect();
    cleanups.push(async () => await wampy.disconnect());
    return wampy;
  }

  test('calls, and is called, with all kinds of values', async () => {
    const [theirs, ours] = [await join(), await joinOurs()];
    await theirs.register('com.theirs', ({ argsList, argsDict }) => ({
      argsList: argsList ?? [],
      argsDict: argsDict ?? {},
    }));
    await ours.register('com.ours', ({ args: [a, b] }) => Number(a) + Number(b));
    expect((await theirs.call('com.ours', [1, 2])).argsList).toEqual([3]);
    const args = [1, 2 ** 40, -0.5, 'grün', null, true, [1, [2]], { a: { b: 1 } }];
    const { args: back, kwargs } = await ours.call('com.theirs', args, { kwargs: { k: 'v' } }).result();
    expect([back, kwargs]).toEqual([args, { k: 'v' }]);
    await expect(theirs.call('com.nobody')).rejects.toMatchObject({
      errorUri: 'wamp.error.no_such_procedure',
    });
  });

  test('progress comes in order', async () => {
    const [theirs, ours] = [await join(), await joinOurs()];
    await ours.register('com.ours', function* () {
      yield 1;
      yield 2;
      return 3;
    });
    const seen: unknown[] = [];
    const result = await theirs.call('com.ours', null, {
      progress_callback: ({ argsList }) => void seen.push(argsList?.[0]),
    });
    expect([seen.slice(0, 2), result.argsList]).toEqual([[1, 2], [3]]);
  });

  test('arguments bit by bit reach our input', async () => {
    const [theirs, ours] = [await join(), await joinOurs()];
    await ours.register('com.sum', async ({ input }) => {
      let sum = 0;
      for await (const { args } of input) sum += Number(args[0]);
      return sum;
    });
    const { result, sendData } = theirs.progressiveCall('com.sum', 1);
    sendData(2, { progress: true });
    sendData(3, { progress: false });
    expect((await result).argsList).toEqual([6]);
  });

  test('cancelling interrupts our handler', async () => {
    const [theirs, ours] = [await join(), await joinOurs()];
    let isInterrupted = false;
    await ours.register('com.wait', async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      isInterrupted = true;
    });
    const calling = theirs.call('com.wait').catch((error: unknown) => error);
    await ours.call('wamp.session.count');
    theirs.cancel(theirs.getOpStatus().reqId, { mode: 'killnowait' });
    expect(await calling).toMatchObject({ errorUri: 'wamp.error.canceled' });
    await expect.poll(() => isInterrupted).toBe(true);
  });

  test('events go both ways, by pattern, retained and excluded', async () => {
    const [theirs, ours] = [await join(), await joinOurs()];
    const seen: unknown[] = [];
    await ours.publish('com.weather', ['sun'], { retain: true, acknowledge: true });
    const look = ({ argsList, details }: { argsList?: unknown[]; details: Record<string, unknown> }): void =>
      void seen.push([argsList, details['retained'] ?? details['topic']]);
    await theirs.subscribe('com.weather', look, { get_retained: true });
    await expect.poll(() => seen).toEqual([[['sun'], true]]);
    await theirs.subscribe('com.news', look, { match: 'prefix' });
    const excludedIds = [theirs.getSessionId() as number];
    await ours.publish('com.news.a', [1], { blackWhiteList: { excludedIds } });
    await ours.publish('com.news.b', [2], { acknowledge: true });
    await expect.poll(() => seen.slice(1)).toEqual([[[2], 'com.news.b']]);
    await ours.subscribe('com.back', ({ args, kwargs }) => seen.push([args, kwargs]));
    await theirs.publish('com.back', { argsList: [3], argsDict: { k: 4 } });
    await expect.poll(() => seen.slice(2)).toEqual([[[3], { k: 4 }]]);
  });
});
