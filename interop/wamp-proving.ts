import { Wampy } from 'wampy';
import { sign as wampyCryptosign } from 'wampy/cryptosign.js';
import { sign as wampyCra } from 'wampy/wampcra.js';
import { WebSocket } from 'ws';
import { AuthKeyring, connect, crAuth, cryptosignAuth, scramAuth, ticketAuth } from 'chorale/wamp';
import { autobahn, openAutobahn, type Welcome } from './autobahn.js';
import { PUBLIC_KEY } from './wamp-users.js';

/* Three clients that prove to a router that they are `ada`. */

export interface Realm {
  readonly url: string;
  readonly realm: string;
}

export interface Member {
  readonly details: Welcome;
  call(procedure: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Joins by that method; rejects if the router does not want that. The secret of cryptosign is a seed in hex. */
export type Join = (place: Realm, method: string, secret: string) => Promise<Member>;

const joinOurs: Join = async ({ url, realm }, method, secret) => {
  const methods = {
    ticket: () => ticketAuth(secret),
    wampcra: () => crAuth(secret),
    'wamp-scram': () => scramAuth(secret),
    cryptosign: () => cryptosignAuth({ key: secret }),
  };
  const keyring = new AuthKeyring([methods[method as keyof typeof methods]()], { authId: 'ada' });
  const client = await connect(url, { realm, keyring });
  return {
    details: client.session.details as unknown as Welcome,
    call: async (procedure) => await client.call(procedure),
    close: async () => await client.close(),
  };
};

interface CraExtra {
  readonly challenge: string;
  readonly salt: string;
  readonly iterations: number;
  readonly keylen: number;
}

const joinAutobahn: Join = async ({ url, realm }, method, secret) => {
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
  const { session, details, close } = await openAutobahn({
    url,
    realm,
    authid: 'ada',
    authmethods: [method],
    authextra: method === 'cryptosign' ? { pubkey: PUBLIC_KEY } : {},
    onchallenge: (_: unknown, name: string, extra: CraExtra) => answers[name]!(extra),
  });
  return { details, call: async (procedure) => await session.call(procedure), close: async () => close() };
};

const joinWampy: Join = async ({ url, realm }, method, secret) => {
  const wampy = new Wampy(url, {
    realm,
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
  return {
    details,
    call: async (procedure) => (await wampy.call(procedure)).argsList?.[0],
    close: async () => void (await wampy.disconnect()),
  };
};

const THREE = ['ticket', 'wampcra', 'cryptosign'] as const;

/** Every client with the methods that it has. */
export const CLIENTS: readonly (readonly [name: string, join: Join, methods: readonly string[]])[] = [
  ['our client', joinOurs, [...THREE, 'wamp-scram']],
  ['autobahn', joinAutobahn, THREE],
  ['wampy', joinWampy, THREE],
];
