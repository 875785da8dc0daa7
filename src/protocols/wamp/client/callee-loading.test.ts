import { afterEach, expect, test, vi } from 'vitest';
import * as MessageType from '../messages/message-type.js';
import { withResolvers } from './async-queue.js';
import { ScriptedRouter, settled } from './testing/scripted-router.js';

/* What answers calls is loaded with the first registration. */

const CODE = './invocations.js';

afterEach(() => vi.doUnmock(CODE));

test('calls that come before the code that answers them are answered, in order', async () => {
  const { promise: arrived, resolve: arrive } = withResolvers<void>();
  vi.doMock(CODE, async (load) => {
    await arrived;
    return await load();
  });
  const router = new ScriptedRouter();
  const client = await router.connect();
  let isRegistered = false;
  const registering = client.register('com.do', ({ args }) => args[0]).then(() => (isRegistered = true));
  const { request } = await router.next(MessageType.register);
  router.send({ type: MessageType.registered, request, registration: 7 });
  for (const call of [1, 2, 3]) router.invoke(call, 7, [call]);
  router.send({ type: MessageType.interrupt, request: 2, options: { mode: 'kill' } });
  await client.publish('com.x');
  await router.next(MessageType.publish);
  expect([isRegistered, router.all(MessageType.yield).length]).toEqual([false, 0]);
  arrive();
  await registering;
  await settled(() => router.all(MessageType.yield).length === 3);
  expect(router.all(MessageType.yield).map((answer) => answer.request)).toEqual([1, 2, 3]);
  await client.close();
});

test('code that does not come fails the registration, sends callers to somebody else, and is asked for again', async () => {
  vi.doMock(CODE, () => {
    throw new Error('offline');
  });
  const router = new ScriptedRouter();
  const client = await router.connect();
  const registering = client.register('com.do', () => 1).catch((error: unknown) => error);
  const { request } = await router.next(MessageType.register);
  router.send({ type: MessageType.registered, request, registration: 7 });
  router.invoke(1, 7, []);
  expect(await registering).toMatchObject({ code: 'TRANSPORT' });
  expect(await router.next(MessageType.error)).toMatchObject({ request: 1, error: 'wamp.error.unavailable' });
  expect(await router.next(MessageType.unregister)).toMatchObject({ registration: 7 });
  vi.doUnmock(CODE);
  const again = client.register('com.do', () => 1);
  const { request: second } = await router.next(MessageType.register, 2);
  router.send({ type: MessageType.registered, request: second, registration: 8 });
  expect((await again).id).toBe(8);
  await client.close();
});
