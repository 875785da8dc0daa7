import { describe, expect, it } from 'vitest';

import { type Fields, toMessage } from '../../../../test/conformance/wamp-peer.js';
import { MessageError } from '../messages/message-error.js';
import { anonymousAuth } from './auth/anonymous.js';
import type { AuthStep } from './auth/authenticator.js';
import type { Authorization } from './options.js';
import { startRouter as start } from './testing/start-router.js';

/*
 * What needs a clock, a hook or a peer that reads slowly: connections without transports.
 */

describe('authorizer', () => {
  const deny = 'wamp.error.not_authorized';

  it('decides before anything is looked up, and its errors are a no', () => {
    const { join, errors } = start({
      realms: {
        realm1: {
          authorize: ({ action, uri }) => {
            if (uri === 'com.crash') throw new Error('out of order');
            return action === 'subscribe';
          },
        },
      },
    });
    const peer = join();
    peer.send(48, 1, {}, 'com.nothing');
    peer.send(64, 2, {}, 'com.mine');
    peer.send(16, 3, { acknowledge: true }, 'com.topic');
    peer.send(16, 4, {}, 'com.topic');
    peer.send(32, 5, {}, 'com.crash');
    peer.send(32, 6, {}, 'com.topic');
    expect(peer.look().map(([type, kind, , , uri]) => (type === 8 ? [kind, uri] : type))).toEqual([
      [48, deny],
      [64, deny],
      [16, deny],
      [32, deny],
      33,
    ]);
    expect(errors).toHaveLength(1);
  });

  it('may take its time: what comes behind waits, in order', async () => {
    const answers: ((answer: boolean) => void)[] = [];
    const authorize = () => new Promise<boolean>((resolve) => answers.push(resolve));
    const { join } = start({ realms: { realm1: { authorize } } });
    const peer = join();
    peer.send(32, 1, {}, 'com.a');
    peer.send(32, 2, {}, 'com.b');
    peer.send(34, 3, 999);
    expect([answers.length, peer.look()]).toEqual([1, []]);
    answers[0]!(false);
    await expect.poll(() => answers.length).toBe(2);
    expect(peer.look()).toEqual([[8, 32, 1, {}, deny, ['not allowed to subscribe']]]);
    answers[1]!(true);
    await expect
      .poll(() => peer.look())
      .toEqual([
        [33, 2, 1],
        [8, 34, 3, {}, 'wamp.error.no_such_subscription'],
      ]);
  });

  it('is remembered as long as it says', () => {
    let asked = 0;
    const authorize = (): Authorization => {
      asked++;
      return { allow: true, cacheMs: 1000, trustLevel: 5, disclose: true };
    };
    const { join, clock } = start({ realms: { realm1: { authorize } } });
    const [callee, caller] = [join(), join()];
    callee.send(64, 1, {}, 'com.p');
    callee.look();
    for (const request of [1, 2]) caller.send(48, request, {}, 'com.p');
    expect(asked).toBe(2);
    expect(callee.look()[0]?.[3]).toMatchObject({ trustlevel: 5, caller_authrole: 'anonymous' });
    clock.advance(1001);
    caller.send(48, 3, {}, 'com.p');
    expect(asked).toBe(3);
  });

  it('its trust level goes to callees, also to the next one, and to subscribers', () => {
    const authorize = (): Authorization => ({ allow: true, trustLevel: 7 });
    const { join } = start({ realms: { realm1: { authorize } } });
    const [one, two, peer] = [join(), join(), join()];
    for (const callee of [one, two]) callee.send(64, 1, { invoke: 'first' }, 'com.p');
    one.send(32, 2, {}, 'com.t');
    for (const callee of [one, two]) callee.look();
    peer.send(48, 1, {}, 'com.p');
    one.send(8, 68, 1, {}, 'wamp.error.unavailable');
    peer.send(16, 2, {}, 'com.t');
    expect(one.look().map((fields) => fields[3])).toEqual([{ trustlevel: 7 }, { trustlevel: 7 }]);
    expect(two.look().map((fields) => fields[3])).toEqual([{ trustlevel: 7 }]);
  });

  it('a call that was canceled is not passed on to the next callee', () => {
    const { join } = start();
    const [one, two, caller] = [join(), join(), join()];
    for (const callee of [one, two]) callee.send(64, 1, { invoke: 'first' }, 'com.p');
    two.look();
    caller.send(48, 1, {}, 'com.p');
    caller.send(49, 1, { mode: 'kill' });
    one.send(8, 68, 1, {}, 'wamp.error.unavailable');
    expect([two.look(), caller.look()]).toEqual([[], [[8, 48, 1, {}, 'wamp.error.unavailable']]]);
  });

  it('whoever is not allowed learns nothing of what there is', () => {
    const { join } = start({
      realms: { realm1: { authorize: ({ session }) => session.authid === allowed } },
    });
    const member = join();
    const allowed = member.connection.session!.authid;
    member.send(64, 1, {}, 'com.there');
    member.send(32, 2, {}, 'com.there');
    expect(member.look().map(([type]) => type)).toEqual([65, 33]);
    const stranger = join();
    const ask = (uri: string): unknown => {
      stranger.send(48, 1, {}, uri, [1]);
      stranger.send(48, 2, { disclose_me: true, runmode: 'partition', rkey: 'x' }, uri);
      stranger.send(64, 3, {}, uri);
      stranger.send(64, 4, { force_reregister: true }, uri);
      stranger.send(32, 5, { get_retained: true }, uri);
      stranger.send(16, 6, { acknowledge: true, disclose_me: true }, uri);
      return stranger.look();
    };
    expect(ask('com.there')).toEqual(ask('com.not.there'));
    expect(ask('wamp.session.get')).toEqual(
      expect.arrayContaining([[8, 48, 1, {}, deny, ['not allowed to call']]]),
    );
    expect(member.look()).toEqual([]);
  });

  it('with more waiting than the limit the session ends', () => {
    const authorize = () => new Promise<boolean>(() => {});
    const { join } = start({ realms: { realm1: { authorize } }, limits: { waitingMessages: 2 } });
    const peer = join();
    for (const request of [1, 2, 3]) peer.send(32, request, {}, 'com.a');
    expect(peer.output.isEnded).toBe(false);
    peer.send(32, 4, {}, 'com.a');
    expect(peer.look()[0]?.[2]).toBe('wamp.error.protocol_violation');
    expect(peer.output.isEnded).toBe(true);
  });
});

