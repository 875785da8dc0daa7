import { createHash, createHmac, createPublicKey, pbkdf2Sync, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import * as MessageType from '../messages/message-type.js';
import { CancelMode } from './policies.js';
import { AbortError, AuthError, TransportError, UnexpectedMessageError } from './errors.js';
import { cryptosignAuth } from './auth/cryptosign.js';
import { AuthKeyring } from './auth/keyring.js';
import { scramAuth, scramChallengeOf } from './auth/scram.js';
import { signScram } from './auth/scram-proof.js';
import { anonymousAuth, ticketAuth, tokenAuth } from './auth/ticket.js';
import { crAuth } from './auth/wampcra.js';
import type { Dict } from './payload.js';
import { ScriptedRouter, settled } from './testing/scripted-router.js';

const { authenticate: AUTHENTICATE, abort: ABORT } = MessageType;

function strictRouter(): ScriptedRouter {
  const router = new ScriptedRouter();
  router.welcomes = false;
  return router;
}

async function challenge(router: ScriptedRouter, method: string, extra: Dict): Promise<void> {
  await settled(() => router.hellos.length === 1);
  router.send({ type: MessageType.challenge, method, extra });
}

describe('joining', () => {
  test('announces what the client can', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect({ details: { agent: 'test' } });
    const { realm, details } = router.hellos[0]!;
    expect([realm, details['agent'], details['authmethods']]).toEqual(['test', 'test', undefined]);
    expect(details['roles']).toMatchObject({ callee: { features: { call_canceling: true } } });
    expect(client.session.hasRole('dealer')).toBe(true);
    expect(client.session.hasRole('callee')).toBe(false);
    expect(client.session.hasFeature('dealer', 'call_timeout')).toBe(true);
    expect(client.session.getFeatures('broker')).toEqual({ event_history: true });
    expect(CancelMode.killNoWait).toBe('killnowait');
  });

  test('rejects when the router refuses, answers nonsense, or nothing', async () => {
    const refused = strictRouter();
    const refusal = expect(refused.connect()).rejects.toMatchObject({
      constructor: AbortError,
      reason: 'wamp.error.no_such_realm',
      details: { message: 'which one?' },
    });
    await settled(() => refused.hellos.length === 1);
    refused.sendRaw('[3,{"message":"which one?"},"wamp.error.no_such_realm"]');
    await refusal;

    const confused = strictRouter();
    const confusion = expect(confused.connect()).rejects.toBeInstanceOf(UnexpectedMessageError);
    await settled(() => confused.hellos.length === 1);
    confused.event(1, 1, []);
    await confusion;

    const silent = strictRouter();
    const silence = expect(silent.connect()).rejects.toBeInstanceOf(TransportError);
    await settled(() => silent.hellos.length === 1);
    silent.clock.advance(15_000);
    await silence;

    const cancelled = expect(strictRouter().connect({ signal: AbortSignal.abort() })).rejects;
    await cancelled.toBeInstanceOf(TransportError);
  });

  test('rejects when there is no key for the challenge, and tells the router', async () => {
    const router = strictRouter();
    const joining = expect(router.connect()).rejects.toBeInstanceOf(AuthError);
    await challenge(router, 'wampcra', {});
    await joining;
    expect((await router.next(ABORT)).reason).toBe('wamp.error.authorization_failed');
  });
});

describe('a keyring', () => {
  test('offers its methods, best first, with one authid', async () => {
    const router = strictRouter();
    const keyring = new AuthKeyring([crAuth('x'), ticketAuth('y'), anonymousAuth()], { authId: 'ada' });
    void router.connect({ keyring }).catch(() => {});
    await settled(() => router.hellos.length === 1);
    expect(router.hellos[0]!.details).toMatchObject({
      authmethods: ['wampcra', 'ticket', 'anonymous'],
      authid: 'ada',
    });
    expect(keyring.get('ticket')?.name).toBe('ticket');
  });

  test('refuses a method twice, a missing authid, and extras that contradict each other', async () => {
    expect(() => new AuthKeyring([ticketAuth('x'), tokenAuth('y')], { authId: 'a' })).toThrow('given twice');
    expect(() => new AuthKeyring([crAuth('x')])).toThrow('needs an authid');
    const keyring = new AuthKeyring(
      [scramAuth('x'), cryptosignAuth({ key: '00'.repeat(32), channelBinding: 'tls-unique' })],
      { authId: 'a' },
    );
    const channelBinding = (): Uint8Array<ArrayBuffer> => new Uint8Array(12);
    await expect(keyring.begin({ channelBinding })).rejects.toThrow('different values of "channel_binding"');
    await expect(keyring.begin()).rejects.toThrow('has no channel binding "tls-unique"');
  });
});

test('a HELLO that cannot be encoded is refused, and leaves nothing behind', async () => {
  const router = strictRouter();
  await expect(router.connect({ details: { past: 2n ** 60n } })).rejects.toMatchObject({
    code: 'UNENCODABLE',
  });
  await settled(() => router.clock.pendingTimers === 0);
});

