import { describe, expect, it } from 'vitest';

import type { Fields } from '../../../../../test/conformance/wamp-peer.js';
import { anonymousAuth } from '../auth/anonymous.js';
import { ticketAuth } from '../auth/ticket.js';
import { startRouter } from '../testing/start-router.js';

/*
 * What the meta procedures do with their arguments, and for whom.
 */

type Router = ReturnType<typeof startRouter>;
type Peer = ReturnType<Router['open']>;

/** The result's first argument, or the URI of the error. */
function ask(
  peer: Peer,
  request: number,
  procedure: string,
  args: unknown[] = [],
  kwargs: object = {},
): unknown {
  peer.send(48, request, {}, procedure, args, kwargs);
  const fields = peer
    .look()
    .find(([type, a, b]) => (type === 50 && a === request) || (type === 8 && b === request))!;
  return fields[0] === 8 ? fields[4] : fields[3];
}

/** Joins with a role: whoever has no ticket is anonymous. */
async function joinAs({ open }: Router, authrole: string, roles: object = { caller: {} }): Promise<Peer> {
  const peer = open();
  peer.send(1, 'realm1', { roles, authmethods: ['ticket'], authid: 'x' });
  peer.look();
  peer.send(5, authrole, {});
  await expect.poll(() => peer.connection.session?.authrole).toBe(authrole);
  peer.look();
  return peer;
}
const auth = [ticketAuth((authid, ticket) => ({ authid, authrole: ticket })), anonymousAuth()];

describe('wamp.subscription.get_events', () => {
  const GET = 'wamp.subscription.get_events';
  const history = [{ uri: 'com.past' }];

  /** Five events, a second apart, the first one at the beginning. */
  function start() {
    const router = startRouter({ realms: { realm1: { history } } });
    const peer = router.join();
    peer.send(32, 1, {}, 'com.past');
    const subscription = peer.look()[0]![2];
    const publisher = router.join();
    const startMs = router.clock.nowMicros() / 1000;
    const ids: unknown[] = [];
    for (let n = 0; n < 5; n++) {
      publisher.send(16, n + 1, { acknowledge: true }, 'com.past', [n]);
      ids.push(publisher.look()[0]![2]);
      router.clock.advance(1000);
    }
    peer.look();
    let request = 1;
    const get = (kwargs: object): unknown => {
      peer.send(48, ++request, {}, GET, [subscription], kwargs);
      const [type, , , args, error] = peer.look()[0]!;
      return type === 8 ? error : ((args ?? []) as { args: number[] }[]).map((event) => event.args[0]);
    };
    const time = (n: number): string => new Date(startMs + n * 1000).toISOString();
    return { get, ids, time };
  }

  it('takes each time and each publication for a bound, with it or without it', () => {
    const { get, ids, time } = start();
    expect(get({})).toEqual([0, 1, 2, 3, 4]);
    expect([get({ from_time: time(2) }), get({ after_time: time(2) })]).toEqual([
      [2, 3, 4],
      [3, 4],
    ]);
    expect([get({ until_time: time(2) }), get({ before_time: time(2) })]).toEqual([
      [0, 1, 2],
      [0, 1],
    ]);
    expect([get({ from_publication: ids[2] }), get({ after_publication: ids[2] })]).toEqual([
      [2, 3, 4],
      [3, 4],
    ]);
    expect([get({ until_publication: ids[2] }), get({ before_publication: ids[2] })]).toEqual([
      [0, 1, 2],
      [0, 1],
    ]);
    expect(get({ after_time: time(0), before_publication: ids[4], reverse: true, limit: 2 })).toEqual([3, 2]);
    expect([get({ limit: 0 }), get({ topic: 'com.other' })]).toEqual([[], []]);
  });

  it.each([
    { from_time: 'yesterday' }, { after_time: 1 }, { before_time: true }, { until_time: {} }, { limit: -1 }, { limit: 'x' },
    { from_publication: 0 }, { after_publication: '1' }, { before_publication: 1.5 }, { until_publication: [] },
    { reverse: 1 }, { topic: 7 },
  ])('%j is an invalid argument', (kwargs) => {
    expect(start().get(kwargs)).toBe('wamp.error.invalid_argument');
  }); // prettier-ignore

  it('shows what the roles of who asks may see, and nothing to who may not subscribe', async () => {
    const authorize = ({
      session,
      action,
    }: {
      readonly session: { readonly authrole: string };
      readonly action: string;
    }) => session.authrole !== 'guest' || action !== 'subscribe';
    const router = startRouter({ auth, realms: { realm1: { history, authorize } } });
    const [member, admin, guest] = [
      await joinAs(router, 'member'),
      await joinAs(router, 'admin'),
      await joinAs(router, 'guest'),
    ];
    admin.send(16, 1, {}, 'com.past', ['all']);
    admin.send(16, 2, { eligible_authrole: ['admin'] }, 'com.past', ['admins']);
    admin.send(16, 3, { exclude_authrole: ['admin'] }, 'com.past', ['members']);
    member.send(32, 1, {}, 'com.past');
    const subscription = member.look()[0]![2];
    const see = (peer: Peer): unknown => {
      peer.send(48, 9, {}, GET, [subscription]);
      const [type, , , args, error] = peer.look()[0]!;
      return type === 8 ? error : (args as unknown as { args: string[] }[]).map((event) => event.args[0]);
    };
    expect([see(member), see(admin)]).toEqual([
      ['all', 'members'],
      ['all', 'admins'],
    ]);
    expect(see(guest)).toBe('wamp.error.not_authorized');
  });
});

