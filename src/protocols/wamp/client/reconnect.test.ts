import { describe, expect, test } from 'vitest';
import * as MessageType from '../messages/message-type.js';
import type { Client } from './client.js';
import type { ConnectOptions } from './connect.js';
import { ClientClosed, TransportError } from './errors.js';
import { reconnectDelayMs } from './reconnect.js';
import { ScriptedRouter, settled } from './testing/scripted-router.js';

const { register: REGISTER, subscribe: SUBSCRIBE, call: CALL, goodbye: GOODBYE } = MessageType;

/** No randomness: the first attempt comes after 200 ms. */
const RECONNECT: Partial<ConnectOptions> = { reconnect: { jitter: 0 } };

async function answer(router: ScriptedRouter, count: number, id: number): Promise<void> {
  const { request } = await router.next(SUBSCRIBE, count);
  router.send({ type: MessageType.subscribed, request, subscription: id });
}

/** A client with a registration (7) and a subscription (3). */
async function furnished(
  options: { readonly history?: boolean } = {},
): Promise<{ router: ScriptedRouter; client: Client; events: string[]; log: string[] }> {
  const router = new ScriptedRouter();
  const client = await router.connect(RECONNECT);
  const [events, log]: [string[], string[]] = [[], []];
  client.on('state', (state) => log.push(state));
  client.on('restored', (session) => log.push(`restored ${session.sessionId}`));
  client.on('gap', ({ subscription, lastPublicationId }) =>
    log.push(`gap ${subscription.topic} ${lastPublicationId}`),
  );
  const registering = client.register('com.add', () => 'served', { invocationPolicy: 'roundrobin' });
  const { request } = await router.next(REGISTER);
  router.send({ type: MessageType.registered, request, registration: 7 });
  const history = options.history === true ? { limit: 10 } : undefined;
  const subscribing = client.subscribe(
    'com.news',
    ({ args, isReplayed }) => events.push(`${String(args[0])}${isReplayed ? ' replayed' : ''}`),
    { matchPolicy: 'prefix', history },
  );
  await answer(router, 1, 3);
  await Promise.all([registering, subscribing]);
  router.received = [];
  return { router, client, events, log };
}

/** The connection breaks, and the client comes back as soon as it tries. */
async function comeBack(router: ScriptedRouter, client: Client): Promise<void> {
  router.drop();
  await settled(() => client.state === 'waiting');
  router.received = [];
  router.clock.advance(200);
  const { request, options } = await router.next(REGISTER);
  expect(options).toEqual({ invoke: 'roundrobin' });
  router.send({ type: MessageType.registered, request, registration: 70 });
}

