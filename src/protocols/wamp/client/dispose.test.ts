import { expect, test } from 'vitest';
import * as MessageType from '../messages/message-type.js';
import type { ClientMessage } from './message.js';
import { ScriptedRouter, settled } from './testing/scripted-router.js';

/** Says yes to whatever is asked for. */
function obliging(router: ScriptedRouter): {
  readonly trace: string[];
  readonly answer: (count: number) => Promise<void>;
} {
  const trace: string[] = [];
  const yes = (message: ClientMessage): void => {
    if (message.type === MessageType.register) {
      trace.push('register');
      router.send({ type: MessageType.registered, request: message.request, registration: 7 });
    } else if (message.type === MessageType.subscribe) {
      trace.push(`subscribe ${message.topic}`);
      router.send({ type: MessageType.subscribed, request: message.request, subscription: trace.length });
    } else if (message.type === MessageType.unregister) {
      trace.push(`unregister ${message.registration}`);
      router.send({ type: MessageType.unregistered, request: message.request });
    } else if (message.type === MessageType.unsubscribe) {
      trace.push(`unsubscribe ${message.subscription}`);
      router.send({ type: MessageType.unsubscribed, request: message.request });
    } else if (message.type === MessageType.goodbye) trace.push('goodbye');
  };
  return {
    trace,
    answer: async (count) => {
      for (let i = 0; i < count; i++) {
        await settled(() => router.received.length > 0);
        yes(router.received.shift()!);
      }
    },
  };
}

test('await using ends registrations, subscriptions, events and the client, the latest first', async () => {
  const router = new ScriptedRouter();
  const { trace, answer } = obliging(router);
  const answering = answer(7);
  {
    await using client = await router.connect();
    await using registration = await client.register('com.do', () => 1);
    await using subscription = await client.subscribe('com.news', () => {});
    await using events = client.events('com.more');
    expect([(await events.ready()).id, subscription.id, registration.id]).toEqual([3, 2, 7]);
  }
  await answering;
  expect(trace).toEqual([
    'register',
    'subscribe com.news',
    'subscribe com.more',
    'unsubscribe 3',
    'unsubscribe 2',
    'unregister 7',
    'goodbye',
  ]);
});

test('leaving a loop over events ends their subscription', async () => {
  const router = new ScriptedRouter();
  const { trace, answer } = obliging(router);
  const client = await router.connect();
  const events = client.events('com.news');
  await answer(1);
  router.event(1, 1, ['first']);
  const ending = answer(1);
  for await (const event of events) {
    expect(event.args).toEqual(['first']);
    break;
  }
  await ending;
  expect(trace).toEqual(['subscribe com.news', 'unsubscribe 1']);
  await client.close();
});
