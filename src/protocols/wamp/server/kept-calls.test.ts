import { expect, it } from 'vitest';

import { type Fields, toMessage } from '../../../../test/conformance/wamp-peer.js';
import { Payload } from '../messages/payload.js';
import type { LocalInvocation } from './local-invocation.js';
import { startRouter } from './testing/start-router.js';

/*
 * What is kept of calls under way, and of messages that wait, is bounded in octets for each caller.
 */

type Peer = ReturnType<ReturnType<typeof startRouter>['open']>;

const sendLong = (peer: Peer, bytes: number, ...fields: Fields): void =>
  peer.connection.receive(toMessage(fields), bytes);
const errorsOf = (peer: Peer): unknown[] => peer.look().map(([type, , , , error]) => error ?? type);
const unavailable = 'wamp.error.unavailable';

it('messages that wait for the authorizer: as many octets as the limit, and one more ends the session', async () => {
  const decisions: ((answer: boolean) => void)[] = [];
  const authorize = () => new Promise<boolean>((resolve) => void decisions.push(resolve));
  const { join } = startRouter({ realms: { realm1: { authorize } }, limits: { waitingBytes: 100 } });
  const peer = join();
  sendLong(peer, 1000, 32, 1, {}, 'com.a');
  sendLong(peer, 60, 32, 2, {}, 'com.b');
  sendLong(peer, 40, 32, 3, {}, 'com.c');
  for (const count of [1, 2]) {
    await expect.poll(() => decisions.length).toBe(count);
    decisions.at(-1)!(true);
  }
  // The third one is with the authorizer, and nothing waits behind it.
  await expect.poll(() => decisions.length).toBe(3);
  expect(errorsOf(peer)).toEqual([33, 33]);
  sendLong(peer, 100, 32, 4, {}, 'com.d');
  expect([errorsOf(peer), peer.output.isEnded]).toEqual([[], false]);
  sendLong(peer, 1, 32, 5, {}, 'com.e');
  expect([peer.look()[0]?.[2], peer.output.isEnded]).toEqual(['wamp.error.protocol_violation', true]);
});

it('options of calls: one more than the limit is refused until another has its answer', () => {
  // 109 as they are counted.
  const options = { junk: 'x'.repeat(81) };
  const { join } = startRouter({ limits: { callBytes: 2 * 109 } });
  const [callee, caller, other] = [join(), join(), join()];
  callee.send(64, 1, {}, 'com.p');
  for (const request of [1, 2, 3])
    caller.send(48, request, options, 'com.p', ['not kept, so not counted'.repeat(100)]);
  expect(errorsOf(caller)).toEqual([unavailable]);
  caller.send(48, 4, {}, 'com.p');
  other.send(48, 1, options, 'com.p');
  expect([errorsOf(caller), errorsOf(other)]).toEqual([[], []]);
  callee.send(70, 1, {});
  caller.send(48, 5, options, 'com.p');
  caller.send(48, 6, options, 'com.p');
  expect(errorsOf(caller)).toEqual([50, unavailable]);
});

it('arguments for another callee: past the limit the call has one callee only', () => {
  const { join } = startRouter({ limits: { callBytes: 100 } });
  const [first, second, caller] = [join(), join(), join()];
  for (const callee of [first, second]) callee.send(64, 1, { invoke: 'first' }, 'com.p');
  for (const request of [1, 2, 3])
    sendLong(caller, request === 2 ? 41 : 50, 48, request, {}, 'com.p', [request]);
  for (const invocation of [1, 2, 3]) first.send(8, 68, invocation, {}, unavailable);
  expect(second.look().slice(1)).toMatchObject([
    [68, 1, 1, {}, [1]],
    [68, 2, 1, {}, [2]],
  ]);
  expect(caller.look()).toEqual([[8, 48, 3, {}, unavailable]]);
  for (const invocation of [1, 2]) second.send(70, invocation, {});
  sendLong(caller, 100, 48, 4, {}, 'com.p', [4]);
  first.send(8, 68, 4, {}, unavailable);
  expect(second.look()).toMatchObject([[68, 3, 1, {}, [4]]]);
});

it('arguments that a procedure of the application works on: one more than the limit is refused', async () => {
  const { router, join } = startRouter({ limits: { callBytes: 100 } });
  const running: LocalInvocation[] = [];
  const callee = router.realm('realm1')!.addCallee('app', 'app');
  callee.register({ procedure: 'com.work' }, (invocation) => void running.push(invocation));
  const caller = join();
  sendLong(caller, 60, 48, 1, {}, 'com.work');
  sendLong(caller, 40, 48, 2, {}, 'com.work');
  sendLong(caller, 1, 48, 3, {}, 'com.work');
  expect(caller.look()).toEqual([[8, 48, 3, {}, unavailable, ['too much is kept of calls under way']]]);
  await expect.poll(() => running.length).toBe(2);
  running[0]!.result(Payload.empty);
  sendLong(caller, 60, 48, 4, {}, 'com.work');
  sendLong(caller, 1, 48, 5, {}, 'com.work');
  expect(errorsOf(caller)).toEqual([50, unavailable]);
  caller.connection.lose();
  await expect.poll(() => running.length).toBe(2);
});
