import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Listener } from '../../src/net/listener.js';
import { listenUnix, mountWamp } from '../../src/protocols/wamp/server/mount.js';
import { WampRouter } from '../../src/protocols/wamp/server/router.js';
import { tunnelApplication } from '../../src/server/engineio/tunnel.js';
import { mountEngine } from '../net/mount-engine.js';
import type { Connect, Place } from './wamp-peer.js';
import { Peer } from './wamp-peer.js';

/*
 * What every transport of the router must do, as raw messages. Ids of requests count from 1 for each peer.
 */

export interface WampSuite {
  readonly name: string;
  readonly connect: Connect;
}

export function runSuite({ name, connect }: WampSuite): void {
  describe(`WAMP router over ${name}`, () => {
    let listener: Listener;
    let place: Place;
    let folder: string;
    let unix: Server;
    const peers: Peer[] = [];
    const errors: unknown[] = [];

    beforeAll(async () => {
      const onError = (error: unknown): void => void errors.push(error);
      const history = [{ uri: 'com.past', match: 'prefix' as const }];
      const router = new WampRouter({ realms: { realm1: { history, adminRoles: ['anonymous'] } }, onError });
      listener = await Listener.listen({ onError });
      mountWamp(listener, router);
      mountEngine(listener, {}, tunnelApplication(listener), onError);
      folder = await mkdtemp(joinPath(tmpdir(), 'chorale-wamp-'));
      const unixPath = joinPath(folder, 'router.sock');
      unix = await listenUnix(listener, router, unixPath);
      place = { router, url: listener.url, port: listener.port, unixPath };
    });
    afterEach(async () => {
      for (const peer of peers.splice(0)) peer.close();
      await expect.poll(() => place.router.connectionCount).toBe(0);
      expect(errors.splice(0)).toEqual([]);
    });
    afterAll(async () => {
      place.router.close();
      unix.close();
      await listener.close({ drainMs: 0 });
      await rm(folder, { recursive: true });
    });

    const open = async (): Promise<Peer> => {
      const peer = await Peer.open(place, connect);
      peers.push(peer);
      return peer;
    };
    const join = async (details: Record<string, unknown> = {}): Promise<Peer> => {
      const peer = await Peer.join(place, connect, details);
      peers.push(peer);
      return peer;
    };
    const joinTwo = async (): Promise<[Peer, Peer]> => [await join(), await join()];

    it('a session begins with WELCOME and ends with GOODBYE; the transport may be used again', async () => {
      const peer = await join();
      expect(peer.session).toBeGreaterThan(0);
      expect(peer.welcome).toMatchObject({ realm: 'realm1', authmethod: 'anonymous', authrole: 'anonymous' });
      peer.send(6, {}, 'wamp.close.normal');
      expect(await peer.next()).toEqual([6, {}, 'wamp.close.goodbye_and_out']);
      peer.send(1, 'realm1', { roles: { caller: {} } });
      const first = peer.session;
      await peer.expectWelcome();
      expect(peer.session).not.toBe(first);
    });

    it('a realm that is not there is ABORT no_such_realm', async () => {
      const peer = await open();
      peer.send(1, 'com.nowhere', { roles: { caller: {} } });
      expect(await peer.next()).toEqual([3, expect.anything(), 'wamp.error.no_such_realm']);
      await peer.expectClosed();
    });

    it('a call goes to the callee and its result back', async () => {
      const [callee, caller] = await joinTwo();
      const registration = await callee.register('com.add');
      caller.send(48, 7, {}, 'com.add', [1, 2], { unit: 'm' });
      expect(await callee.next()).toEqual([68, 1, registration, {}, [1, 2], { unit: 'm' }]);
      callee.send(70, 1, {}, [3]);
      expect(await caller.next()).toEqual([50, 7, {}, [3]]);
    });

    it("a callee's error is the caller's error", async () => {
      const [callee, caller] = await joinTwo();
      await callee.register('com.fail');
      caller.send(48, 1, {}, 'com.fail');
      await callee.next();
      callee.send(8, 68, 1, {}, 'com.error.nope', ['why'], { code: 3 });
      expect(await caller.next()).toEqual([8, 48, 1, {}, 'com.error.nope', ['why'], { code: 3 }]);
    });

    it('octets arrive as octets', async () => {
      const [callee, caller] = await joinTwo();
      await callee.register('com.echo');
      caller.send(48, 1, {}, 'com.echo', [Uint8Array.of(1, 2, 255)]);
      const invocation = await callee.next();
      expect(new Uint8Array((invocation[4] as Uint8Array[])[0]!)).toEqual(Uint8Array.of(1, 2, 255));
      callee.send(70, 1, {}, invocation[4]);
      const result = await caller.next();
      expect(new Uint8Array((result[3] as Uint8Array[])[0]!)).toEqual(Uint8Array.of(1, 2, 255));
    });

    it('an event goes to all subscribers but the publisher', async () => {
      const [one, two] = await joinTwo();
      const publisher = await join();
      const subscription = await one.subscribe('com.topic');
      expect(await two.subscribe('com.topic')).toBe(subscription);
      expect(await publisher.subscribe('com.topic')).toBe(subscription);
      const publication = await publisher.publish('com.topic', ['news']);
      for (const peer of [one, two]) {
        expect(await peer.next()).toEqual([36, subscription, publication, {}, ['news']]);
      }
      expect(await publisher.drain()).toEqual([]);
      expect(await publisher.ask(16, { acknowledge: true, exclude_me: false }, 'com.topic')).toMatchObject({
        0: 36,
      });
    });

    it('events of one publisher keep their order across topics', async () => {
      const [subscriber, publisher] = await joinTwo();
      await subscriber.subscribe('com.a');
      await subscriber.subscribe('com.b');
      for (let n = 0; n < 50; n++)
        publisher.send(16, publisher.id(), {}, n % 2 === 0 ? 'com.a' : 'com.b', [n]);
      await publisher.drain();
      const seen = (await subscriber.drain()).map((event) => (event[4] as number[])[0]);
      expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => n));
    });

    it('nothing is sent after UNSUBSCRIBED and UNREGISTERED', async () => {
      const [one, two] = await joinTwo();
      const subscription = await one.subscribe('com.topic');
      const registration = await one.register('com.proc');
      expect(await one.ask(34, subscription)).toEqual([35, 3]);
      expect(await one.ask(66, registration)).toEqual([67, 4]);
      await two.publish('com.topic');
      expect(await two.ask(48, {}, 'com.proc')).toEqual([8, 48, 2, {}, 'wamp.error.no_such_procedure']);
      expect(await one.drain()).toEqual([]);
      expect(await one.ask(34, subscription)).toMatchObject({ 0: 8, 4: 'wamp.error.no_such_subscription' });
      expect(await one.ask(66, registration)).toMatchObject({ 0: 8, 4: 'wamp.error.no_such_registration' });
    });

    it('what breaks the protocol is ABORT protocol_violation', async () => {
      const violations: unknown[][] = [
        [1, 'realm1', { roles: { caller: {} } }],
        [2, 1, {}],
        [70, 99, {}],
        [8, 48, 1, {}, 'com.error'],
        [36, 1, 1, {}],
        [32, 1, { match: 'regex' }, 'com.topic'],
        [16, 1, { exclude: 'me' }, 'com.topic'],
        [48, 1, { timeout: -1 }, 'com.proc'],
      ];
      for (const fields of violations) {
        const peer = await join();
        peer.send(...fields);
        expect(await peer.next()).toEqual([3, expect.anything(), 'wamp.error.protocol_violation']);
        await peer.expectClosed();
      }
      const early = await open();
      early.send(48, 1, {}, 'com.proc');
      expect(await early.next()).toEqual([3, expect.anything(), 'wamp.error.protocol_violation']);
    });

    it('names that are no URIs, or of the router, are refused', async () => {
      const peer = await join();
      const uri = async (...fields: unknown[]) => (await peer.ask(...(fields as [number])))[4];
      expect(await uri(32, {}, 'com..topic')).toBe('wamp.error.invalid_uri');
      expect(await uri(32, { match: 'wildcard' }, 'com..topic')).toBe(undefined);
      expect(await uri(64, {}, 'wamp.mine')).toBe('wamp.error.invalid_uri');
      expect(await uri(48, {}, 'com.a b')).toBe('wamp.error.invalid_uri');
      expect(await uri(16, { acknowledge: true }, 'wamp.mine')).toBe('wamp.error.invalid_uri');
    });
  });
}
