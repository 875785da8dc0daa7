import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Listener } from '../../src/net/listener.js';
import { mountWamp } from '../../src/protocols/wamp/server/mount.js';
import { WampRouter } from '../../src/protocols/wamp/server/router.js';
import { tunnelApplication } from '../../src/server/engineio/tunnel.js';
import { mountEngine } from '../net/mount-engine.js';
import { ALL_ROLES, Peer, type Fields, type Place } from './wamp-peer.js';
import type { WampSuite } from './wamp.js';

/*
 * The Advanced Profile, feature by feature, as raw messages.
 */

const BARE = { roles: { caller: {}, callee: {}, publisher: {}, subscriber: {} } };
const uriOf = (fields: Fields): unknown => fields[4];

export function runFeatureSuite({ name, connect }: WampSuite): void {
  describe(`WAMP features over ${name}`, () => {
    let listener: Listener;
    let place: Place;
    const peers: Peer[] = [];
    const errors: unknown[] = [];

    beforeAll(async () => {
      const onError = (error: unknown): void => void errors.push(error);
      const history = [{ uri: 'com.past', match: 'prefix' as const, eventsMax: 4 }];
      const realm1 = { history, adminRoles: ['anonymous'] };
      const secretive = { discloseCaller: 'never', disclosePublisher: 'never' } as const;
      const router = new WampRouter({
        realms: { realm1, secretive, open: { discloseCaller: 'always' } },
        onError,
      });
      listener = await Listener.listen({ onError });
      mountWamp(listener, router);
      mountEngine(listener, {}, tunnelApplication(listener), onError);
      place = { router, url: listener.url, port: listener.port, unixPath: '' };
    });
    afterEach(async () => {
      for (const peer of peers.splice(0)) peer.close();
      await expect.poll(() => place.router.connectionCount).toBe(0);
      expect(errors.splice(0)).toEqual([]);
    });
    afterAll(async () => {
      place.router.close();
      await listener.close({ drainMs: 0 });
    });

    const join = async (details: Record<string, unknown> = {}, realm = 'realm1'): Promise<Peer> => {
      const peer = await Peer.join(place, connect, details, realm);
      peers.push(peer);
      return peer;
    };
    const joinTwo = async (): Promise<[Peer, Peer]> => [await join(), await join()];

    describe('calls', () => {
      it('progressive results come before the final one, to those who asked', async () => {
        const [callee, caller] = await joinTwo();
        const registration = await callee.register('com.report');
        caller.send(48, 1, { receive_progress: true }, 'com.report');
        expect(await callee.next()).toEqual([68, 1, registration, { receive_progress: true }]);
        callee.send(70, 1, { progress: true }, [1]);
        callee.send(70, 1, { progress: true }, [2]);
        callee.send(70, 1, {}, [3]);
        expect(await caller.next()).toEqual([50, 1, { progress: true }, [1]]);
        expect(await caller.next()).toEqual([50, 1, { progress: true }, [2]]);
        expect(await caller.next()).toEqual([50, 1, {}, [3]]);
        caller.send(48, 2, {}, 'com.report');
        expect(await callee.next()).toEqual([68, 2, registration, {}]);
        callee.send(70, 2, { progress: true }, [1]);
        callee.send(70, 2, {}, [2]);
        expect(await caller.next()).toEqual([50, 2, {}, [2]]);
      });

      it('a callee that does not announce progress is not asked for it', async () => {
        const callee = await join(BARE);
        const caller = await join();
        await callee.register('com.report');
        caller.send(48, 1, { receive_progress: true }, 'com.report');
        expect((await callee.next())[3]).toEqual({});
      });

      it('progressive invocations go to one callee as one invocation', async () => {
        const [callee, caller] = await joinTwo();
        const registration = await callee.register('com.upload');
        caller.send(48, 1, { progress: true }, 'com.upload', ['a']);
        caller.send(48, 1, { progress: true }, 'com.upload', ['b']);
        caller.send(48, 1, {}, 'com.upload', ['c']);
        expect(await callee.next()).toEqual([68, 1, registration, { progress: true }, ['a']]);
        expect(await callee.next()).toEqual([68, 1, registration, { progress: true }, ['b']]);
        expect(await callee.next()).toEqual([68, 1, registration, {}, ['c']]);
        callee.send(70, 1, {}, [3]);
        expect(await caller.next()).toEqual([50, 1, {}, [3]]);
        // Late, and no fault.
        caller.send(48, 1, { progress: true }, 'com.upload', ['d']);
        expect(await callee.drain()).toEqual([]);
      });

      it('progressive invocations need a callee that announces them; a caller announces them by using them', async () => {
        const [bare, caller] = [await join(BARE), await join()];
        await bare.register('com.upload');
        const uri = 'wamp.error.feature_not_supported';
        expect(uriOf(await caller.ask(48, { progress: true }, 'com.upload'))).toBe(uri);
        const callee = await join();
        await callee.register('com.stream');
        bare.send(48, 7, { progress: true }, 'com.stream');
        bare.send(48, 7, {}, 'com.stream');
        expect((await callee.next())[3]).toEqual({ progress: true });
        expect((await callee.next())[3]).toEqual({});
      });

      it('CANCEL skip of a call whose arguments are still coming interrupts the callee, who would wait for ever', async () => {
        const [callee, caller] = await joinTwo();
        await callee.register('com.upload');
        for (const request of [1, 2]) caller.send(48, request, { progress: true }, 'com.upload');
        caller.send(48, 2, {}, 'com.upload');
        for (let i = 0; i < 3; i++) expect((await callee.next())[0]).toBe(68);
        for (const request of [1, 2]) caller.send(49, request, { mode: 'skip' });
        expect(uriOf(await caller.next())).toBe('wamp.error.canceled');
        expect(uriOf(await caller.next())).toBe('wamp.error.canceled');
        expect(await callee.drain()).toMatchObject([[69, 1, { mode: 'killnowait' }]]);
      });

      it('CANCEL skip: the caller is answered, the callee never hears of it', async () => {
        const [callee, caller] = await joinTwo();
        await callee.register('com.slow');
        caller.send(48, 1, {}, 'com.slow');
        await callee.next();
        caller.send(49, 1, { mode: 'skip' });
        expect(await caller.next()).toEqual([8, 48, 1, {}, 'wamp.error.canceled']);
        expect(await callee.drain()).toEqual([]);
        callee.send(70, 1, {}, ['late']);
        expect(await callee.drain()).toEqual([]);
      });

      it('CANCEL kill: the callee is interrupted and has the last word', async () => {
        const [callee, caller] = await joinTwo();
        await callee.register('com.slow');
        caller.send(48, 1, {}, 'com.slow');
        await callee.next();
        caller.send(49, 1, { mode: 'kill' });
        expect(await callee.next()).toEqual([69, 1, { mode: 'kill', reason: 'wamp.error.canceled' }]);
        callee.send(8, 68, 1, {}, 'wamp.error.canceled', ['half done']);
        expect(await caller.next()).toEqual([8, 48, 1, {}, 'wamp.error.canceled', ['half done']]);
      });

      it('CANCEL killnowait: the callee is interrupted, the caller answered at once; a late YIELD is no fault', async () => {
        const [callee, caller] = await joinTwo();
        await callee.register('com.slow');
        caller.send(48, 1, {}, 'com.slow');
        await callee.next();
        caller.send(49, 1, { mode: 'killnowait' });
        expect(await caller.next()).toEqual([8, 48, 1, {}, 'wamp.error.canceled']);
        expect(await callee.next()).toEqual([69, 1, { mode: 'killnowait', reason: 'wamp.error.canceled' }]);
        callee.send(70, 1, {}, ['late']);
        expect(await callee.drain()).toEqual([]);
        caller.send(49, 1, {});
        caller.send(49, 77, {});
        expect(await caller.drain()).toEqual([]);
      });

      it('a callee that cannot be interrupted is not', async () => {
        const [callee, caller] = [await join(BARE), await join()];
        await callee.register('com.slow');
        caller.send(48, 1, {}, 'com.slow');
        await callee.next();
        caller.send(49, 1, { mode: 'kill' });
        expect(uriOf(await caller.next())).toBe('wamp.error.canceled');
        expect(await callee.drain()).toEqual([]);
      });

      it('a timeout interrupts the callee; with forward_timeout it is the callee who watches', async () => {
        const [callee, caller] = await joinTwo();
        await callee.register('com.slow');
        await callee.register('com.own', { forward_timeout: true });
        caller.send(48, 1, { timeout: 60 }, 'com.slow');
        expect((await callee.next())[3]).toEqual({});
        expect(await callee.next()).toEqual([69, 1, { mode: 'killnowait', reason: 'wamp.error.timeout' }]);
        expect(await caller.next()).toEqual([8, 48, 1, {}, 'wamp.error.timeout']);
        caller.send(48, 2, { timeout: 60 }, 'com.own');
        expect((await callee.next())[3]).toEqual({ timeout: 60 });
      });

      it('a caller that leaves interrupts its callees; a callee that leaves ends its calls', async () => {
        const [callee, caller] = await joinTwo();
        await callee.register('com.slow');
        caller.send(48, 1, {}, 'com.slow');
        await callee.next();
        const other = await join();
        other.send(48, 1, {}, 'com.slow');
        await callee.next();
        caller.close();
        expect(await callee.next()).toMatchObject({ 0: 69, 1: 1, 2: { mode: 'killnowait' } });
        callee.close();
        expect(uriOf(await other.next())).toBe('wamp.error.canceled');
        expect(uriOf(await other.ask(48, {}, 'com.slow'))).toBe('wamp.error.no_such_procedure');
      });

      it('callers are disclosed when they, the callee or the realm say so', async () => {
        const [callee, caller] = await joinTwo();
        const told = {
          caller: caller.session,
          caller_authid: caller.welcome['authid'],
          caller_authrole: 'anonymous',
        };
        await callee.register('com.shy');
        await callee.register('com.nosy', { disclose_caller: true });
        caller.send(48, 1, {}, 'com.shy');
        expect((await callee.next())[3]).toEqual({});
        caller.send(48, 2, { disclose_me: true }, 'com.shy');
        expect((await callee.next())[3]).toEqual(told);
        caller.send(48, 3, {}, 'com.nosy');
        expect((await callee.next())[3]).toEqual(told);
        const [openCallee, openCaller] = [await join({}, 'open'), await join({}, 'open')];
        await openCallee.register('com.shy');
        openCaller.send(48, 1, {}, 'com.shy');
        expect((await openCallee.next())[3]).toMatchObject({ caller: openCaller.session });
      });

      it('where nobody is disclosed, asking for it is refused', async () => {
        const peer = await join({}, 'secretive');
        const uri = 'wamp.error.option_disallowed.disclose_me';
        expect(uriOf(await peer.ask(64, { disclose_caller: true }, 'com.a'))).toBe(uri);
        await peer.register('com.a');
        expect(uriOf(await peer.ask(48, { disclose_me: true }, 'com.a'))).toBe(uri);
        expect(uriOf(await peer.ask(16, { disclose_me: true, acknowledge: true }, 'com.a'))).toBe(uri);
      });

      it('payload passthru is passed with its description, to those who announced it', async () => {
        const [callee, caller] = await joinTwo();
        const ppt = { ppt_scheme: 'x_custom', ppt_serializer: 'cbor', ppt_keyid: 'k1' };
        await callee.register('com.sealed');
        caller.send(48, 1, ppt, 'com.sealed', ['sealed']);
        expect((await callee.next()).slice(3)).toEqual([ppt, ['sealed']]);
        callee.send(70, 1, ppt, ['reply']);
        expect(await caller.next()).toEqual([50, 1, ppt, ['reply']]);
        const bare = await join(BARE);
        await bare.register('com.plain');
        expect(uriOf(await caller.ask(48, ppt, 'com.plain'))).toBe('wamp.error.feature_not_supported');
        bare.send(48, bare.id(), {}, 'com.sealed');
        await callee.next();
        callee.send(70, 2, ppt, ['reply']);
        expect(uriOf(await bare.next())).toBe('wamp.error.feature_not_supported');
        expect((await bare.ask(48, ppt, 'com.sealed'))[2]).toBe('wamp.error.protocol_violation');
      });
    });

    describe('registrations', () => {
      it('patterns are called with the procedure that was meant, the best one first', async () => {
        const [callee, caller] = await joinTwo();
        const prefix = await callee.register('com.app', { match: 'prefix' });
        const wildcard = await callee.register('net..get', { match: 'wildcard' });
        const exact = await callee.register('com.app.exact');
        const seen = async (procedure: string): Promise<Fields> => {
          caller.send(48, caller.id(), {}, procedure);
          const [, , registration, details] = await callee.next();
          return [registration, (details as { procedure?: string }).procedure];
        };
        expect(await seen('com.app.exact')).toEqual([exact, undefined]);
        expect(await seen('com.app.other')).toEqual([prefix, 'com.app.other']);
        expect(await seen('net.x.get')).toEqual([wildcard, 'net.x.get']);
      });

      it('shared registrations take turns; another policy is procedure_already_exists', async () => {
        const [one, two] = await joinTwo();
        const caller = await join();
        const registration = await one.register('com.work', { invoke: 'roundrobin' });
        expect(uriOf(await two.ask(64, {}, 'com.work'))).toBe('wamp.error.procedure_already_exists');
        expect(uriOf(await two.ask(64, { invoke: 'last' }, 'com.work'))).toBe(
          'wamp.error.procedure_already_exists',
        );
        expect(await two.register('com.work', { invoke: 'roundrobin' })).toBe(registration);
        for (const callee of [one, two, one]) {
          caller.send(48, caller.id(), {}, 'com.work');
          expect((await callee.next())[0]).toBe(68);
        }
      });

      it('concurrency limits the calls under way at one callee', async () => {
        const [one, two] = await joinTwo();
        const caller = await join();
        await one.register('com.work', { invoke: 'first', concurrency: 1 });
        await two.register('com.work', { invoke: 'first', concurrency: 1 });
        caller.send(48, 1, {}, 'com.work');
        expect((await one.next())[1]).toBe(1);
        caller.send(48, 2, {}, 'com.work');
        expect((await two.next())[1]).toBe(1);
        caller.send(48, 3, {}, 'com.work');
        expect(uriOf(await caller.next())).toBe('wamp.error.no_available_callee');
        one.send(70, 1, {});
        await caller.next();
        caller.send(48, 4, {}, 'com.work');
        expect((await one.next())[1]).toBe(2);
      });

      it('runmode partition: a key stays with its callee', async () => {
        const [one, two] = await joinTwo();
        const caller = await join();
        await one.register('com.shard', { invoke: 'roundrobin' });
        await two.register('com.shard', { invoke: 'roundrobin' });
        const counts: Record<string, number[]> = {};
        // An odd number of keys: by turns each of them would come to both callees.
        for (let n = 0; n < 36; n++) {
          const key = `key${n % 9}`;
          caller.send(48, caller.id(), { runmode: 'partition', rkey: key }, 'com.shard', [key]);
        }
        await caller.drain();
        for (const [at, callee] of [one, two].entries()) {
          for (const invocation of await callee.drain()) {
            const key = (invocation[4] as string[])[0]!;
            (counts[key] ??= [0, 0])[at]!++;
          }
        }
        expect(Object.values(counts).map((pair) => pair.toSorted((a, b) => a - b))).toEqual(
          Array(9).fill([0, 4]),
        );
        expect(uriOf(await caller.ask(48, { runmode: 'partition' }, 'com.shard'))).toBe(
          'wamp.error.invalid_argument',
        );
      });

      it('a callee that is unavailable passes the call on', async () => {
        const [one, two] = await joinTwo();
        const caller = await join();
        await one.register('com.work', { invoke: 'first' });
        await two.register('com.work', { invoke: 'first' });
        caller.send(48, 1, {}, 'com.work', ['job']);
        expect((await one.next()).slice(3)).toEqual([{}, ['job']]);
        one.send(8, 68, 1, {}, 'wamp.error.unavailable');
        expect((await two.next()).slice(3)).toEqual([{}, ['job']]);
        two.send(70, 1, {}, ['done']);
        expect(await caller.next()).toEqual([50, 1, {}, ['done']]);
        caller.send(48, 2, {}, 'com.work', ['job']);
        await one.next();
        one.send(8, 68, 2, {}, 'wamp.error.unavailable');
        await two.next();
        two.send(8, 68, 2, {}, 'wamp.error.unavailable');
        expect(uriOf(await caller.next())).toBe('wamp.error.no_available_callee');
      });

      it('force_reregister and remove_callee take a registration away', async () => {
        const [one, two] = await joinTwo();
        const first = await one.register('com.work');
        expect(await two.ask(64, { force_reregister: true }, 'com.work')).toMatchObject({ 0: 65 });
        expect(await one.next()).toMatchObject({ 0: 67, 1: 0, 2: { registration: first } });
        const [registration] = (await one.call('wamp.registration.lookup', ['com.work'])) as [number];
        expect(
          await one.call('wamp.registration.remove_callee', [registration, two.session], {
            reason: 'com.why',
          }),
        ).toEqual([null]);
        expect(await two.next()).toEqual([67, 0, { registration, reason: 'com.why' }]);
      });

      it('the registration meta API and its events', async () => {
        const [callee, watcher] = await joinTwo();
        for (const event of ['create', 'register', 'unregister', 'delete']) {
          await watcher.subscribe(`wamp.registration.on_${event}`);
        }
        const id = await callee.register('com.seen', { match: 'prefix', invoke: 'first' });
        const described = {
          id,
          uri: 'com.seen',
          match: 'prefix',
          invoke: 'first',
          created: expect.stringMatching(/Z$/) as unknown,
        };
        expect((await watcher.next())[4]).toEqual([callee.session, described]);
        expect((await watcher.next())[4]).toEqual([callee.session, id]);
        expect(await watcher.call('wamp.registration.get', [id])).toEqual([described]);
        expect(await watcher.call('wamp.registration.list')).toEqual([
          { exact: [], prefix: [id], wildcard: [] },
        ]);
        expect(await watcher.call('wamp.registration.lookup', ['com.seen', { match: 'prefix' }])).toEqual([
          id,
        ]);
        expect(await watcher.call('wamp.registration.lookup', ['com.seen'])).toEqual([null]);
        expect(await watcher.call('wamp.registration.match', ['com.seen.too'])).toEqual([id]);
        expect(await watcher.call('wamp.registration.match', ['net'])).toEqual([null]);
        expect(await watcher.call('wamp.registration.list_callees', [id])).toEqual([[callee.session]]);
        expect(await watcher.call('wamp.registration.count_callees', [id])).toEqual([1]);
        expect(await watcher.call('wamp.registration.get', [99999])).toEqual([
          'wamp.error.no_such_registration',
        ]);
        await callee.ask(66, id);
        expect((await watcher.next())[4]).toEqual([callee.session, id]);
        expect((await watcher.next())[4]).toEqual([callee.session, id]);
      });
    });

    describe('events', () => {
      it('each matching subscription has the event once, with one publication; patterns say the topic', async () => {
        const [subscriber, publisher] = await joinTwo();
        const exact = await subscriber.subscribe('com.app.news');
        const prefix = await subscriber.subscribe('com.app', { match: 'prefix' });
        const wildcard = await subscriber.subscribe('com..news', { match: 'wildcard' });
        await subscriber.subscribe('com.other');
        const publication = await publisher.publish('com.app.news', ['x']);
        const events = await subscriber.drain();
        expect(events.toSorted((a, b) => (a[1] as number) - (b[1] as number))).toEqual([
          [36, exact, publication, {}, ['x']],
          [36, prefix, publication, { topic: 'com.app.news' }, ['x']],
          [36, wildcard, publication, { topic: 'com.app.news' }, ['x']],
        ]);
      });

      it('payload passthru of an event goes to all, as it came', async () => {
        const [subscriber, publisher] = await joinTwo();
        const ppt = { ppt_scheme: 'x_custom', ppt_serializer: 'cbor', ppt_cipher: 'none', ppt_keyid: 'k1' };
        await subscriber.subscribe('com.sealed');
        await publisher.publish('com.sealed', ['sealed'], ppt);
        expect((await subscriber.next()).slice(3)).toEqual([ppt, ['sealed']]);
        const bare = await join(BARE);
        expect((await bare.ask(16, ppt, 'com.sealed', ['sealed']))[2]).toBe('wamp.error.protocol_violation');
      });

      it('black and white lists by session, authid and role all have to agree', async () => {
        const [one, two] = await joinTwo();
        const publisher = await join();
        await one.subscribe('com.t');
        await two.subscribe('com.t');
        const got = async (options: Record<string, unknown>): Promise<boolean[]> => {
          await publisher.publish('com.t', [], options);
          return [(await one.drain()).length === 1, (await two.drain()).length === 1];
        };
        const authid = one.welcome['authid'];
        expect(await got({ exclude: [one.session] })).toEqual([false, true]);
        expect(await got({ exclude_authid: [authid] })).toEqual([false, true]);
        expect(await got({ exclude_authrole: ['anonymous'] })).toEqual([false, false]);
        expect(await got({ eligible: [one.session] })).toEqual([true, false]);
        expect(await got({ eligible_authid: [authid] })).toEqual([true, false]);
        expect(await got({ eligible_authrole: ['anonymous'] })).toEqual([true, true]);
        expect(await got({ eligible: [] })).toEqual([false, false]);
        expect(await got({ eligible: [one.session, two.session], exclude_authid: [authid] })).toEqual([
          false,
          true,
        ]);
      });

      it('publishers are disclosed when they ask for it', async () => {
        const [subscriber, publisher] = await joinTwo();
        await subscriber.subscribe('com.t');
        await publisher.publish('com.t', [], { disclose_me: true });
        expect((await subscriber.next())[3]).toEqual({
          publisher: publisher.session,
          publisher_authid: publisher.welcome['authid'],
          publisher_authrole: 'anonymous',
        });
      });

      it('node keys share the events that have a resource key', async () => {
        const [one, two] = await joinTwo();
        const [all, publisher] = await joinTwo();
        await one.subscribe('com.t', { nkey: 'node1' });
        await two.subscribe('com.t', { nkey: 'node2' });
        await all.subscribe('com.t');
        for (let n = 0; n < 30; n++) publisher.send(16, publisher.id(), { rkey: `sensor${n}` }, 'com.t', [n]);
        await publisher.publish('com.t', ['no key']);
        const [a, b, c] = [await one.drain(), await two.drain(), await all.drain()].map(
          (events) => events.length,
        ) as [number, number, number];
        expect([a + b, c]).toEqual([32, 31]);
        expect(Math.min(a, b)).toBeGreaterThan(4);
      });

      it('a retained event waits for those who ask for it, as far as they are eligible', async () => {
        const [publisher, late] = await joinTwo();
        await publisher.publish('com.state', ['old'], { retain: true });
        const publication = await publisher.publish('com.state', ['now'], { retain: true });
        await publisher.publish('com.state.secret', ['no'], { retain: true, eligible_authrole: ['admin'] });
        const plain = await late.subscribe('com.state');
        expect(await late.drain()).toEqual([]);
        const prefix = await late.subscribe('com.state', { match: 'prefix', get_retained: true });
        const details = { retained: true, topic: 'com.state' };
        expect(await late.drain()).toEqual([[36, prefix, publication, details, ['now']]]);
        await late.ask(34, plain);
        const again = await late.subscribe('com.state', { get_retained: true });
        expect(await late.next()).toEqual([36, again, publication, { retained: true }, ['now']]);
      });

      it('history: the last events of a subscription, by what is asked', async () => {
        const [publisher, reader] = await joinTwo();
        const subscription = await reader.subscribe('com.past', { match: 'prefix' });
        const ids: number[] = [];
        for (let n = 0; n < 5; n++) ids.push(await publisher.publish(`com.past.${n}`, [n]));
        await publisher.publish('com.past.hidden', [], { eligible: [publisher.session] });
        await reader.drain();
        const get = async (kwargs = {}): Promise<unknown> =>
          (
            (await reader.call('wamp.subscription.get_events', [subscription], kwargs)) as {
              publication: number;
            }[]
          ).map(({ publication }) => ids.indexOf(publication));
        expect(await get()).toEqual([1, 2, 3, 4]);
        expect(await get({ limit: 2, reverse: true })).toEqual([4, 3]);
        expect(await get({ after_publication: ids[2] })).toEqual([3, 4]);
        expect(await get({ topic: 'com.past.3' })).toEqual([3]);
        expect(await get({ before_time: '2001-01-01T00:00:00Z' })).toEqual([]);
        expect(await reader.call('wamp.subscription.get_events', [subscription, 1])).toEqual([
          {
            timestamp: expect.stringMatching(/Z$/) as unknown,
            subscription,
            publication: ids[1],
            details: { topic: 'com.past.1' },
            args: [1],
          },
        ]);
        expect(await reader.call('wamp.subscription.get_events', [99999])).toEqual([
          'wamp.error.no_such_subscription',
        ]);
        expect(
          await reader.call('wamp.subscription.get_events', [subscription], { limit: 'x' }),
        ).toMatchObject(['wamp.error.invalid_argument', {}]);
      });

      it('the subscription meta API, its events, and revocation', async () => {
        const [subscriber, watcher] = await joinTwo();
        for (const event of ['create', 'subscribe', 'unsubscribe', 'delete']) {
          await watcher.subscribe(`wamp.subscription.on_${event}`);
        }
        const id = await subscriber.subscribe('com.seen');
        const described = {
          id,
          uri: 'com.seen',
          match: 'exact',
          created: expect.stringMatching(/Z$/) as unknown,
        };
        expect((await watcher.next())[4]).toEqual([subscriber.session, described]);
        expect((await watcher.next())[4]).toEqual([subscriber.session, id]);
        expect(await watcher.call('wamp.subscription.get', [id])).toEqual([described]);
        expect(((await watcher.call('wamp.subscription.list')) as [{ exact: number[] }])[0].exact).toContain(
          id,
        );
        expect(await watcher.call('wamp.subscription.lookup', ['com.seen'])).toEqual([id]);
        expect(await watcher.call('wamp.subscription.match', ['com.seen'])).toEqual([[id]]);
        expect(await watcher.call('wamp.subscription.match', ['com.unseen'])).toEqual([null]);
        expect(await watcher.call('wamp.subscription.list_subscribers', [id])).toEqual([
          [subscriber.session],
        ]);
        expect(await watcher.call('wamp.subscription.count_subscribers', [id])).toEqual([1]);
        watcher.send(48, watcher.id(), {}, 'wamp.subscription.remove_subscriber', [id, subscriber.session]);
        expect(await subscriber.next()).toMatchObject({ 0: 35, 1: 0, 2: { subscription: id } });
        expect((await watcher.drain()).map(([type]) => type)).toEqual([36, 36, 50]);
        expect(await watcher.call('wamp.subscription.get', [id])).toEqual([
          'wamp.error.no_such_subscription',
        ]);
      });
    });

    describe('sessions', () => {
      it('the session meta API and its events', async () => {
        const watcher = await join();
        await watcher.subscribe('wamp.session.on_join');
        await watcher.subscribe('wamp.session.on_leave');
        const other = await join();
        const details = {
          session: other.session,
          authid: other.welcome['authid'],
          authrole: 'anonymous',
          authmethod: 'anonymous',
        };
        expect(((await watcher.next())[4] as unknown[])[0]).toMatchObject(details);
        expect(await watcher.call('wamp.session.count')).toEqual([2]);
        expect(await watcher.call('wamp.session.count', [['nobody']])).toEqual([0]);
        expect(await watcher.call('wamp.session.list')).toEqual([[watcher.session, other.session]]);
        expect(await watcher.call('wamp.session.get', [other.session])).toMatchObject([details]);
        expect(await watcher.call('wamp.session.get', [1])).toEqual(['wamp.error.no_such_session']);
        other.send(6, {}, 'wamp.close.normal');
        expect((await watcher.next())[4]).toEqual([other.session, other.welcome['authid'], 'anonymous']);
      });

      it('sessions are killed one by one, by authid, by role and all but the caller', async () => {
        const killer = await join();
        const victim = async (): Promise<Peer> => join();
        const one = await victim();
        expect(await killer.call('wamp.session.kill', [killer.session])).toEqual([
          'wamp.error.no_such_session',
        ]);
        expect(await killer.call('wamp.session.kill', [one.session], { reason: 'not a uri' })).toMatchObject([
          'wamp.error.invalid_uri',
          {},
        ]);
        expect(
          await killer.call('wamp.session.kill', [one.session], { reason: 'com.out', message: 'bye' }),
        ).toEqual([null]);
        expect(await one.next()).toEqual([6, { message: 'bye' }, 'com.out']);
        one.send(6, {}, 'wamp.close.goodbye_and_out');
        await one.expectClosed();
        const two = await victim();
        expect(await killer.call('wamp.session.kill_by_authid', [two.welcome['authid']])).toEqual([
          [two.session],
        ]);
        expect((await two.next())[2]).toBe('wamp.close.killed');
        const three = await victim();
        expect(await killer.call('wamp.session.kill_by_authrole', ['anonymous'])).toEqual([1]);
        expect((await three.next())[2]).toBe('wamp.close.killed');
        const four = await victim();
        expect(await killer.call('wamp.session.kill_all')).toEqual([1]);
        expect((await four.next())[2]).toBe('wamp.close.killed');
        // What crossed the GOODBYE is no fault.
        four.send(48, 1, {}, 'com.any');
        four.send(6, {}, 'wamp.close.goodbye_and_out');
        await four.expectClosed();
      });

      it('testaments are published when their session ends, in order, unless flushed', async () => {
        const [dying, heir] = await joinTwo();
        await heir.subscribe('com.will');
        const add = 'wamp.session.add_testament';
        expect(await dying.call(add, ['com.will', ['third'], {}])).toEqual([null]);
        expect(await dying.call(add, ['com.will', ['first'], {}], { scope: 'detached' })).toEqual([null]);
        expect(
          await dying.call(add, ['com.will', ['never'], {}], { publish_options: { eligible: [] } }),
        ).toEqual([null]);
        expect(await dying.call(add, ['com..will', []])).toEqual(['wamp.error.invalid_uri']);
        dying.close();
        expect((await heir.next())[4]).toEqual(['first']);
        expect((await heir.next())[4]).toEqual(['third']);
        const calm = await join();
        await calm.call(add, ['com.will', ['flushed'], {}]);
        expect(await calm.call('wamp.session.flush_testaments')).toEqual([null]);
        calm.send(6, {}, 'wamp.close.normal');
        await calm.next();
        expect(await heir.drain()).toEqual([]);
      });

      it('whoever has just gone is no callee any more', async () => {
        const [callee, caller] = await joinTwo();
        await callee.register('com.gone');
        callee.send(6, {}, 'wamp.close.normal');
        await callee.next();
        expect(uriOf(await caller.ask(48, {}, 'com.gone'))).toBe('wamp.error.no_such_procedure');
      });

      it('what is announced: both roles with their features', async () => {
        const peer = await join({ roles: ALL_ROLES });
        const roles = peer.welcome['roles'] as Record<string, { features: Record<string, boolean> }>;
        expect(Object.keys(roles)).toEqual(['broker', 'dealer']);
        expect(Object.values(roles['dealer']!.features).every((on) => on)).toBe(true);
        expect(Object.keys(roles['dealer']!.features)).toContain('progressive_call_invocations');
      });
    });
  });
}