describe('slow and dead peers', () => {
  it('a callee whose queue is full is passed over; the only one is not available', () => {
    const { join } = start({ limits: { queueBytes: 1000 } });
    const [slow, quick, caller] = [join(), join(), join()];
    for (const peer of [slow, quick]) {
      peer.send(64, 1, { invoke: 'first' }, 'com.p');
      peer.look();
    }
    slow.output.queuedBytes = 1001;
    caller.send(48, 1, {}, 'com.p');
    expect([slow.look().length, quick.look().length]).toEqual([0, 1]);
    quick.connection.lose();
    caller.look();
    caller.send(48, 2, {}, 'com.p');
    expect(caller.look()).toEqual([[8, 48, 2, {}, 'wamp.error.no_available_callee']]);
  });

  it('a subscriber whose queue is full misses events, and after a time is sent away', () => {
    const { join, clock, router } = start({ limits: { queueBytes: 1000, slowMs: 5000 } });
    const [slow, recovering, publisher] = [join(), join(), join()];
    for (const peer of [slow, recovering]) peer.send(32, 1, {}, 'com.t');
    for (const peer of [slow, recovering]) peer.look();
    const publish = (): void => publisher.send(16, 1, {}, 'com.t');
    slow.output.queuedBytes = recovering.output.queuedBytes = 1000;
    publish();
    slow.output.queuedBytes = recovering.output.queuedBytes = 1001;
    publish();
    expect([slow.look().length, recovering.look().length]).toEqual([1, 1]);
    clock.advance(4900);
    recovering.output.queuedBytes = 0;
    publish();
    publish();
    publisher.send(48, 2, {}, 'wamp.session.get', [slow.connection.session!.session]);
    expect(publisher.look()[0]?.[3]).toMatchObject([{ x_dropped_events: 3 }]);
    clock.advance(200);
    const reason = 'wamp.error.network_failure';
    expect(slow.look()).toEqual([[6, { message: 'the session reads too slowly' }, reason]]);
    expect(recovering.look().map(([type]) => type)).toEqual([36, 36]);
    clock.advance(1100);
    expect([slow.output.isEnded, recovering.output.isEnded, router.connectionCount]).toEqual([
      true,
      false,
      2,
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('progress for a caller who does not read ends the call, and is no memory', () => {
    const { join } = start({ limits: { queueBytes: 1000 } });
    const [callee, caller] = [join(), join()];
    callee.send(64, 1, {}, 'com.report');
    caller.send(48, 1, { receive_progress: true }, 'com.report');
    callee.look();
    callee.send(70, 1, { progress: true }, [1]);
    caller.output.queuedBytes = 1001;
    for (let n = 0; n < 100_000; n++) callee.send(70, 1, { progress: true }, [n]);
    expect(callee.look()).toEqual([[69, 1, { mode: 'killnowait', reason: 'wamp.error.network_failure' }]]);
    expect(caller.look().map(([type]) => type)).toEqual([50, 8]);
  });

  it('an invocation that its callee cannot take is the error of the caller, and nothing is left of it', () => {
    const { join } = start();
    const [callee, caller] = [join(), join()];
    callee.send(64, 1, { concurrency: 1 }, 'com.p');
    for (const [answer, uri] of [
      ['tooLong', 'wamp.error.payload_size_exceeded'],
      ['unencodable', 'wamp.error.invalid_argument'],
    ] as const) {
      callee.output.answer = answer;
      caller.send(48, answer === 'tooLong' ? 1 : 2, {}, 'com.p');
      expect(caller.look()[0]?.[4]).toBe(uri);
    }
    callee.output.answer = 'sent';
    callee.look();
    caller.send(48, 3, {}, 'com.p');
    expect(callee.look()).toHaveLength(1);
  });
});

describe('a realm that is closed', () => {
  it('sends its members away, and lets nobody in who was still joining', async () => {
    let welcome: (step: AuthStep) => void = () => {};
    const slow = { name: 'slow', begin: () => new Promise<AuthStep>((resolve) => (welcome = resolve)) };
    const { router, open, join, clock } = start({ auth: [anonymousAuth(), slow] });
    const [member, joining] = [join(), open()];
    joining.send(1, 'realm1', { roles: { caller: {} }, authmethods: ['slow'] });
    router.removeRealm('realm1');
    router.addRealm('realm1');
    expect(member.look()).toEqual([[6, {}, 'wamp.close.close_realm']]);
    welcome({ kind: 'welcome', principal: { authid: 'x', authrole: 'x' } });
    await expect.poll(() => joining.look().map((fields) => fields[2])).toEqual(['wamp.error.no_such_realm']);
    clock.advance(1100);
    expect(router.connectionCount).toBe(0);
  });
});

describe('limits', () => {
  it('a message past the limit is answered, and the session goes on', () => {
    const { join } = start({ limits: { messageBytesMax: 100 } });
    const [callee, caller] = [join(), join()];
    callee.send(64, 1, {}, 'com.p');
    caller.connection.receive(toMessage([48, 1, {}, 'com.p']), 100);
    expect(callee.look()).toHaveLength(2);
    caller.connection.receive(toMessage([48, 2, {}, 'com.p']), 101);
    expect(caller.look()[0]?.[4]).toBe('wamp.error.payload_size_exceeded');
    callee.connection.receive(toMessage([70, 1, {}]), 101);
    expect(caller.look()[0]?.slice(2, 5)).toEqual([1, {}, 'wamp.error.payload_size_exceeded']);
    caller.send(48, 3, {}, 'com.p');
    expect(callee.look()).toHaveLength(1);
  });

  it('subscriptions, registrations, calls under way and testaments are counted', () => {
    const limits = {
      subscriptionsPerSession: 1,
      registrationsPerSession: 1,
      callsInFlight: 1,
      testamentsPerSession: 1,
    };
    const { join } = start({ limits });
    const peer = join();
    const last = (...fields: Fields): unknown => {
      peer.send(...fields);
      return peer.look().at(-1)?.[0];
    };
    expect([last(32, 1, {}, 'com.a'), last(32, 2, {}, 'com.b')]).toEqual([33, 8]);
    expect([last(64, 3, {}, 'com.a'), last(64, 4, {}, 'com.b')]).toEqual([65, 8]);
    expect([last(48, 5, {}, 'com.a'), last(48, 6, {}, 'com.a')]).toEqual([68, 8]);
    const add = 'wamp.session.add_testament';
    expect([last(48, 7, {}, add, ['com.t', []]), last(48, 8, {}, add, ['com.t', []])]).toEqual([50, 8]);
  });

  it('who does not join in time is sent away, whoever does may be silent for ever', () => {
    const { open, join, clock, router } = start();
    const [idle, member] = [open(), join()];
    clock.advance(9_900);
    expect(idle.output.isEnded).toBe(false);
    clock.advance(200);
    expect([idle.output.isEnded, member.output.isEnded]).toEqual([true, false]);
    member.connection.close('wamp.close.system_shutdown');
    expect(member.look()).toEqual([[6, {}, 'wamp.close.system_shutdown']]);
    member.send(48, 1, {}, 'com.crossed');
    expect([member.look(), member.output.isEnded]).toEqual([[], false]);
    clock.advance(1_100);
    expect([member.output.isEnded, router.connectionCount, clock.pendingTimers]).toEqual([true, 0, 0]);
  });

  it('a timeout begins again with each progressive result', () => {
    const { join, clock } = start();
    const [callee, caller] = [join(), join()];
    callee.send(64, 1, {}, 'com.p');
    caller.send(48, 1, { timeout: 1000, receive_progress: true }, 'com.p');
    clock.advance(900);
    callee.send(70, 1, { progress: true });
    clock.advance(900);
    expect(caller.look().map(([type]) => type)).toEqual([50]);
    clock.advance(200);
    expect(caller.look()[0]?.[4]).toBe('wamp.error.timeout');
    callee.send(70, 1, {}, ['late']);
    expect([callee.output.isEnded, caller.look()]).toEqual([false, []]);
  });

  it('with strict ids requests count by one; chunks of a call repeat theirs', () => {
    const { join } = start({ realms: { realm1: { strictIds: true } } });
    const good = join();
    for (const request of [1, 2, 3]) good.send(32, request, {}, 'com.a');
    expect(good.output.isEnded).toBe(false);
    for (const ids of [[2], [1, 3], [1, 1]]) {
      const bad = join();
      for (const request of ids) bad.send(32, request, {}, 'com.a');
      expect(bad.output.isEnded).toBe(true);
    }
  });

  it('EVENT_RECEIVED is taken, and nothing follows from it', () => {
    const { join } = start();
    const peer = join();
    peer.send(337, 1);
    expect([peer.look(), peer.output.isEnded]).toEqual([[], false]);
  });

  it('garbage is ABORT, and whatever follows it is nothing', () => {
    const { join } = start();
    const peer = join();
    peer.connection.receiveGarbage(new MessageError('UNDECODABLE', 'not JSON'));
    peer.send(32, 1, {}, 'com.a');
    expect(peer.look()).toEqual([[3, { message: 'not JSON' }, 'wamp.error.protocol_violation']]);
  });

  it('a thousand sessions that come and go leave nothing', () => {
    const { join, router, clock } = start();
    const realm = router.findRealm('realm1')!;
    for (let n = 0; n < 1000; n++) {
      const peer = join();
      peer.send(32, 1, { match: 'wildcard' }, `com..n${n}`);
      peer.send(64, 2, { match: 'prefix' }, `com.n${n}`);
      peer.send(48, 3, { timeout: 5000 }, `com.n${n}.x`);
      peer.connection.lose();
    }
    const left = [
      ...realm.broker.subscriptions.index.list('wildcard'),
      ...realm.registrar.table.index.list('prefix'),
    ];
    expect([realm.sessions.size, left.length, router.connectionCount, clock.pendingTimers]).toEqual([
      0, 0, 0, 0,
    ]);
  });
});