describe('a client that has lost its connection', () => {
  test('comes back with its registrations and subscriptions, and their handles know their new ids', async () => {
    const { router, client, events, log } = await furnished();
    router.event(3, 100, ['before']);
    await settled(() => events.length === 1);
    await comeBack(router, client);
    expect((await router.next(SUBSCRIBE)).options).toEqual({ match: 'prefix' });
    await answer(router, 1, 30);
    await client.ready();
    expect([client.getRegistrationIds('com.add'), client.getSubscriptionIds('com.news')]).toEqual([
      [70],
      [30],
    ]);
    router.event(30, 101, ['after']);
    router.invoke(1, 70, []);
    expect((await router.next(MessageType.yield)).payload.args).toEqual(['served']);
    expect(events).toEqual(['before', 'after']);
    expect(log).toEqual(['waiting', 'restoring', 'gap com.news 100', 'restored 2', 'open']);
  });

  test('asks the history for what it missed, and delivers that first and nothing twice', async () => {
    const { router, client, events } = await furnished({ history: true });
    router.event(3, 100, ['one']);
    await settled(() => events.length === 1);
    await comeBack(router, client);
    await answer(router, 1, 30);
    const { procedure, payload, request } = await router.next(CALL);
    expect([procedure, payload.args, payload.kwargs]).toEqual([
      'wamp.subscription.get_events',
      [30],
      { after_publication: 100, limit: 10 },
    ]);
    router.event(30, 102, ['three']);
    router.event(30, 103, ['four']);
    router.result(request, [
      [
        { publication: 101, args: ['two'] },
        { publication: 102, args: ['three'] },
      ],
    ]);
    await client.ready();
    expect(events).toEqual(['one', 'two replayed', 'three replayed', 'four']);
  });

  test.each([
    [1000, 0],
    [1001, 1],
  ])('of %d events that come before the history drops %d, the oldest', async (count, dropped) => {
    const { router, client, events } = await furnished({ history: true });
    const counts: number[] = [];
    client.on('gap', ({ subscription }) => counts.push(subscription.dropped));
    router.event(3, 100, ['one']);
    await settled(() => events.length === 1);
    await comeBack(router, client);
    await answer(router, 1, 30);
    const { request } = await router.next(CALL);
    for (let i = 1; i <= count; i++) router.event(30, 100 + i, [i]);
    router.result(request, []);
    await client.ready();
    const kept = Array.from({ length: 1000 }, (_, i) => String(dropped + 1 + i));
    expect(events).toEqual(['one', ...kept]);
    expect(counts).toEqual([dropped]);
  });

  test('listens again where there is no history, and says so', async () => {
    const { router, client, events } = await furnished({ history: true });
    router.event(3, 100, ['one']);
    await settled(() => events.length === 1);
    await comeBack(router, client);
    await answer(router, 1, 30);
    const { request } = await router.next(CALL);
    router.event(30, 102, ['three']);
    router.error(CALL, request, 'wamp.error.no_such_procedure');
    await client.ready();
    router.event(30, 103, ['four']);
    await settled(() => events.length === 3);
    expect(events).toEqual(['one', 'three', 'four']);
    expect(router.errors).toEqual([expect.objectContaining({ uri: 'wamp.error.no_such_procedure' })]);
  });

  test('fails what was under way, and sends later what is asked meanwhile', async () => {
    const { router, client } = await furnished();
    const underWay = client.call('a');
    await router.next(CALL);
    router.drop();
    await expect(underWay).rejects.toBeInstanceOf(TransportError);
    const meanwhile = client.call('b');
    router.received = [];
    router.clock.advance(200);
    const { request, procedure } = await router.next(CALL);
    expect(procedure).toBe('b');
    router.result(request, ['answer']);
    expect(await meanwhile).toBe('answer');
  });

  test('waits longer and longer, and not for ever once it is closed', async () => {
    const { router, client } = await furnished();
    router.isAway = true;
    router.drop();
    await settled(() => client.state === 'waiting');
    for (const waitMs of [200, 400, 800]) {
      router.clock.advance(waitMs - 1);
      await settled(() => router.clock.pendingTimers === 1);
      router.clock.advance(1);
      await settled(() => router.clock.pendingTimers === 1);
    }
    const waiting = expect(client.call('a')).rejects.toBeInstanceOf(ClientClosed);
    const done = client.waitUntilDone();
    await client.close();
    await Promise.all([waiting, done]);
    expect([client.state, router.clock.pendingTimers, router.hellos.length]).toEqual(['closed', 0, 1]);
  });

  test('keeps what it could not restore because the connection broke again', async () => {
    const { router, client } = await furnished();
    router.drop();
    await settled(() => client.state === 'waiting');
    router.clock.advance(200);
    await settled(() => client.state === 'restoring');
    router.drop();
    await settled(() => client.state === 'waiting');
    router.received = [];
    router.clock.advance(400);
    router.send({
      type: MessageType.registered,
      request: (await router.next(REGISTER)).request,
      registration: 71,
    });
    await answer(router, 1, 31);
    await client.ready();
    expect([client.getRegistrationIds('com.add'), client.getSubscriptionIds('com.news')]).toEqual([
      [71],
      [31],
    ]);
  });

  test('gives up what the router refuses to restore, and says so', async () => {
    const { router, client } = await furnished();
    router.drop();
    await settled(() => client.state === 'waiting');
    router.received = [];
    router.clock.advance(200);
    router.error(REGISTER, (await router.next(REGISTER)).request, 'wamp.error.procedure_already_exists');
    await answer(router, 1, 30);
    await client.ready();
    expect(client.getRegistrationIds('com.add')).toEqual([]);
    expect(router.errors).toEqual([expect.objectContaining({ uri: 'wamp.error.procedure_already_exists' })]);
  });

  test('takes back what was ended meanwhile', async () => {
    const { router, client } = await furnished();
    router.drop();
    await settled(() => client.state === 'waiting');
    await client.unsubscribe('com.news');
    router.received = [];
    router.clock.advance(200);
    router.send({
      type: MessageType.registered,
      request: (await router.next(REGISTER)).request,
      registration: 7,
    });
    await client.ready();
    expect(router.all(SUBSCRIBE)).toEqual([]);
  });
});

