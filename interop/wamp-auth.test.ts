import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Listener } from '../src/net/listener.js';
import { mountWamp } from '../src/protocols/wamp/server/mount.js';
import { WampRouter } from '../src/protocols/wamp/server/router.js';
import { CLIENTS, type Realm } from './wamp-proving.js';
import { SEED, authenticateAda } from './wamp-users.js';

/* Our client, `autobahn` and `wampy` prove to our router who they are, by every method that they have. */

let listener: Listener;
let router: WampRouter;
let place: Realm;

beforeAll(async () => {
  router = new WampRouter({ realms: { realm1: {} }, auth: authenticateAda() });
  listener = await Listener.listen();
  mountWamp(listener, router);
  place = { url: `ws://127.0.0.1:${listener.port}/wamp`, realm: 'realm1' };
});
afterAll(async () => {
  router.close();
  await listener.close({ drainMs: 0 });
});

describe.each(CLIENTS)('%s', (_, join, methods) => {
  const isKey = (method: string): boolean => method === 'cryptosign';

  test.each(methods)('is let in by %s', async (method) => {
    const member = await join(place, method, isKey(method) ? SEED : 's3cret');
    await member.close();
    const { authid, authmethod } = member.details;
    expect({ authid, authmethod }).toEqual({ authid: 'ada', authmethod: method });
  });

  test.each(methods)('is kept out by %s with another secret', async (method) => {
    await expect(join(place, method, isKey(method) ? '22'.repeat(32) : 'guess')).rejects.toThrow();
    await expect.poll(() => router.connectionCount).toBe(0);
  });
});
