import { describe, expect, it } from 'vitest';

import { type Fields, toMessage } from '../../../../test/conformance/wamp-peer.js';
import { cborSerializer } from '../messages/cbor.js';
import { jsonSerializer } from '../messages/json.js';
import { MessageError } from '../messages/message-error.js';
import { msgpackSerializer } from '../messages/msgpack.js';
import type { Serializer, Wire } from '../messages/serializer.js';
import { ticketAuth } from './auth/ticket.js';
import { startRouter } from './testing/start-router.js';

/*
 * What peers do wrong, message by message. What they do wrong on a wire is in transport/, what decoders refuse in messages/.
 */

type Peer = ReturnType<ReturnType<typeof startRouter>['open']>;

const VIOLATION = 'wamp.error.protocol_violation';
const HELLO = [1, 'realm1', { roles: { caller: {} } }] as const;

const FROM_CLIENTS: Readonly<Record<string, Fields>> = {
  AUTHENTICATE: [5, 'x', {}],
  GOODBYE: [6, {}, 'wamp.close.normal'],
  ERROR: [8, 68, 1, {}, 'com.error'],
  PUBLISH: [16, 1, {}, 'com.topic'],
  SUBSCRIBE: [32, 1, {}, 'com.topic'],
  UNSUBSCRIBE: [34, 1, 1],
  CALL: [48, 1, {}, 'com.proc'],
  CANCEL: [49, 1, {}],
  REGISTER: [64, 1, {}, 'com.proc'],
  UNREGISTER: [66, 1, 1],
  YIELD: [70, 1, {}],
  EVENT_RECEIVED: [337, 1],
};
const FROM_ROUTERS: Readonly<Record<string, Fields>> = {
  WELCOME: [2, 1, {}],
  CHALLENGE: [4, 'ticket', {}],
  PUBLISHED: [17, 1, 1],
  SUBSCRIBED: [33, 1, 1],
  UNSUBSCRIBED: [35, 1],
  EVENT: [36, 1, 1, {}],
  RESULT: [50, 1, {}],
  REGISTERED: [65, 1, 1],
  UNREGISTERED: [67, 1],
  INVOCATION: [68, 1, 1, {}],
  INTERRUPT: [69, 1, {}],
};

/** Sends what stands on the wire as transports do. */
function sendWire(peer: Peer, wire: Wire, serializer: Serializer = jsonSerializer): void {
  try {
    peer.connection.receive(serializer.decode(wire), wire.length);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    peer.connection.receiveGarbage(error);
  }
}

function expectViolation(peer: Peer): void {
  expect(peer.look()).toEqual([[3, { message: expect.any(String) as string }, VIOLATION]]);
  expect([peer.output.isEnded, peer.connection.session]).toEqual([true, undefined]);
}

describe('a message that its state has no use for', () => {
  const { router, open, join, errors } = startRouter({
    auth: [ticketAuth(() => undefined), { name: 'anonymous', begin: () => welcome }],
  });
  const welcome = { kind: 'welcome', principal: { authid: 'a', authrole: 'anonymous' } } as const;

  it.each(Object.entries({ ...FROM_CLIENTS, ...FROM_ROUTERS }))('%s before HELLO', (_name, fields) => {
    const peer = open();
    peer.send(...fields);
    expectViolation(peer);
  });

  it.each(Object.entries({ ...FROM_CLIENTS, HELLO, ...FROM_ROUTERS }))(
    '%s for an answer to CHALLENGE',
    async (name, fields) => {
      const peer = open();
      peer.send(1, 'realm1', { ...HELLO[2], authmethods: ['ticket'], authid: 'x' });
      expect(peer.look()[0]?.[0]).toBe(4);
      peer.send(...fields);
      if (name === 'AUTHENTICATE')
        await expect.poll(() => peer.look()[0]?.[2]).toBe('wamp.error.authentication_failed');
      else expectViolation(peer);
    },
  );

  it.each(Object.entries({ HELLO, AUTHENTICATE: FROM_CLIENTS['AUTHENTICATE']!, ...FROM_ROUTERS }))(
    '%s in a session, or the wrong direction',
    (_name, fields) => {
      const peer = join();
      peer.send(...fields);
      expectViolation(peer);
    },
  );

  it.each([
    ['ERROR of a call', [8, 48, 1, {}, 'com.error']],
    ['ERROR of no kind of request', [8, 999, 1, {}, 'com.error']],
    ['ERROR of an invocation that never was', [8, 68, 1, {}, 'com.error']],
    ['YIELD of an invocation that never was', [70, 1, {}]],
  ] as const)('%s', (_name, fields) => {
    const peer = join();
    peer.send(...fields);
    expectViolation(peer);
  });

  it.each(['before HELLO', 'for an answer to CHALLENGE'])(
    'ABORT %s ends the transport without an answer',
    (when) => {
      const peer = open();
      if (when !== 'before HELLO')
        peer.send(1, 'realm1', { ...HELLO[2], authmethods: ['ticket'], authid: 'x' });
      peer.look();
      peer.send(3, {}, 'wamp.close.normal');
      peer.send(...FROM_CLIENTS['AUTHENTICATE']!);
      expect([peer.look(), peer.output.isEnded, router.connectionCount]).toEqual([[], true, 0]);
    },
  );

  it('anything behind ABORT is nothing, and nothing is left of them all', () => {
    const peer = join();
    peer.send(3, {}, 'wamp.error.system_shutdown');
    for (const fields of Object.values({ ...FROM_CLIENTS, HELLO })) peer.send(...fields);
    expect([peer.look(), peer.output.isEnded, router.connectionCount, errors]).toEqual([[], true, 0, []]);
  });
});