describe('the end', () => {
  test.each([
    ['wamp.close.system_shutdown', 'waiting'],
    ['wamp.close.killed', 'closed'],
  ])('after GOODBYE with %s is %s', async (reason, state) => {
    const router = new ScriptedRouter();
    const client = await router.connect(RECONNECT);
    router.send({ type: GOODBYE, details: {}, reason });
    await settled(() => client.state === state);
    expect((await router.next(GOODBYE)).reason).toBe('wamp.close.goodbye_and_out');
    expect(client.session.goodbye?.reason).toBe(reason);
    await client.close();
  });

  test('comes without reconnecting when the router aborts because of us', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect(RECONNECT);
    router.sendRaw('{"not": "a message"}');
    await client.waitUntilDone();
    expect((await router.next(MessageType.abort)).reason).toBe('wamp.error.protocol_violation');
    await expect(client.ready()).resolves.toBeUndefined();
    await expect(client.call('a')).rejects.toBeInstanceOf(ClientClosed);
  });

  test.each(['[1,"realm",{}]', '[2,1,{}]', '[36,1,2,{},{}]', '[36,"x",2,{}]', '[99]', '[]', '5', 'x'])(
    'comes with %s from the router',
    async (text) => {
      const router = new ScriptedRouter();
      const client = await router.connect();
      const subscribing = client.subscribe('com.news', () => {});
      await answer(router, 1, 1);
      await subscribing;
      router.sendRaw(text);
      await client.waitUntilDone();
      expect((await router.next(MessageType.abort)).reason).toBe('wamp.error.protocol_violation');
    },
  );

  test('does not wait for ever for a router that does not answer GOODBYE', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    router.isSilent = true;
    const closing = client.close();
    await router.next(GOODBYE);
    router.clock.advance(4_999);
    expect(client.state).toBe('open');
    router.clock.advance(1);
    await closing;
    expect([client.state, router.clock.pendingTimers]).toEqual(['closed', 0]);
  });

  test('comes with an answer of another kind, and what was asked for fails', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const registering = expect(client.register('com.x', () => 1)).rejects.toBeInstanceOf(ClientClosed);
    await router.next(REGISTER);
    router.send({ type: MessageType.subscribed, request: 1, subscription: 1 });
    await registering;
    expect((await router.next(MessageType.abort)).reason).toBe('wamp.error.protocol_violation');
  });

  test('with close sends GOODBYE once, and waits for its answer', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    await Promise.all([client.close({ message: 'bye' }, { reason: 'com.app.done' }), client.close()]);
    expect(router.all(GOODBYE)).toEqual([
      { type: GOODBYE, details: { message: 'bye' }, reason: 'com.app.done' },
    ]);
    expect(String(client)).toBe('Client(session 1 of realm test, closed)');
  });
});

test('waits double, stay below the maximum, and differ by the jitter only', () => {
  const options = { initialMs: 100, maxMs: 1000, jitter: 0.5 };
  const lowest = [0, 1, 2, 5, 5000].map((attempt) => reconnectDelayMs(options, attempt, 0));
  const highest = [0, 1, 5000].map((attempt) => reconnectDelayMs(options, attempt, 1));
  expect(lowest).toEqual([50, 100, 200, 500, 500]);
  expect(highest).toEqual([150, 300, 1500]);
});

test('every message that comes is told to who asks, until he has heard enough', async () => {
  const router = new ScriptedRouter();
  const client = await router.connect();
  const [types, errors]: [number[], string[]] = [[], []];
  const stop = client.on('message', ({ type }) => types.push(type));
  client.on('message', (message) => {
    if (message.type === MessageType.error) errors.push(message.error);
    if (message.type === MessageType.published) throw new Error('a listener may');
  });
  router.event(99, 1, ['for nobody']);
  router.error(CALL, 98, 'com.error.late', []);
  await settled(() => types.length === 2);
  const publishing = client.publish('com.x', [], { acknowledge: true });
  const { request } = await router.next(MessageType.publish);
  router.send({ type: MessageType.published, request, publication: 5 });
  expect(await publishing).toBe(5);
  stop();
  router.event(99, 2, []);
  const { request: id } = (client.call('com.y').catch(() => {}), await router.next(CALL));
  router.error(CALL, id, 'com.error.y');
  await settled(() => errors.length === 2);
  expect(types).toEqual([MessageType.event, MessageType.error, MessageType.published]);
  expect(errors).toEqual(['com.error.late', 'com.error.y']);
  expect(router.errors).toEqual([new Error('a listener may')]);
  await client.close();
});

test('what is given up while it is being restored is given back as soon as it has an id', async () => {
  const router = new ScriptedRouter();
  const client = await router.connect(RECONNECT);
  const registering = client.register('com.add', () => 1);
  const { request } = await router.next(REGISTER);
  router.send({ type: MessageType.registered, request, registration: 7 });
  const registration = await registering;
  router.drop();
  await settled(() => client.state === 'waiting');
  router.received = [];
  router.clock.advance(200);
  const again = await router.next(REGISTER);
  await registration.unregister();
  router.send({ type: MessageType.registered, request: again.request, registration: 70 });
  const { registration: id } = await router.next(MessageType.unregister);
  expect([id, registration.isActive, client.getRegistrationIds('com.add')]).toEqual([70, false, []]);
  await client.close();
});
