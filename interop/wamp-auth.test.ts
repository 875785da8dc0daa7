import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Wampy } from 'wampy';
import { sign as wampyCryptosign } from 'wampy/cryptosign.js';
import { sign as wampyCra } from 'wampy/wampcra.js';
import { WebSocket } from 'ws';
import { AuthKeyring, connect, crAuth, cryptosignAuth, scramAuth, ticketAuth } from 'chorale/wamp';
import { Listener } from '../src/net/listener.js';
import { mountWamp } from '../src/protocols/wamp/server/mount.js';
import { WampRouter } from '../src/protocols/wamp/server/router.js';
import { autobahn, openAutobahn, type Welcome } from './autobahn.js';
import { PUBLIC_KEY, SEED, authenticateAda } from './wamp-users.js';

/* Our client, `autobahn` and `wampy` prove to our router who they are, by every method that they have. */

/** Joins; rejects if the router does not want that. `secret` is wrong in some tests. */
type Join = (method: string, secret: string) => Promise<Welcome>;

let listener: Listener;
let router: WampRouter;
let url: string;

beforeAll(async () => {
  router = new WampRouter({ realms: { realm1: {} }, auth: authenticateAda() });
  listener = await Listener.listen();
  mountWamp(listener, router);
  url = `ws://127.0.0.1:${listener.port}/wamp`;
});
afterAll(async () => {
  router.close();
  await listener.close({ drainMs: 0 });
});

const joinOurs: Join = async (method, secret) => {
  const methods = {
    ticket: () => ticketAuth(secret),
    wampcra: () => crAuth(secret),
    'wamp-scram': () => scramAuth(secret),
    cryptosign: () => cryptosignAuth({ key: secret }),
  };
  const keyring = new AuthKeyring([methods[method as keyof typeof methods]()], { authId: 'ada' });
  await using client = await connect(url, { realm: 'realm1', keyring });
  return client.session.details as unknown as Welcome;
};

interface CraExtra {
  readonly challenge: string;
  readonly salt: string;
  readonly iterations: number;
  readonly keylen: number;
}

const joinAutobahn: Join = async (method, secret) => {
  const answers: Record<string, (extra: CraExtra) => string> = {
    ticket: () => secret,
    wampcra: ({ challenge, salt, iterations, keylen }) =>
      autobahn.auth_cra.sign(autobahn.auth_cra.derive_key(secret, salt, iterations, keylen), challenge),
    cryptosign: (extra) =>
      autobahn.auth_cryptosign.sign_challenge(
        autobahn.nacl.sign.keyPair.fromSeed(Uint8Array.from(Buffer.from(secret, 'hex'))),
        extra,
      ),
  };
  const { details, close } = await openAutobahn({
    url,
    authid: 'ada',
    authmethods: [method],
    authextra: method === 'cryptosign' ? { pubkey: PUBLIC_KEY } : {},
    onchallenge: (_: unknown, name: string, extra: CraExtra) => answers[name]!(extra),
  });
  close();
  return details;
};

const joinWampy: Join = async (method, secret) => {
  const wampy = new Wampy(url, {
    realm: 'realm1',
    ws: WebSocket as never,
    autoReconnect: false,
    authid: 'ada',
    authmethods: [method],
    authextra: method === 'cryptosign' ? { pubkey: PUBLIC_KEY } : {},
    authMode: 'auto',
    authPlugins: {
      ticket: () => secret,
      wampcra: async (name, extra) => await wampyCra(secret)(name, extra as never),
      cryptosign: (name, extra) => wampyCryptosign(secret)(name, extra as never),
    },
  });
  const details = (await wampy.connect()) as unknown as Welcome;
  await wampy.disconnect();
  return details;
};

const THREE = ['ticket', 'wampcra', 'cryptosign'];

describe.each<[string, Join, string[]]>([
  ['our client', joinOurs, [...THREE, 'wamp-scram']],
  ['autobahn', joinAutobahn, THREE],
  ['wampy', joinWampy, THREE],
])('%s', (_, join, methods) => {
  const isKey = (method: string): boolean => method === 'cryptosign';

  test.each(methods)('is let in by %s', async (method) => {
    const { authid, authmethod } = await join(method, isKey(method) ? SEED : 's3cret');
    expect({ authid, authmethod }).toEqual({ authid: 'ada', authmethod: method });
  });

  test.each(methods)('is kept out by %s with another secret', async (method) => {
    await expect(join(method, isKey(method) ? '22'.repeat(32) : 'guess')).rejects.toThrow();
    await expect.poll(() => router.connectionCount).toBe(0);
  });
});
