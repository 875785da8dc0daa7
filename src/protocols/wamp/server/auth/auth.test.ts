import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  pbkdf2Sync,
  sign,
} from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../../../base/clock.js';
import { seededRandom } from '../../../../base/random.js';
import { KeyPair } from '../../../../identity/keys.js';
import { TokenAuthority } from '../../../../identity/tokens.js';
import type { Dict, Message } from '../../messages/message.js';
import type { TransportInfo } from '../output.js';
import { WampRouter } from '../router.js';
import { proveScram } from '../testing/prove-scram.js';
import { routerLimitsDefault } from '../options.js';
import { startRouter } from '../testing/start-router.js';
import type { Authenticator, AuthStep } from './authenticator.js';
import { cryptosignAuth } from './cryptosign.js';
import { makeScramUser, scramAuth, type ScramUser } from './scram.js';
import { ticketAuth } from './ticket.js';
import { tokenAuth } from './token.js';
import { craAuth, deriveCraKey } from './wampcra.js';

/** The fields that tests look at; which of them are there depends on the message. */
interface Seen {
  readonly extra: { challenge: string; salt: string; nonce: string; iterations: number };
  readonly details: Dict;
}

const memory: TransportInfo = { type: 'memory', serializer: 'none', peer: 'test' };

/** HELLO against a router with these methods, and what it answers in turn. */
function greet(auth: readonly Authenticator[], details: Dict, transport = memory) {
  const seen: Message[] = [];
  const errors: unknown[] = [];
  const router = new WampRouter({ realms: { realm1: {} }, auth, onError: (error) => errors.push(error) });
  const output = {
    queuedBytes: 0,
    send: (message: Message) => (seen.push(message), 'sent' as const),
    sendEvent: () => {},
    end: () => {},
  };
  const connection = router.connect(output, transport);
  connection.receive({ type: 1, realm: 'realm1', details: { roles: { caller: {} }, ...details } });
  const next = async (): Promise<Seen> => {
    await expect.poll(() => seen.length).toBeGreaterThan(0);
    return seen.shift() as unknown as Seen;
  };
  const authenticate = (signature: string, extra: Dict = {}) => {
    connection.receive({ type: 5, signature, extra });
    return next();
  };
  return { next, authenticate, errors };
}

const failed = {
  type: 3,
  reason: 'wamp.error.authentication_failed',
  details: { message: 'authentication failed' },
};

