import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Listener } from '../../src/net/listener.js';
import { mountWamp } from '../../src/protocols/wamp/server/mount.js';
import { WampRouter } from '../../src/protocols/wamp/server/router.js';
import { tunnelApplication } from '../../src/server/engineio/tunnel.js';
import {
  BlackWhiteList,
  PassThru,
  WampError,
  connect,
  jsonSerializer,
  meta,
  progress,
  result,
  testament,
} from '../../src/protocols/wamp/client/index.node.js';
import type { Client, ConnectOptions, Interrupt } from '../../src/protocols/wamp/client/index.node.js';
import { mountEngine } from '../net/mount-engine.js';

/*
 * What our client must do with our router, whatever is between them.
 */

export interface Place {
  readonly router: WampRouter;
  readonly port: number;
}

/** How to reach the router. */
export interface WampWay {
  readonly url: string;
  readonly options?: Partial<ConnectOptions>;
}

export interface WampClientSuite {
  readonly name: string;
  readonly way: (place: Place) => WampWay;
}

export function runWampClientSuite({ name, way }: WampClientSuite): void {
  describe(`our WAMP client over ${name}`, () => {
    let listener: Listener;
    let place: Place;
    const errors: unknown[] = [];
    const clients: Client[] = [];

    beforeAll(async () => {
      const onError = (error: unknown): void => void errors.push(error);
      const history = [{ uri: 'com.past', match: 'prefix' as const }];
      const router = new WampRouter({ realms: { realm1: { history, adminRoles: ['anonymous'] } }, onError });
      listener = await Listener.listen({ onError });
      mountWamp(listener, router);
      mountEngine(listener, {}, tunnelApplication(listener), onError);
      place = { router, port: listener.port };
    });
    afterEach(async () => {
      await Promise.all(clients.splice(0).map(async (client) => await client.close()));
      await expect.poll(() => place.router.connectionCount).toBe(0);
      expect(errors.splice(0)).toEqual([]);
    });
    afterAll(async () => {
      place.router.close();
      await listener.close({ drainMs: 0 });
    });

    const join = async (options: Partial<ConnectOptions> = {}): Promise<Client> => {
      const { url, options: transport } = way(place);
      const onError = (error: unknown): void => void errors.push(error);
      const client = await connect(url, { realm: 'realm1', onError, ...transport, ...options });
      clients.push(client);
      return client;
    };
    const joinTwo = async (): Promise<[Client, Client]> => [await join(), await join()];

    test('a realm that is not there is an AbortError', async () => {
      await expect(join({ realm: 'com.nowhere' })).rejects.toMatchObject({
        name: 'AbortError',
        reason: 'wamp.error.no_such_realm',
      });
    });

    test('a call brings all kinds of values there and back', async () => {
      const [callee, caller] = await joinTwo();
      await callee.register('com.echo', ({ args, kwargs }) => result(args, kwargs));
      const args = [1, -1.5, 2 ** 40, true, null, 'grün', [1, [2]], { a: { b: 1 } }, Uint8Array.of(0, 255)];
      const call = caller.call('com.echo', args, { kwargs: { k: 'v' } });
      const { args: back, kwargs } = await call.result();
      expect(back.map((value) => (value instanceof Uint8Array ? [...value] : value))).toEqual([
        ...args.slice(0, -1),
        [0, 255],
      ]);
      expect(kwargs).toEqual({ k: 'v' });
    });

    test('a thousand calls in one turn are answered in their own way each', async () => {
      const [callee, caller] = await joinTwo();
      await callee.register('com.double', ({ args: [n] }) => Number(n) * 2);
      const numbers = Array.from({ length: 1000 }, (_, i) => i);
      const doubled = await Promise.all(numbers.map(async (i) => await caller.call('com.double', [i])));
      expect(doubled).toEqual(numbers.map((i) => i * 2));
    });

    test('errors of procedures, and of the router, reach the caller', async () => {
      const [callee, caller] = await joinTwo();
      await callee.register('com.fail', () => {
        throw new WampError('com.error.nope', ['why'], { code: 3 });
      });
      await expect(caller.call('com.fail')).rejects.toMatchObject({
        uri: 'com.error.nope',
        args: ['why'],
        kwargs: { code: 3 },
      });
      await expect(caller.call('com.nobody')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' });
      await expect(caller.register('com.fail', () => 1)).rejects.toMatchObject({
        name: 'ProcedureAlreadyExists',
      });
      await expect(caller.call('not a uri')).rejects.toMatchObject({ uri: 'wamp.error.invalid_uri' });
    });

    test('progress comes in order, before the result', async () => {
      const [callee, caller] = await joinTwo();
      await callee.register('com.count', async function* ({ args: [to] }) {
        for (let i = 1; i < Number(to); i++) yield progress([i]);
        return to;
      });
      const call = caller.call('com.count', [50]);
      const seen: unknown[] = [];
      for await (const part of call) seen.push(part.value);
      expect([seen, await call]).toEqual([Array.from({ length: 49 }, (_, i) => i + 1), 50]);
      expect(await caller.call('com.count', [5])).toBe(5);
    });

    test('arguments of a stream come in order, and so do the answers to them', async () => {
      const [callee, caller] = await joinTwo();
      await callee.register('com.sum', async function* ({ input }) {
        let sum = 0;
        for await (const { args } of input) {
          sum += Number(args[0]);
          yield sum;
        }
        return sum;
      });
      const stream = caller.stream('com.sum');
      const sums: unknown[] = [];
      stream.call.onProgress((part) => sums.push(part.value));
      for (let i = 1; i <= 10; i++) await stream.write([i]);
      expect(await stream.end([11])).toBe(66);
      expect(sums).toEqual([1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 66]);
    });

    test.each(['skip', 'kill', 'killnowait'] as const)('cancelling in mode %s', async (mode) => {
      const [callee, caller] = await joinTwo();
      const interrupts: string[] = [];
      let started = (): void => {};
      const isStarted = new Promise<void>((resolve) => (started = resolve));
      let finish = (): void => {};
      await callee.register('com.wait', async ({ signal }) => {
        started();
        await new Promise<void>((resolve) => {
          finish = resolve;
          signal.addEventListener('abort', () => {
            interrupts.push((signal.reason as Interrupt).cancelMode);
            resolve();
          });
        });
        return 'stopped early';
      });
      const controller = new AbortController();
      const call = caller.call('com.wait', [], { signal: controller.signal, cancelMode: mode });
      await isStarted;
      controller.abort(new Error('enough'));
      if (mode === 'kill') expect(await call).toBe('stopped early');
      else await expect(call).rejects.toThrow('enough');
      if (mode === 'skip') finish();
      else await expect.poll(() => interrupts).toEqual([mode]);
      if (mode === 'skip') expect(interrupts).toEqual([]);
    });

    test('time runs out at the router, or at the callee who asked for that', async () => {
      const [callee, caller] = await joinTwo();
      const reasons: string[] = [];
      const wait = async ({ signal }: { readonly signal: AbortSignal }): Promise<void> =>
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => {
            reasons.push(String(signal.reason));
            resolve();
          }),
        );
      await callee.register('com.slow', wait);
      await callee.register('com.slow.forwarded', wait, { forwardTimeout: true });
      for (const procedure of ['com.slow', 'com.slow.forwarded']) {
        await expect(caller.call(procedure, [], { callTimeoutMs: 20 })).rejects.toMatchObject({
          uri: 'wamp.error.timeout',
        });
      }
      await expect.poll(() => reasons.length).toBe(2);
    });

    test('a caller who leaves interrupts, a callee who leaves is an error', async () => {
      const [callee, caller] = await joinTwo();
      const aborted: boolean[] = [];
      await callee.register('com.wait', async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        aborted.push(signal.aborted);
      });
      const leaving = await join();
      const lost = leaving.call('com.wait').catch((error: unknown) => (error as Error).name);
      await expect.poll(async () => await meta(caller).sessions.count()).toBe(3);
      await leaving.close();
      await expect.poll(() => aborted).toEqual([true]);
      expect(await lost).toBe('ClientClosed');
      const left = expect(caller.call('com.wait')).rejects.toMatchObject({ uri: 'wamp.error.canceled' });
      await expect.poll(() => callee.state).toBe('open');
      await callee.close();
      await left;
    });

    test('callers and publishers are named when they want to be', async () => {
      const [one, two] = await joinTwo();
      const seen: unknown[] = [];
      await one.register('com.who', ({ callerId, callerAuthRole }) => [callerId, callerAuthRole]);
      await one.subscribe('com.news', ({ publisherId, topic }) => seen.push([publisherId, topic]));
      expect(await two.call('com.who', [], { discloseMe: true })).toEqual([
        two.session.sessionId,
        'anonymous',
      ]);
      expect(await two.call('com.who')).toEqual([null, null]);
      await two.publish('com.news', [], { discloseMe: true, acknowledge: true });
      await expect.poll(() => seen).toEqual([[two.session.sessionId, 'com.news']]);
    });

    test('patterns: one registration is chosen, all subscriptions hear', async () => {
      const [one, two] = await joinTwo();
      const serve = async (uri: string, matchPolicy: 'exact' | 'prefix' | 'wildcard'): Promise<unknown> =>
        await one.register(uri, ({ procedure }) => `${matchPolicy} ${procedure}`, { matchPolicy });
      await serve('com.a.b', 'exact');
      await serve('com.a', 'prefix');
      await serve('com..z', 'wildcard');
      const answers = ['com.a.b', 'com.a.c', 'com.q.z'].map(async (uri) => await two.call(uri));
      expect(await Promise.all(answers)).toEqual(['exact com.a.b', 'prefix com.a.c', 'wildcard com.q.z']);
      const seen: string[] = [];
      const listen = async (uri: string, matchPolicy: 'exact' | 'prefix' | 'wildcard'): Promise<unknown> =>
        await one.subscribe(uri, ({ topic }) => seen.push(`${matchPolicy} ${topic}`), { matchPolicy });
      await listen('com.t.x', 'exact');
      await listen('com.t', 'prefix');
      await listen('com..x', 'wildcard');
      await two.publish('com.t.x', [], { acknowledge: true });
      await expect
        .poll(() => seen.toSorted())
        .toEqual(['exact com.t.x', 'prefix com.t.x', 'wildcard com.t.x']);
    });

    test('shared registrations take turns', async () => {
      const [one, two] = await joinTwo();
      const caller = await join();
      for (const [i, callee] of [one, two].entries()) {
        await callee.register('com.shared', () => i, { invocationPolicy: 'roundrobin' });
      }
      const answers: unknown[] = [];
      for (let i = 0; i < 4; i++) answers.push(await caller.call('com.shared'));
      expect(answers).toEqual([0, 1, 0, 1]);
    });

    test('a callee who is unavailable is passed over', async () => {
      const [one, two] = await joinTwo();
      await one.register('com.shared', () => { throw new WampError('wamp.error.unavailable'); }, { invocationPolicy: 'first' }); // prettier-ignore
      await two.register('com.shared', () => 'two', { invocationPolicy: 'first' });
      expect(await two.call('com.shared')).toBe('two');
    });

    test('events keep their order, and are not for who publishes or is excluded', async () => {
      const [publisher, subscriber] = await joinTwo();
      const third = await join();
      const seen: Record<string, unknown[]> = { publisher: [], subscriber: [], third: [] };
      for (const [who, client] of Object.entries({ publisher, subscriber, third })) {
        await client.subscribe('com.news', ({ args }) => seen[who]!.push(args[0]));
      }
      const blackWhiteList = new BlackWhiteList().excludeSessionId(third.session.sessionId);
      for (let i = 0; i < 100; i++) void publisher.publish('com.news', [i], { blackWhiteList });
      await publisher.publish('com.news', ['all'], { excludeMe: false, acknowledge: true });
      await expect.poll(() => [seen['publisher'], seen['third']]).toEqual([['all'], ['all']]);
      await expect.poll(() => seen['subscriber']).toHaveLength(101);
      expect(seen['subscriber']).toEqual([...Array.from({ length: 100 }, (_, i) => i), 'all']);
    });

    test('a retained event is there for who comes later', async () => {
      const [one, two] = await joinTwo();
      await one.publish('com.weather', ['sun'], { retain: true, acknowledge: true });
      const seen: unknown[] = [];
      const look = ({ args, isRetained }: { args: readonly unknown[]; isRetained: boolean }): unknown =>
        seen.push([args[0], isRetained]);
      await two.subscribe('com.weather', look, { getRetained: true });
      await expect.poll(() => seen).toEqual([['sun', true]]);
    });

    test('events can be read in a loop', async () => {
      const [one, two] = await joinTwo();
      const events = two.events('com.news');
      await events.ready();
      for (let i = 0; i < 3; i++) void one.publish('com.news', [i]);
      const seen: unknown[] = [];
      for await (const { args } of events) {
        seen.push(args[0]);
        if (seen.length === 3) break;
      }
      expect(seen).toEqual([0, 1, 2]);
      expect(two.getSubscriptionIds('com.news')).toEqual([]);
    });

    test('history tells what was published', async () => {
      const [one, two] = await joinTwo();
      const { id } = await two.subscribe('com.past.x', () => {}, {});
      await two.unsubscribe('com.past.x', id);
      const { id: prefix } = await two.subscribe('com.past', () => {}, { matchPolicy: 'prefix' });
      for (let i = 0; i < 3; i++) await one.publish('com.past.x', [i], { acknowledge: true });
      const events = await meta(two).subscriptions.events(prefix!, { limit: 2, reverse: true });
      expect(events.map(({ args }) => args[0])).toEqual([2, 1]);
    });

    test('ended subscriptions and registrations are over', async () => {
      const [one, two] = await joinTwo();
      const seen: unknown[] = [];
      {
        await using registration = await one.register('com.do', () => 1);
        await using subscription = await one.subscribe('com.news', ({ args }) => seen.push(args[0]));
        expect([registration.id, subscription.id].every((id) => id! > 0)).toBe(true);
        await two.publish('com.news', [1], { acknowledge: true });
        expect(await two.call('com.do')).toBe(1);
      }
      await two.publish('com.news', [2], { acknowledge: true });
      await expect(two.call('com.do')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' });
      expect(seen).toEqual([1]);
    });

    test('the router tells of sessions, registrations and subscriptions, and kills', async () => {
      const [one, two] = await joinTwo();
      const { id } = await one.register('com.do', () => 1);
      const { id: subscription } = await one.subscribe('com.news', () => {});
      const asked = meta(two);
      const sessions = [one, two].map(({ session }) => session.sessionId);
      expect(new Set(await asked.sessions.list())).toEqual(new Set(sessions));
      expect(await asked.sessions.get(one.session.sessionId)).toMatchObject({ authrole: 'anonymous' });
      expect([await asked.registrations.match('com.do'), await asked.registrations.lookup('com.do')]).toEqual(
        [id, id],
      );
      expect(await asked.registrations.listCallees(id!)).toEqual([one.session.sessionId]);
      expect(await asked.subscriptions.match('com.news')).toEqual([subscription]);
      expect(await asked.subscriptions.countSubscribers(subscription!)).toBe(1);
      await asked.sessions.kill(one.session.sessionId, { reason: 'com.app.out', message: 'go' });
      await one.waitUntilDone();
      expect(one.session.goodbye).toMatchObject({ reason: 'com.app.out', details: { message: 'go' } });
    });

    test('a testament is published when its session is gone', async () => {
      const [one, two] = await joinTwo();
      const seen: unknown[] = [];
      await two.subscribe('com.left', ({ args }) => seen.push(args[0]));
      await testament(one).add('com.left', ['taken back']);
      await testament(one).flush();
      await testament(one).add('com.left', ['ada']);
      await one.close();
      await expect.poll(() => seen).toEqual(['ada']);
    });

    test('payloads pass through unseen', async () => {
      const form = new PassThru({ scheme: 'x_test', serializer: jsonSerializer });
      const [one, two] = [await join({ passThru: [form] }), await join({ passThru: [form] })];
      const seen: unknown[] = [];
      await one.subscribe('com.news', ({ args, kwargs }) => seen.push([args, kwargs]));
      await two.publish('com.news', ['x'], { kwargs: { k: 1 }, passThru: form, acknowledge: true });
      await expect.poll(() => seen).toEqual([[['x'], { k: 1 }]]);
    });

    test('a lost connection comes back with all that was registered and subscribed, and what was missed', async () => {
      const client = await join({ reconnect: { initialMs: 100, jitter: 0 } });
      const other = await join();
      const seen: unknown[] = [];
      await client.register('com.add', ({ args: [a, b] }) => Number(a) + Number(b));
      await client.subscribe('com.past', ({ args, isReplayed }) => seen.push([args[0], isReplayed]), {
        matchPolicy: 'prefix',
        history: { limit: 100 },
      });
      await other.publish('com.past.y', ['before'], { acknowledge: true });
      await expect.poll(() => seen.length).toBe(1);
      const first = client.session;
      first.transport.close();
      await expect.poll(() => client.state).toBe('waiting');
      await other.publish('com.past.y', ['meanwhile'], { acknowledge: true });
      expect(client.state).toBe('waiting');
      await client.ready();
      expect(client.session).not.toBe(first);
      expect(await other.call('com.add', [1, 2])).toBe(3);
      await other.publish('com.past.y', ['after'], { acknowledge: true });
      await expect
        .poll(() => seen)
        .toEqual([
          ['before', false],
          ['meanwhile', true],
          ['after', false],
        ]);
    });
  });
}