describe('sessions sent away', () => {
  const goodbye = (peer: Peer): unknown => peer.look().find(([type]) => type === 6)?.[2];

  it('by role or by authid are those and no others', async () => {
    const router = startRouter({ auth });
    const [admin, guest, member] = [
      await joinAs(router, 'admin'),
      await joinAs(router, 'guest'),
      await joinAs(router, 'member'),
    ];
    expect(ask(admin, 1, 'wamp.session.kill_by_authrole', ['guest'])).toEqual([1]);
    expect([goodbye(guest), goodbye(member)]).toEqual(['wamp.close.killed', undefined]);
    const stranger = router.join();
    expect(ask(admin, 2, 'wamp.session.kill_by_authid', [member.connection.session!.authid])).toEqual([
      [expect.any(Number)],
    ]);
    expect([goodbye(member), goodbye(stranger)]).toEqual(['wamp.close.killed', undefined]);
  });

  it('by kill_all have no testaments and no events about it; by others they have', async () => {
    const router = startRouter({ auth });
    const admin = await joinAs(router, 'admin');
    for (const [request, topic] of [
      [1, 'com.will'],
      [2, 'wamp.session.on_leave'],
    ] as const) {
      admin.send(32, request, {}, topic);
    }
    const events = (): number => admin.look().filter(([type]) => type === 36).length;
    const dieBy = (request: number, procedure: string): number => {
      const victim = router.join();
      expect(ask(victim, 1, 'wamp.session.add_testament', ['com.will', ['bye']])).toEqual([null]);
      events();
      admin.send(48, request, {}, procedure, procedure === 'wamp.session.kill_all' ? [] : ['anonymous']);
      expect(goodbye(victim)).toBe('wamp.close.killed');
      return events();
    };
    expect(dieBy(3, 'wamp.session.kill_by_authrole')).toBe(2);
    expect(dieBy(4, 'wamp.session.kill_all')).toBe(0);
  });
});

describe('a registration or subscription that is taken away', () => {
  it.each([
    ['registration', 64, 'callee', 'wamp.registration.remove_callee', 67],
    ['subscription', 32, 'subscriber', 'wamp.subscription.remove_subscriber', 35],
  ] as const)(
    '%s: who announced that hears of it, others do not',
    async (kind, ask64, role, procedure, revoked) => {
      const router = startRouter({ auth });
      const admin = await joinAs(router, 'admin');
      const features = { [`${kind}_revocation`]: true };
      const heard = await Promise.all(
        [{}, { features }].map(async (announced, i): Promise<Fields[]> => {
          const peer = await joinAs(router, 'member', { [role]: announced });
          peer.send(ask64, 1, {}, `com.${i}`);
          const id = peer.look()[0]![2];
          expect(ask(admin, i + 1, procedure, [id, peer.connection.session!.session])).toEqual([null]);
          return peer.look();
        }),
      );
      expect(heard).toEqual([
        [],
        [[revoked, 0, { [kind]: expect.any(Number) as number, reason: 'wamp.close.revoked' }]],
      ]);
    },
  );
});