describe('proving who one is', () => {
  test('with a ticket that is made when it is asked for', async () => {
    const router = strictRouter();
    const joining = router.connect({ keyring: [tokenAuth(async () => 'fresh')] });
    await challenge(router, 'ticket', {});
    expect((await router.next(AUTHENTICATE)).signature).toBe('fresh');
    router.welcome({ authid: 'ada' });
    expect((await joining).session.details['authid']).toBe('ada');
  });

  test.each([
    ['a plain secret', {}],
    ['a salted secret', { salt: 'salty', iterations: 100, keylen: 32 }],
  ])('with WAMP-CRA and %s', async (_, salting) => {
    const router = strictRouter();
    const joining = router.connect({ keyring: new AuthKeyring([crAuth('s3cret')], { authId: 'ada' }) });
    const text = '{"nonce":"n","session":1}';
    await challenge(router, 'wampcra', { challenge: text, ...salting });
    const key =
      'salt' in salting ? pbkdf2Sync('s3cret', 'salty', 100, 32, 'sha256').toString('base64') : 's3cret';
    const expected = createHmac('sha256', key).update(text).digest('base64');
    expect((await router.next(AUTHENTICATE)).signature).toBe(expected);
    router.welcome();
    await joining;
  });

  test('with WAMP-CRA refuses work for years', async () => {
    const router = strictRouter();
    const joining = expect(
      router.connect({ keyring: new AuthKeyring([crAuth('x')], { authId: 'a' }) }),
    ).rejects.toThrow('1000000000000 iterations');
    await challenge(router, 'wampcra', { challenge: 'x', salt: 's', iterations: 1e12, keylen: 32 });
    await joining;
  });

  // RFC 8032, section 7.1, test 1: seed and public key.
  const SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
  const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';

  test('with cryptosign', async () => {
    const router = strictRouter();
    const joining = router.connect({ keyring: [cryptosignAuth({ key: SEED })] });
    await challenge(router, 'cryptosign', { challenge: '01'.repeat(32) });
    expect(router.hellos[0]!.details['authextra']).toEqual({ pubkey: PUBLIC, channel_binding: null });
    const { signature } = await router.next(AUTHENTICATE);
    const message = '01'.repeat(32);
    expect(signature).toHaveLength(192);
    expect(signature.slice(128)).toBe(message);
    const x = Buffer.from(PUBLIC, 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const isGood = verify(
      null,
      Buffer.from(message, 'hex'),
      key,
      Buffer.from(signature.slice(0, 128), 'hex'),
    );
    expect(isGood).toBe(true);
    router.welcome();
    await joining;
  });

  const who = { password: 'x', authId: 'a', clientNonce: 'abc' };
  const SALT = Buffer.from('sixteen salt byte').toString('base64');

  test.each([
    ['verifier', (text: string) => text],
    ['verifier', (text: string) => `v=${text}`],
    ['scram_server_signature', (text: string) => text],
  ])('with SCRAM, where the router proves itself in %s, too', async (field, write) => {
    const router = strictRouter();
    const keyring = new AuthKeyring([scramAuth('pencil', { nonce: () => 'abc' })], { authId: 'a,b=c' });
    const joining = router.connect({ keyring });
    await challenge(router, 'wamp-scram', { nonce: 'abcdef', salt: SALT, kdf: 'pbkdf2', iterations: 100 });
    const { signature, extra } = await router.next(AUTHENTICATE);
    const salted = pbkdf2Sync('pencil', Buffer.from(SALT, 'base64'), 100, 32, 'sha256');
    const mac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
    const clientKey = mac(salted, 'Client Key');
    const message = `n=a=2Cb=3Dc,r=abc,r=abcdef,s=${SALT},i=100,c=biws,r=abcdef`;
    const mask = mac(createHash('sha256').update(clientKey).digest(), message);
    expect(signature).toBe(Buffer.from(clientKey.map((byte, i) => byte ^ mask[i]!)).toString('base64'));
    expect(extra).toMatchObject({ nonce: 'abcdef' });
    const verifier = mac(mac(salted, 'Server Key'), message).toString('base64');
    router.welcome({ authextra: { [field]: write(verifier) } });
    await joining;
  });

  test('with SCRAM leaves a router that does not know the password', async () => {
    const router = strictRouter();
    const keyring = new AuthKeyring([scramAuth('pencil', { nonce: () => 'abc' })], { authId: 'ada' });
    const joining = expect(router.connect({ keyring })).rejects.toBeInstanceOf(AuthError);
    await challenge(router, 'wamp-scram', { nonce: 'abcdef', salt: SALT, kdf: 'pbkdf2', iterations: 100 });
    await router.next(AUTHENTICATE);
    router.welcome({ authextra: { verifier: Buffer.alloc(32).toString('base64') } });
    await joining;
    expect((await router.next(ABORT)).reason).toBe('wamp.error.authorization_failed');
  });

  test.each([
    ['a nonce that is not ours', { nonce: 'xyz' }, 'does not continue ours'],
    ['no nonce of its own', { nonce: 'abc' }, 'does not continue ours'],
    ['an unknown derivation', { kdf: 'md5' }, 'md5'],
    ['too many iterations', { iterations: 1e9 }, 'iterations'],
    ['too much memory', { kdf: 'argon2id13', iterations: 1, memory: 2 ** 30 }, 'memory'],
  ])('with SCRAM refuses %s', async (_, change, text) => {
    const extra = { nonce: 'abcdef', salt: SALT, kdf: 'pbkdf2', iterations: 100, ...change };
    await expect(signScram({ ...who, challenge: scramChallengeOf(extra) })).rejects.toThrow(text);
  });

  test('with SCRAM over argon2 is the same in both dialects', async () => {
    const proofs = ['argon2id13', 'argon2id-13'].map(async (kdf) => {
      const extra = { nonce: 'abcdef', salt: SALT, kdf, iterations: 1, memory: 64 };
      return (await signScram({ ...who, challenge: scramChallengeOf(extra) })).proof.signature;
    });
    const [one, other] = await Promise.all(proofs);
    expect(one).toBe(other);
  });
});