describe('authentication', () => {
  it('ticket: the right one is welcome, a wrong one learns nothing', async () => {
    const auth = [
      ticketAuth((authid, ticket) => (ticket === 'secret' ? { authid, authrole: 'guest' } : undefined)),
    ];
    const good = greet(auth, { authmethods: ['ticket'], authid: 'joe' });
    expect(await good.next()).toMatchObject({ type: 4, method: 'ticket', extra: {} });
    const welcome = { authid: 'joe', authrole: 'guest', authmethod: 'ticket', authprovider: 'dynamic' };
    expect(await good.authenticate('secret')).toMatchObject({ type: 2, details: welcome });
    const bad = greet(auth, { authmethods: ['ticket'], authid: 'joe' });
    await bad.next();
    expect(await bad.authenticate('guess')).toMatchObject(failed);
  });

  it('an authenticator that throws lets nobody in, and its error stays here', async () => {
    const auth = [ticketAuth(() => Promise.reject(new Error('database password is hunter2')))];
    const { next, authenticate, errors } = greet(auth, { authmethods: ['ticket'] });
    await next();
    const answer = await authenticate('x');
    expect(answer).toMatchObject(failed);
    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect(errors).toHaveLength(1);
  });

  it.each(['has gone', 'was sent away because it took too long'])(
    'who %s while the authenticator made up its mind is not let in',
    async (how) => {
      let decide!: (step: AuthStep) => void;
      const begin = () => new Promise<AuthStep>((resolve) => (decide = resolve));
      const { router, open, clock, errors } = startRouter({ auth: [{ name: 'anonymous', begin }] });
      const peer = open();
      peer.send(1, 'realm1', { roles: { caller: {} } });
      if (how === 'has gone') peer.connection.lose();
      else clock.advance(routerLimitsDefault.joinMs + 100);
      expect(router.connectionCount).toBe(0);
      peer.look();
      decide({ kind: 'welcome', principal: { authid: 'a', authrole: 'b' } });
      await new Promise((resolve) => void setImmediate(resolve));
      expect([peer.look(), router.realm('realm1')!.sessions.size, errors]).toEqual([[], 0, []]);
    },
  );

  it('nobody learns whether it is the name or the secret that is wrong', async () => {
    const user = makeScramUser('pencil', 'user', 4096);
    const auth = [
      ticketAuth((authid, ticket) =>
        authid === 'joe' && ticket === 'x' ? { authid, authrole: 'user' } : undefined,
      ),
      craAuth({ lookup: (authid) => (authid === 'joe' ? { secret: 's', authrole: 'user' } : undefined) }),
      scramAuth({ lookup: (authid) => (authid === 'joe' ? user : undefined) }),
      cryptosignAuth({ lookup: () => undefined }),
    ];
    const authextra = { nonce: 'clientnonce', pubkey: '00'.repeat(32) };
    for (const method of ['ticket', 'wampcra', 'wamp-scram', 'cryptosign']) {
      const seen: unknown[] = [];
      for (const authid of ['joe', 'nobody']) {
        const peer = greet(auth, { authmethods: [method], authid, authextra });
        const { extra } = await peer.next();
        const answer = await peer.authenticate('wrong', { nonce: extra.nonce, channel_binding: null });
        seen.push([Object.keys(extra), answer]);
      }
      expect(seen[0]).toEqual(seen[1]);
      expect(seen[0]).toMatchObject([expect.anything(), failed]);
    }
  });

  it('the first offered method that is configured is taken; none is no_matching_auth_method', async () => {
    const auth = [ticketAuth(() => undefined)];
    expect(await greet(auth, { authmethods: ['anonymous', 'ticket'] }).next()).toMatchObject({ type: 4 });
    const reason = 'wamp.error.no_matching_auth_method';
    expect(await greet(auth, { authmethods: ['anonymous'] }).next()).toMatchObject({ type: 3, reason });
    expect(await greet(auth, {}).next()).toMatchObject({ type: 3, reason });
  });

  const signCra = (key: string, challenge: string): string =>
    createHmac('sha256', key).update(challenge).digest('base64');

  it('wampcra: HMAC over the text of the challenge', async () => {
    const users = new Map([['peter', { secret: 'secret1', authrole: 'admin' }]]);
    const auth = [craAuth({ lookup: (authid) => users.get(authid) })];
    const good = greet(auth, { authmethods: ['wampcra'], authid: 'peter' });
    const { extra } = await good.next();
    // The role is for those who have proved who they are.
    const told = { authid: 'peter', authmethod: 'wampcra', authrole: 'user' };
    expect(JSON.parse(extra.challenge)).toMatchObject(told);
    expect(await good.authenticate(signCra('secret1', extra.challenge))).toMatchObject({
      type: 2,
      details: { authrole: 'admin' },
    });
    for (const authid of ['peter', 'nobody']) {
      const bad = greet(auth, { authmethods: ['wampcra'], authid });
      const { extra } = await bad.next();
      expect(await bad.authenticate(signCra('wrong', extra.challenge))).toMatchObject(failed);
    }
  });

  it('wampcra with salt: the base64 text of the derived key is the key', async () => {
    const secret = deriveCraKey('secret1', 'salty', 100, 32);
    expect(secret).toBe(pbkdf2Sync('secret1', 'salty', 100, 32, 'sha256').toString('base64'));
    const auth = [
      craAuth({
        lookup: (id) => (id === 'peter' ? { secret, salt: 'salty', authrole: 'user' } : undefined),
        salting: { iterations: 100, keylen: 32 },
      }),
    ];
    const good = greet(auth, { authmethods: ['wampcra'], authid: 'peter' });
    const { extra } = await good.next();
    expect(extra).toMatchObject({ salt: 'salty', iterations: 100, keylen: 32 });
    expect(await good.authenticate(signCra(secret, extra.challenge))).toMatchObject({ type: 2 });
    const salts = await Promise.all(
      [1, 2].map(
        async () => (await greet(auth, { authmethods: ['wampcra'], authid: 'nobody' }).next()).extra.salt,
      ),
    );
    expect(salts[0]).toHaveLength(16);
    expect(salts[0]).toBe(salts[1]);
  });

  /** The client's half of SCRAM. */
  it('wamp-scram: both sides prove that they know the password', async () => {
    const user = makeScramUser('pencil', 'user', 100);
    const auth = [scramAuth({ lookup: (authid) => (authid === 'joe' ? user : undefined) })];
    const hello = {
      authmethods: ['wamp-scram'],
      authid: 'joe',
      authextra: { nonce: 'clientnonce', channel_binding: null },
    };
    const good = greet(auth, hello);
    const { extra } = await good.next();
    expect(extra.nonce.startsWith('clientnonce')).toBe(true);
    const { proof, verifier } = proveScram('pencil', 'joe', 'clientnonce', extra);
    const welcome = await good.authenticate(proof, { nonce: extra.nonce, channel_binding: null });
    expect(welcome.details.authextra).toEqual({
      verifier: `v=${verifier}`,
      scram_server_signature: verifier,
    });
    for (const [authid, password, nonce] of [
      ['joe', 'wrong', ''],
      ['nobody', 'pencil', ''],
      ['joe', 'pencil', 'x'],
    ] as const) {
      const bad = greet(auth, { ...hello, authid });
      const { extra } = await bad.next();
      const { proof } = proveScram(password, authid, 'clientnonce', extra);
      expect(await bad.authenticate(proof, { nonce: extra.nonce + nonce })).toMatchObject(failed);
    }
  });

  it('wamp-scram: an unknown name has the same salt each time, as long as that of a known one', async () => {
    const user = makeScramUser('pencil', 'user', 4096);
    const auth = [scramAuth({ lookup: (authid) => (authid === 'joe' ? user : undefined) })];
    const challenge = async (authid: string): Promise<Seen['extra']> => {
      const hello = { authmethods: ['wamp-scram'], authid, authextra: { nonce: 'clientnonce' } };
      const { nonce, ...rest } = (await greet(auth, hello).next()).extra;
      return { ...rest, nonce: String(nonce.length) };
    };
    const [joe, nobody, again, other] = [
      await challenge('joe'),
      await challenge('nobody'),
      await challenge('nobody'),
      await challenge('other'),
    ];
    expect(again).toEqual(nobody);
    expect(other.salt).not.toBe(nobody.salt);
    expect(nobody.salt).toHaveLength(joe.salt.length);
    expect({ ...nobody, salt: '' }).toEqual({ ...joe, salt: '' });
  });

  it("scram in autobahn's dialect: other words, no channel, nothing repeated", async () => {
    const hmac = (key: string | Uint8Array, text: string) => createHmac('sha256', key).update(text).digest();
    // What Python's autobahn makes of "s3cret": Argon2id, 2 x 64 KiB, salt 00 01 ... 0f; base64 without padding.
    const salted = 'D/5k6TAKWBnIxXIVKcP7qH1ImS70jb3gNbrWker2xdo';
    const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
    const serverKey = hmac(salted, 'Server Key');
    const user: ScramUser = {
      salt: 'AAECAwQFBgcICQoLDA0ODw==',
      kdf: 'argon2id13',
      iterations: 2,
      memory: 64,
      storedKey: storedKey.toString('base64'),
      serverKey: serverKey.toString('base64'),
      authrole: 'user',
    };
    const lookup = (authid: string) => (authid === 'joe' ? user : undefined);
    const hello = { authmethods: ['scram'], authid: 'joe', authextra: { nonce: 'clientnonce' } };
    const join = async (authid: string, key: string): Promise<Seen> => {
      const auth = [scramAuth({ lookup }), scramAuth({ lookup, dialect: 'autobahn' })];
      const { next, authenticate } = greet(auth, { ...hello, authid });
      const { nonce, salt, iterations, ...rest } = (await next()).extra;
      expect(rest).toEqual({ kdf: 'argon2id-13', memory: authid === 'joe' ? 64 : 512 });
      const message = `n=${authid},r=clientnonce,r=${nonce},s=${salt},i=${iterations},c=,r=${nonce}`;
      const signature = hmac(storedKey, message);
      const proof = hmac(key, 'Client Key').map((octet, i) => octet ^ signature[i]!);
      const answer = await authenticate(Buffer.from(proof).toString('base64'));
      const theirs = hmac(serverKey, message).toString('base64');
      if (answer.details['authextra'] !== undefined) {
        expect(answer.details['authextra']).toMatchObject({ scram_server_signature: theirs });
      }
      return answer;
    };
    expect(await join('joe', salted)).toMatchObject({ type: 2, details: { authmethod: 'scram' } });
    expect(await join('joe', 'guess')).toMatchObject(failed);
    expect(await join('nobody', salted)).toMatchObject(failed);
  });

  it('cryptosign: the key that signed the challenge, bound to the channel if asked', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const pubkey = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
    const auth = [
      cryptosignAuth({
        lookup: (key) => (key === pubkey ? { authid: 'device', authrole: 'device' } : undefined),
      }),
    ];
    const channelId = Uint8Array.from({ length: 32 }, (_, i) => i);
    const bound: TransportInfo = {
      ...memory,
      channelBindings: (type) => (type === 'tls-exporter' ? [channelId] : []),
    };
    const signHex = (challenge: string, channel?: Uint8Array): string => {
      const message = Buffer.from(challenge, 'hex').map((octet, i) => octet ^ (channel?.[i] ?? 0));
      return sign(null, message, privateKey).toString('hex') + Buffer.from(message).toString('hex');
    };
    const hello = (channel_binding: string | null) => ({
      authmethods: ['cryptosign'],
      authextra: { pubkey, channel_binding },
    });
    const plain = greet(auth, hello(null));
    expect(await plain.authenticate(signHex((await plain.next()).extra.challenge))).toMatchObject({
      type: 2,
      details: { authid: 'device' },
    });
    const channel = greet(auth, hello('tls-exporter'), bound);
    expect(
      await channel.authenticate(signHex((await channel.next()).extra.challenge, channelId)),
    ).toMatchObject({ type: 2 });
    const unbound = greet(auth, hello('tls-exporter'), bound);
    expect(await unbound.authenticate(signHex((await unbound.next()).extra.challenge))).toMatchObject(failed);
    expect(await greet(auth, hello('tls-exporter')).next()).toMatchObject(failed);
    const other = greet(auth, hello(null));
    await other.next();
    expect(await other.authenticate('00'.repeat(96))).toMatchObject(failed);
  });

  it('cryptosign is Ed25519 of RFC 8032', () => {
    // Test 1 of section 7.1: its key, from its secret.
    const secret = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
    const der = Buffer.from(`302e020100300506032b657004220420${secret}`, 'hex');
    const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    expect(key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
  });

  it("the server's own token is a ticket, an extra or a bearer", async () => {
    const authority = new TokenAuthority({
      keys: KeyPair.generate(),
      clock: new ManualClock(),
      random: seededRandom(1),
    });
    const { token, identity } = await authority.mintAnonymous();
    const auth = tokenAuth({ authority, roleOf: () => 'player' });
    const welcome = { type: 2, details: { authid: identity.toHexString(), authrole: 'player' } };
    const ticket = greet(auth, { authmethods: ['ticket'] });
    await ticket.next();
    expect(await ticket.authenticate(token)).toMatchObject(welcome);
    expect(await greet(auth, { authmethods: ['token'], authextra: { token } }).next()).toMatchObject(welcome);
    expect(await greet(auth, { authmethods: ['token'] }, { ...memory, bearer: token }).next()).toMatchObject(
      welcome,
    );
    expect(
      await greet(auth, { authmethods: ['token'], authextra: { token: `${token}x` } }).next(),
    ).toMatchObject(failed);
    expect(await greet(auth, { authmethods: ['token'] }).next()).toMatchObject(failed);
  });
});