describe('a message that is none', () => {
  const { join, open } = startRouter();
  const goods = Object.entries<Fields>({ HELLO, ...FROM_CLIENTS });

  it.each([
    '[99]',
    '[0]',
    '[-1]',
    '[256,1]',
    '["CALL"]',
    '[48.5]',
    '[]',
    '{}',
    '"x"',
    'null',
    '',
    '[48',
    '[1,2,3]',
  ])('%s is ABORT', (text) => {
    const peer = join();
    sendWire(peer, text);
    expectViolation(peer);
  });

  it.each(goods)('%s with a field missing, or one too many, is ABORT', (_name, fields) => {
    const texts = fields.map((_, count) => JSON.stringify(fields.slice(0, count)));
    for (const text of [...texts, JSON.stringify([...fields, [], {}, 0])]) {
      const peer = join();
      sendWire(peer, text);
      expectViolation(peer);
    }
  });

  it.each(goods)('%s with a field of the wrong type is ABORT', (_name, fields) => {
    for (let at = 1; at < fields.length; at++) {
      for (const wrong of [null, true, 1.5, [], typeof fields[at] === 'string' ? 7 : 'x']) {
        const peer = join();
        sendWire(peer, JSON.stringify(fields.with(at, wrong)));
        expectViolation(peer);
      }
    }
  });

  const badIds = [0, -1, 2 ** 53 + 2, 1.5, '"1"', 'true', '1e400'];

  // ERROR has the type of a request at first, which is no id.
  it.each(goods.filter(([, fields]) => typeof fields.at(-1) === 'number' || typeof fields[1] === 'number'))(
    'each id of %s out of range is ABORT',
    (name, fields) => {
      const places = fields.flatMap((field, at) => (at > 0 && typeof field === 'number' ? [at] : []));
      for (const at of name === 'ERROR' ? [2] : places) {
        for (const id of badIds) {
          const peer = join();
          sendWire(peer, `[${fields.map((field, i) => (i === at ? id : JSON.stringify(field))).join(',')}]`);
          expectViolation(peer);
        }
      }
    },
  );

  it.each([
    ['no roles', {}],
    ['roles that are a list', { roles: [] }],
    ['roles that are text', { roles: 'caller' }],
    ['none among its roles', { roles: {} }],
    ['authmethods that are text', { ...HELLO[2], authmethods: 'ticket' }],
    ['authmethods that are a dict', { ...HELLO[2], authmethods: { ticket: true } }],
    ['an authid that is a number', { ...HELLO[2], authid: 7 }],
  ])('HELLO with %s is ABORT', (_name, details) => {
    const peer = open();
    sendWire(peer, JSON.stringify([1, 'realm1', details]));
    expectViolation(peer);
  });

  it.each([[[1]], [[{}]], [[null, 'psychic']]])(
    'HELLO with the authmethods %j has none that we know',
    (authmethods) => {
      const peer = open();
      sendWire(peer, JSON.stringify([1, 'realm1', { ...HELLO[2], authmethods }]));
      expect(peer.look()).toMatchObject([[3, {}, 'wamp.error.no_matching_auth_method']]);
      expect(peer.output.isEnded).toBe(true);
    },
  );

  it('the ids 1 and 2^53 are ids', () => {
    const peer = join();
    for (const id of [1, 2 ** 53]) sendWire(peer, `[32,${id},{},"com.t"]`);
    expect(peer.look()).toEqual([
      [33, 1, 1],
      [33, 2 ** 53, 1],
    ]);
  });

  it.each([
    ['msgpack', msgpackSerializer, '94 30 01 81 01 02 a5 636f6d2e70', 'as an option'],
    ['msgpack', msgpackSerializer, '96 30 01 80 a5 636f6d2e70 90 81 01 02', 'in the kwargs'],
    ['msgpack', msgpackSerializer, '95 30 01 80 a5 636f6d2e70 91 81 c0 02', 'in an argument'],
    ['cbor', cborSerializer, '84 1830 01 a1 01 02 65 636f6d2e70', 'as an option'],
    ['cbor', cborSerializer, '86 1830 01 a0 65 636f6d2e70 80 a1 01 02', 'in the kwargs'],
    ['cbor', cborSerializer, '85 1830 01 a0 65 636f6d2e70 81 a1 f6 02', 'in an argument'],
  ] as const)(
    '%s: a key that is no text is ABORT, %4$s',
    (_name, serializer: Serializer, hex: string, _where) => {
      const peer = join();
      sendWire(peer, new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex')), serializer);
      expectViolation(peer);
    },
  );
});

describe('an option of the wrong type is ABORT', () => {
  const { join } = startRouter();
  const lists = ['exclude_authid', 'exclude_authrole', 'eligible_authid', 'eligible_authrole'];
  const ppt = ['ppt_scheme', 'ppt_serializer', 'ppt_cipher', 'ppt_keyid'];
  const bools = (names: string): [string, unknown[]][] =>
    names.split(' ').map((name) => [name, ['true', 1, [], {}]]);
  const texts = (names: string | string[]): [string, unknown[]][] =>
    [names]
      .flat()
      .flatMap((name) => name.split(' '))
      .map((name) => [name, [1, true, [], {}]]);
  const forwardFor: [string, unknown[]] = [
    'forward_for',
    [
      'x',
      {},
      [1],
      [{ session: 1 }],
      [{ session: 0, authid: 'a', authrole: 'b' }],
      [{ session: 1, authid: 2, authrole: 'b' }],
      [{ session: 1, authid: 'a', authrole: null }],
    ],
  ];
  const match: [string, unknown[]] = ['match', ['regex', '', 1, true]];
  const table: readonly (readonly [string, Fields, readonly [string, unknown[]][]])[] = [
    ['PUBLISH', FROM_CLIENTS['PUBLISH']!, [
      ...bools('acknowledge exclude_me disclose_me retain'), ...texts('rkey transaction_hash'), ...texts(ppt),
      ['exclude', ['x', 1, {}, ['x'], [0]]], ['eligible', [true, ['1'], [1.5]]],
      ...lists.map((name): [string, unknown[]] => [name, ['joe', [1], {}, [[]]]]), forwardFor,
    ]],
    ['SUBSCRIBE', FROM_CLIENTS['SUBSCRIBE']!, [match, ...texts('nkey'), ...bools('get_retained'), forwardFor]],
    ['CALL', FROM_CLIENTS['CALL']!, [
      ['timeout', [-1, 0.5, '100', true]], ...bools('receive_progress progress disclose_me'),
      ...texts('rkey'), ['runmode', ['all', 1]], ...texts(ppt), forwardFor,
    ]],
    ['REGISTER', FROM_CLIENTS['REGISTER']!, [
      match, ['invoke', ['all', 1, true]], ['concurrency', [0, -1, 1.5, '1']],
      ...bools('disclose_caller force_reregister forward_timeout'), ...texts('nkey'), forwardFor,
    ]],
    ['CANCEL', FROM_CLIENTS['CANCEL']!, [['mode', ['abort', 1, true]]]],
    ['YIELD', FROM_CLIENTS['YIELD']!, [...bools('progress'), ...texts(ppt)]],
  ]; // prettier-ignore

  it.each(table)('%s', (_name, fields, options) => {
    const at = fields.findIndex((field) => typeof field === 'object');
    for (const [name, values] of options) {
      for (const value of values) {
        const peer = join();
        peer.send(...fields.with(at, { [name]: value }));
        expect([name, value, peer.look()[0]?.[2]]).toEqual([name, value, VIOLATION]);
      }
    }
  });

  it('options that nobody knows are ignored, and null is no value', () => {
    const peer = join();
    const forwarded = [{ session: 1, authid: null, authrole: 'b' }];
    peer.send(16, 1, { forward_for: forwarded }, 'com.topic');
    peer.send(32, 2, { unknown: {}, _private: 1, match: null, nkey: null }, 'com.topic');
    expect(peer.look()).toEqual([[33, 2, 1]]);
  });
});

it('a node key may be as long as a URI, and no longer', () => {
  const peer = startRouter().join();
  for (const length of [1024, 1025]) peer.send(32, length, { nkey: 'x'.repeat(length) }, 'com.topic');
  expect(peer.look()).toEqual([
    [33, 1024, 1],
    [8, 32, 1025, {}, 'wamp.error.invalid_argument', ['nkey is too long']],
  ]);
});

describe('URIs', () => {
  const { join } = startRouter({ realms: { realm1: {}, strict: { strictUris: true } } });
  const ask = (realm: string, type: number, options: object, uri: string): unknown => {
    const peer = join(realm);
    peer.send(type, 1, options, uri);
    const [kind, , , , error] = peer.look()[0]!;
    return kind === 8 ? error : 'fine';
  };
  const wildcard = { match: 'wildcard' };

  const table: readonly (readonly [string, object, string, string])[] = [
    ['com.example.topic', {}, 'fine', 'fine'],
    ['com.Example.topic-1', {}, 'fine', 'invalid'],
    ['com.über', {}, 'fine', 'invalid'],
    ['com..topic', {}, 'invalid', 'invalid'],
    ['com..topic', wildcard, 'fine', 'fine'],
    ['com..Topic', wildcard, 'fine', 'invalid'],
    ['..', wildcard, 'fine', 'fine'],
    ['com.', {}, 'invalid', 'invalid'],
    ['.com', {}, 'invalid', 'invalid'],
    ['com.', { match: 'prefix' }, 'fine', 'fine'],
    ['com.a b', {}, 'invalid', 'invalid'],
    ['com.a#b', wildcard, 'invalid', 'invalid'],
    ['', {}, 'invalid', 'invalid'],
    ['x'.repeat(1024), {}, 'fine', 'fine'],
    ['x'.repeat(1025), {}, 'invalid', 'invalid'],
  ];
  const expected = (kind: string): string => (kind === 'fine' ? 'fine' : 'wamp.error.invalid_uri');

  it.each(table)('a URI, loose and strict (%#)', (uri, options, loose, strict) => {
    for (const type of [32, 64]) {
      expect([ask('realm1', type, options, uri), ask('strict', type, options, uri)]).toEqual([
        expected(loose),
        expected(strict),
      ]);
    }
  });

  const exact = table.filter(([, options]) => Object.keys(options).length === 0);

  it.each(exact)('a URI to call or to publish to, loose and strict (%#)', (uri, _options, loose, strict) => {
    // Nobody serves these here: who may call them hears of that.
    const { join } = startRouter({ realms: { realm1: {}, strict: { strictUris: true } } });
    for (const [realm, kind] of [
      ['realm1', loose],
      ['strict', strict],
    ] as const) {
      const peer = join(realm);
      peer.send(48, 1, {}, uri);
      peer.send(16, 2, { acknowledge: true }, uri);
      const answers = peer.look().map(([type, , , , error]) => error ?? type);
      const isFine = kind === 'fine';
      expect(answers).toEqual([
        isFine ? 'wamp.error.no_such_procedure' : expected(kind),
        isFine ? 17 : expected(kind),
      ]);
    }
  });

  it.each(['', 'com..realm', 'a b', 'x'.repeat(1025)])('the realm %j is no_such_realm', (realm) => {
    const { open } = startRouter({ openRealm: () => ({}) });
    const peer = open();
    peer.send(1, realm, { roles: { caller: {} } });
    expect(peer.look()).toMatchObject([[3, {}, 'wamp.error.no_such_realm']]);
  });
});

describe('ends that cross', () => {
  it('GOODBYE from both sides at once ends the transport, without another answer', () => {
    const { join, router } = startRouter();
    const peer = join();
    peer.connection.close('wamp.close.system_shutdown');
    peer.send(6, {}, 'wamp.close.normal');
    expect(peer.look()).toEqual([[6, {}, 'wamp.close.system_shutdown']]);
    peer.send(6, {}, 'wamp.close.goodbye_and_out');
    expect([peer.look(), peer.output.isEnded, router.connectionCount]).toEqual([[], true, 0]);
  });

  it('GOODBYE behind a request that waits for its authorization is answered after it', async () => {
    let decide: (answer: boolean) => void = () => {};
    const authorize = () => new Promise<boolean>((resolve) => (decide = resolve));
    const { join } = startRouter({ realms: { realm1: { authorize } } });
    const peer = join();
    peer.send(32, 1, {}, 'com.a');
    peer.send(6, {}, 'wamp.close.normal');
    expect(peer.look()).toEqual([]);
    decide(true);
    const seen: Fields[] = [];
    await expect.poll(() => seen.push(...peer.look())).toBe(2);
    expect(seen).toEqual([
      [33, 1, 1],
      [6, {}, 'wamp.close.goodbye_and_out'],
    ]);
  });

  it.each([32, 64, 48, 16])('request %i, allowed after its session has gone, does nothing', async (type) => {
    let decide: (answer: boolean) => void = () => {};
    const authorize = ({ uri }: { readonly uri: string }) =>
      uri === 'com.slow' ? new Promise<boolean>((resolve) => (decide = resolve)) : true;
    const { join, router, errors } = startRouter({ realms: { realm1: { authorize } } });
    const [gone, other] = [join(), join()];
    other.send(32, 1, {}, 'com.slow');
    if (type === 48) other.send(64, 2, {}, 'com.slow');
    decide(true);
    await Promise.resolve();
    await expect.poll(() => other.look().length).toBeGreaterThan(0);
    gone.send(type, 1, {}, 'com.slow');
    gone.connection.lose();
    const before = router.realm('realm1')!.registrar.table.index.get('com.slow', 'exact')?.servers.length;
    decide(true);
    await new Promise((resolve) => void setImmediate(resolve));
    const realm = router.realm('realm1')!;
    expect(realm.registrar.table.index.get('com.slow', 'exact')?.servers.length).toBe(before);
    expect(realm.broker.subscriptions.index.get('com.slow', 'exact')?.members.size).toBe(1);
    expect([gone.look(), other.look().filter(([kind]) => kind !== 65), errors]).toEqual([[], [], []]);
  });

  it('YIELD and ERROR after the call was killed, and progress after that, are late and no fault', () => {
    const { join } = startRouter();
    const [callee, caller] = [join(), join()];
    callee.send(64, 1, {}, 'com.p');
    for (const [request, mode] of [[1, 'kill'], [2, 'killnowait'], [3, 'skip']] as const) {
      caller.send(48, request, { receive_progress: true }, 'com.p');
      caller.send(49, request, { mode });
      if (mode === 'kill') callee.send(8, 68, request, {}, 'wamp.error.canceled');
      expect(caller.look()).toEqual([[8, 48, request, {}, 'wamp.error.canceled']]);
      callee.send(70, request, { progress: true }, ['late']);
      callee.send(70, request, {}, ['late']);
      callee.send(8, 68, request, {}, 'com.late');
      caller.send(49, request, { mode });
    }
    expect([caller.look(), callee.output.isEnded, caller.output.isEnded]).toEqual([[], false, false]);
  }); // prettier-ignore

  it('CALL to a session that has just died: the next callee, or no such procedure; calls under way are canceled', () => {
    const { join } = startRouter();
    const [first, second, caller] = [join(), join(), join()];
    for (const callee of [first, second]) callee.send(64, 1, { invoke: 'first' }, 'com.p');
    caller.send(48, 1, {}, 'com.p');
    first.connection.lose();
    caller.send(48, 2, {}, 'com.p');
    expect(caller.look()).toEqual([[8, 48, 1, {}, 'wamp.error.canceled', ['the callee has gone']]]);
    expect(second.look().at(-1)?.[0]).toBe(68);
    second.connection.lose();
    caller.send(48, 3, {}, 'com.p');
    expect(caller.look().map((fields) => fields[4])).toEqual([
      'wamp.error.canceled',
      'wamp.error.no_such_procedure',
    ]);
  });

  it('a message past the limit that has no answer is left out', () => {
    const { join } = startRouter({ limits: { messageBytesMax: 10 } });
    const peer = join();
    peer.connection.receive(toMessage([16, 1, {}, 'com.t']), 11);
    peer.connection.receive(toMessage([49, 1, {}]), 11);
    expect([peer.look(), peer.output.isEnded]).toEqual([[], false]);
  });
});
