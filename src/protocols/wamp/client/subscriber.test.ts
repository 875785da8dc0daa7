import { describe, expect, test } from 'vitest';
import * as MessageType from '../messages/message-type.js';
import { BlackWhiteList } from './black-white-list.js';
import type { Client } from './client.js';
import type { Subscription, SubscribeOptions } from './subscriber.js';
import type { SubscriptionEvent } from './subscription-event.js';
import { ScriptedRouter, settled } from './testing/scripted-router.js';

const { subscribe: SUBSCRIBE, subscribed, unsubscribe: UNSUBSCRIBE, publish: PUBLISH } = MessageType;

interface Listening {
  readonly router: ScriptedRouter;
  readonly client: Client;
  readonly events: SubscriptionEvent[];
  readonly listen: (id: number, options?: SubscribeOptions) => Promise<Subscription>;
}

async function listening(): Promise<Listening> {
  const router = new ScriptedRouter();
  const client = await router.connect();
  const events: SubscriptionEvent[] = [];
  return {
    router,
    client,
    events,
    listen: async (id, options) => {
      const before = router.all(SUBSCRIBE).length;
      const subscribing = client.subscribe('com.news', (event) => events.push(event), options);
      const { request } = await router.next(SUBSCRIBE, before + 1);
      router.send({ type: subscribed, request, subscription: id });
      return await subscribing;
    },
  };
}

describe('a subscription', () => {
  test('hands events to the callback, in order, with all that is known of them', async () => {
    const { router, events, listen } = await listening();
    await listen(3, { matchPolicy: 'prefix', nodeKey: 'n', getRetained: true });
    expect(router.all(SUBSCRIBE)[0]!.options).toEqual({ match: 'prefix', nkey: 'n', get_retained: true });
    const publisher = { publisher: 9, publisher_authid: 'ada', publisher_authrole: 'user', trustlevel: 1 };
    router.event(3, 100, ['a'], { ...publisher, topic: 'com.news.today' });
    router.event(3, 101, ['b'], { retained: true });
    await settled(() => events.length === 2);
    const [first, second] = events;
    expect([first!.publicationId, first!.topic, first!.subscribedTopic, first!.args]).toEqual([
      100,
      'com.news.today',
      'com.news',
      ['a'],
    ]);
    expect([first!.publisherId, first!.publisherAuthId, first!.publisherAuthRole, first!.trustLevel]).toEqual(
      [9, 'ada', 'user', 1],
    );
    expect([first!.isRetained, second!.isRetained, second!.isReplayed]).toEqual([false, true, false]);
  });

  test('shares its id with others; only the last one tells the router', async () => {
    const { router, client, events, listen } = await listening();
    const [one, two] = [await listen(3), await listen(3)];
    expect(client.getSubscriptionIds('com.news')).toEqual([3]);
    router.event(3, 100, []);
    await settled(() => events.length === 2);
    await one.unsubscribe();
    router.event(3, 101, []);
    await settled(() => events.length === 3);
    expect(router.all(UNSUBSCRIBE)).toEqual([]);
    const ending = events[2]!.unsubscribe();
    const { request, subscription } = await router.next(UNSUBSCRIBE);
    router.send({ type: MessageType.unsubscribed, request });
    await ending;
    expect([subscription, two.isActive, client.getSubscriptionIds('com.news')]).toEqual([3, false, []]);
    await expect(client.unsubscribe('com.news')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a callback that throws or rejects is reported, and the others hear the event', async () => {
    const { router, client, events, listen } = await listening();
    const failing = async (callback: () => unknown, count: number): Promise<void> => {
      const subscribing = client.subscribe('com.news', callback);
      const { request } = await router.next(SUBSCRIBE, count);
      router.send({ type: subscribed, request, subscription: 3 });
      await subscribing;
    };
    await failing(() => {
      throw new Error('thrown');
    }, 1);
    await failing(async () => {
      throw new Error('rejected');
    }, 2);
    await listen(3);
    router.event(3, 100, []);
    await settled(() => events.length === 1 && router.errors.length === 2);
    expect(router.errors.map((error) => (error as Error).message)).toEqual(['thrown', 'rejected']);
  });

  test('that was revoked by the router is over', async () => {
    const { router, client, listen } = await listening();
    const subscription = await listen(3);
    router.send({
      type: MessageType.unsubscribed,
      request: 0,
      details: { subscription: 3, reason: 'com.why' },
    });
    await settled(() => !subscription.isActive);
    expect(client.getSubscriptionIds('com.news')).toEqual([]);
    expect(String(router.errors[0])).toContain('com.why');
  });

  test('ends with the block that it is used in', async () => {
    const { router, listen } = await listening();
    const subscription = await listen(3);
    const ending = subscription[Symbol.asyncDispose]();
    const { request } = await router.next(UNSUBSCRIBE);
    router.send({ type: MessageType.unsubscribed, request });
    await ending;
    await subscription.unsubscribe();
    expect(router.all(UNSUBSCRIBE)).toHaveLength(1);
  });
});

describe('events to be read', () => {
  async function reading(overflow: 'drop-oldest' | 'drop-newest' | 'fail') {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const events = client.events('com.news', { buffer: 2, overflow });
    await router.next(SUBSCRIBE);
    router.send({ type: subscribed, request: 1, subscription: 3 });
    await events.ready();
    return { router, client, events };
  }

  test.each([
    ['drop-oldest', [2, 3], 1],
    ['drop-newest', [1, 2], 1],
  ] as const)('%s beyond the buffer', async (overflow, kept, dropped) => {
    const { router, events, client } = await reading(overflow);
    for (const i of [1, 2, 3]) router.event(3, i, [i]);
    await settled(() => events.dropped === dropped);
    const seen: unknown[] = [];
    for (let i = 0; i < 2; i++) seen.push((await events.next()).value?.args[0]);
    expect(seen).toEqual(kept);
    await client.close();
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test('fail beyond the buffer, if that is wanted, after what was kept', async () => {
    const { router, events } = await reading('fail');
    for (const i of [1, 2, 3]) router.event(3, i, [i]);
    await settled(() => events.dropped === 1);
    const seen: unknown[] = [];
    const all = (async () => {
      for await (const event of events) seen.push(event.args[0]);
    })();
    await expect(all).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
    expect(seen).toEqual([1, 2]);
  });

  test('unsubscribe when the loop is left', async () => {
    const { router, events } = await reading('fail');
    router.event(3, 1, ['x']);
    const first = (async () => {
      for await (const event of events) return event.args[0];
      return undefined;
    })();
    const { request } = await router.next(UNSUBSCRIBE);
    router.send({ type: MessageType.unsubscribed, request });
    expect(await first).toBe('x');
  });

  test('reject when the router refuses', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const events = client.events('com.news');
    await router.next(SUBSCRIBE);
    router.error(SUBSCRIBE, 1, 'wamp.error.not_authorized');
    await expect(events.next()).rejects.toMatchObject({ uri: 'wamp.error.not_authorized' });
  });
});

describe('publishing', () => {
  test('does not wait for what its own options say will not come', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const options = { acknowledge: true, options: { acknowledge: false } };
    expect(await client.publish('com.news', [], options)).toBeUndefined();
    expect((await router.next(MessageType.publish)).options).toEqual({ acknowledge: false });
  });

  test('resolves with the publication id when it is to be acknowledged', async () => {
    const { router, client } = await listening();
    const publishing = client.publish('com.news', ['x'], { acknowledge: true, kwargs: { k: 1 } });
    const { request, options, payload } = await router.next(PUBLISH);
    expect([options, payload.args, payload.kwargs]).toEqual([{ acknowledge: true }, ['x'], { k: 1 }]);
    router.send({ type: MessageType.published, request, publication: 77 });
    expect(await publishing).toBe(77);
    const refused = client.publish('com.news', [], { acknowledge: true });
    await router.next(PUBLISH, 2);
    router.error(PUBLISH, 2, 'wamp.error.not_authorized');
    await expect(refused).rejects.toMatchObject({ uri: 'wamp.error.not_authorized' });
  });

  test('resolves at once otherwise, and says what it is told to', async () => {
    const { router, client } = await listening();
    const blackWhiteList = new BlackWhiteList({ excludedIds: [1], eligibleAuthRoles: ['user'] });
    const options = { excludeMe: false, discloseMe: true, resourceKey: 'k', retain: true, blackWhiteList };
    expect(await client.publish('com.news', [], options)).toBeUndefined();
    expect((await router.next(PUBLISH)).options).toEqual({
      exclude_me: false,
      disclose_me: true,
      rkey: 'k',
      retain: true,
      exclude: [1],
      eligible_authrole: ['user'],
    });
  });
});
