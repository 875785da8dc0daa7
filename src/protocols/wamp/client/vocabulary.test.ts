import { describe, expect, test } from 'vitest';
import { msgpackSerializer } from './serializer/msgpack.js';
import { jsonSerializer } from './serializer/json.js';
import * as MessageType from '../messages/message-type.js';
import { BlackWhiteList } from './black-white-list.js';
import { IdGenerator } from './id-generator.js';
import { meta, testament } from './meta.js';
import { PassThru } from './payload-passthru.js';
import { InvalidArgument } from './errors.js';
import { Template, applyTemplate, bindArguments, event, procedure } from './template.js';
import type { Parameter } from './template.js';
import { ScriptedRouter, settled } from './testing/scripted-router.js';
import { policyMatch, uri } from './uri.js';
import { UriMap } from './uri-map.js';

describe('URIs', () => {
  // The example of the specification's ranking.
  const map = new UriMap<number>([
    ['a1.b2.c3.d4.e55', 1],
    [uri('a1.b2.c3', { match: 'prefix' }), 2],
    [uri('a1.b2.c3.d4', { match: 'prefix' }), 3],
    [uri('a1.b2..d4.e5', { match: 'wildcard' }), 4],
    [uri('a1.b2.c33..e5', { match: 'wildcard' }), 5],
    [uri('a1.b2..d4.e5..g7', { match: 'wildcard' }), 6],
    [uri('a1.b2..d4..f6.g7', { match: 'wildcard' }), 7],
  ]);

  test.each([
    ['a1.b2.c3.d4.e55', 1],
    ['a1.b2.c3.d98.e74', 2],
    ['a1.b2.c3.d4.e325', 3],
    ['a1.b2.c55.d4.e5', 4],
    ['a1.b2.c33.d4.e5', 5],
    ['a1.b2.c88.d4.e5.f6.g7', 6],
    ['a2.b2.c2.d2.e2', undefined],
  ])('%s finds %s', (text, value) => {
    expect(map.find(text)).toBe(value);
  });

  test('match by policy; prefixes do not stop at dots', () => {
    const prefix = uri('com.emergency', { match: 'prefix' });
    expect(policyMatch(prefix, 'com.emergency-low')).toBe(true);
    expect(policyMatch(uri('com..x', { match: 'wildcard' }), 'com.a.x')).toBe(true);
    expect(policyMatch(uri('com..x', { match: 'wildcard' }), 'com.a.b.x')).toBe(false);
    expect([map.size, map.has(prefix), map.set(prefix, 9).has(prefix), map.delete(prefix)]).toEqual([
      7,
      false,
      true,
      true,
    ]);
    expect([...map]).toHaveLength(7);
  });
});

test('request ids begin with 1 and end with 2^53', () => {
  const ids = new IdGenerator();
  expect([ids.next(), ids.next(), ids.peek()]).toEqual([1, 2, 3]);
  const last = new IdGenerator(2 ** 53 - 1);
  expect([last.next(), last.next()]).toEqual([2 ** 53, 1]);
});

describe('a black- and whitelist', () => {
  test('admits who is eligible and not excluded, in all six lists', () => {
    const list = new BlackWhiteList().excludeSessionId(1).allowAuthId('ada').excludeAuthRole('guest');
    expect(list.admits({ sessionId: 2, authId: 'ada', authRole: 'user' })).toBe(true);
    expect(list.admits({ sessionId: 1, authId: 'ada', authRole: 'user' })).toBe(false);
    expect(list.admits({ sessionId: 2, authId: 'bob', authRole: 'user' })).toBe(false);
    expect(list.admits({ sessionId: 2, authId: 'ada', authRole: 'guest' })).toBe(false);
    expect([list.has(1), list.has(2), list.isEligible('bob'), list.isExcluded('guest')]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  test('knows the options of PUBLISH', () => {
    const options = {
      exclude: [1],
      exclude_authid: ['a'],
      exclude_authrole: ['b'],
      eligible: [2],
      eligible_authid: ['c'],
      eligible_authrole: ['d'],
    };
    expect(BlackWhiteList.fromOptions(options).toOptions()).toEqual(options);
    expect([new BlackWhiteList().isEmpty, new BlackWhiteList({ eligibleIds: [] }).isEmpty]).toEqual([
      true,
      false,
    ]);
  });

  test('can be taken back', () => {
    const list = new BlackWhiteList()
      .excludeSessionId(1)
      .excludeAuthId('a')
      .allowSessionId(2)
      .allowAuthRole('r');
    list.unexclude(1).unexclude('a').disallow(2).disallow('r');
    expect(list.toOptions()).toEqual({ eligible: [], eligible_authrole: [] });
  });
});

describe('binding arguments to parameters', () => {
  const PARAMETERS: readonly Parameter[] = ['a', { name: 'b', default: 2 }];

  test.each<[string, readonly Parameter[], unknown[], object, unknown[]]>([
    ['by position', PARAMETERS, [1, 5], {}, [1, 5]],
    ['by name', PARAMETERS, [], { b: 5, a: 1 }, [1, 5]],
    ['by default', PARAMETERS, [1], {}, [1, 2]],
    [
      'the rest',
      ['a', { rest: 'positional' }, { rest: 'named' }],
      [1, 2, 3],
      { x: 4 },
      [1, [2, 3], { x: 4 }],
    ],
  ])('%s', (_, parameters, args, kwargs, expected) => {
    expect(bindArguments(parameters, { args, kwargs: { ...kwargs } })).toEqual(expected);
  });

  test.each<[string, unknown[], object]>([
    ['missing', [], {}],
    ['given twice', [1], { a: 1 }],
    ['there are 3', [1, 2, 3], {}],
    ['no argument "x"', [1], { x: 1 }],
  ])('fails when one is wrong: %s', (text, args, kwargs) => {
    expect(() => bindArguments(PARAMETERS, { args, kwargs: { ...kwargs } })).toThrow(text);
    expect(() => bindArguments(PARAMETERS, { args, kwargs: { ...kwargs } })).toThrow(InvalidArgument);
  });
});

describe('templates', () => {
  async function serve(router: ScriptedRouter, apply: Promise<unknown>): Promise<void> {
    const register = await router.next(MessageType.register);
    const subscribe = await router.next(MessageType.subscribe);
    router.send({ type: MessageType.registered, request: register.request, registration: 7 });
    router.send({ type: MessageType.subscribed, request: subscribe.request, subscription: 3 });
    await apply;
  }

  test('are brought to a client, with arguments bound', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const sold: unknown[] = [];
    const shop = new Template({ uriPrefix: 'com.shop.' })
      .procedure(
        undefined,
        function Price(article: string, currency: string) {
          return `${article} in ${currency}`;
        },
        { parameters: ['article', { name: 'currency', default: 'EUR' }], invocationPolicy: 'random' },
      )
      .event('sold', (article: string) => sold.push(article), {
        parameters: ['article'],
        matchPolicy: 'prefix',
      });
    await serve(router, shop.apply(client));
    const [register] = router.all(MessageType.register);
    expect([register!.procedure, register!.options]).toEqual(['com.shop.price', { invoke: 'random' }]);
    router.event(3, 1, ['tea']);
    router.invoke(1, 7, [], {}, { article: 'tea' });
    expect((await router.next(MessageType.yield)).payload.args).toEqual(['tea in EUR']);
    router.invoke(2, 7, []);
    expect((await router.next(MessageType.error)).error).toBe('wamp.error.invalid_argument');
    expect(sold).toEqual(['tea']);
  });

  test('make a client, who has all of it or is closed', async () => {
    const shop = new Template({ uriPrefix: 'com.shop.' }).procedure('price', () => 1).event('sold', () => {});
    const router = new ScriptedRouter();
    const options = { realm: 'test', openTransport: router.open, clock: router.clock };
    const creating = shop.createClient('memory:router', options);
    await serve(router, creating);
    const client = await creating;
    expect([client.state, client.getRegistrationIds('com.shop.price')]).toEqual(['open', [7]]);
    await client.close();

    const refusing = new ScriptedRouter();
    const refused = expect(
      shop.createClient('memory:router', { ...options, openTransport: refusing.open }),
    ).rejects.toMatchObject({ uri: 'wamp.error.procedure_already_exists' });
    const { request } = await refusing.next(MessageType.register);
    refusing.error(MessageType.register, request, 'wamp.error.procedure_already_exists');
    await refused;
    expect(refusing.all(MessageType.goodbye).length).toBe(1);
  });

  test('are made of decorated methods', async () => {
    const seen: unknown[] = [];
    // What `@procedure(...)` before a method compiles to; the test runner has no decorators.
    class Shop {
      readonly name = 'the shop';
      readonly price = procedure(undefined, { parameters: ['article'] })(
        function price(this: Shop, article: string) {
          return `${article} at ${this.name}`;
        },
        { name: 'price' },
      );
      readonly onSold = event('sold', { parameters: ['article'] })((article: string) => seen.push(article), {
        name: 'onSold',
      });
    }
    const router = new ScriptedRouter();
    const client = await router.connect();
    await serve(router, applyTemplate(new Shop(), client, { uriPrefix: 'com.' }));
    router.event(3, 1, ['tea']);
    router.invoke(1, 7, ['tea']);
    expect((await router.next(MessageType.yield)).payload.args).toEqual(['tea at the shop']);
    expect([router.all(MessageType.register)[0]!.procedure, seen]).toEqual(['com.price', ['tea']]);
  });
});

test('meta procedures and testaments are calls', async () => {
  const router = new ScriptedRouter();
  const client = await router.connect();
  const counting = meta(client).sessions.count(['user']);
  const { procedure: name, payload } = await router.next(MessageType.call);
  expect([name, payload.args]).toEqual(['wamp.session.count', [['user']]]);
  router.result(1, [4]);
  expect(await counting).toBe(4);
  const adding = testament(client).add('com.left', ['ada'], { scope: 'detached', kwargs: { k: 1 } });
  const added = await router.next(MessageType.call, 2);
  expect([added.procedure, added.payload.args, added.payload.kwargs]).toEqual([
    'wamp.session.add_testament',
    ['com.left', ['ada'], { k: 1 }],
    { scope: 'detached' },
  ]);
  router.result(2, []);
  await adding;
});

describe('payloads that are passed through', () => {
  const mask = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0x55);

  test.each([
    ['json', new PassThru({ scheme: 'x_mine', serializer: jsonSerializer })],
    ['msgpack', new PassThru({ scheme: 'x_mine', serializer: msgpackSerializer })],
    [
      'msgpack, enciphered',
      new PassThru({
        scheme: 'x_mine',
        serializer: msgpackSerializer,
        cipher: 'x_mask',
        keyId: 'k1',
        encrypt: mask,
        decrypt: mask,
      }),
    ],
  ])('are one binary value in %s', async (_, form) => {
    const router = new ScriptedRouter();
    const client = await router.connect({ passThru: [form] });
    const call = client.call('com.echo', ['x', 1], { kwargs: { k: [2] }, passThru: form });
    const { payload, options, request } = await router.next(MessageType.call);
    expect([payload.args.length, payload.args[0] instanceof Uint8Array, payload.kwargs]).toEqual([
      1,
      true,
      {},
    ]);
    expect(options).toMatchObject({ ppt_scheme: 'x_mine' });
    router.result(request, payload.args, options);
    const { args, kwargs } = await call.result();
    expect([args, kwargs]).toEqual([['x', 1], { k: [2] }]);
  });

  test('of an unknown form fail the call', async () => {
    const router = new ScriptedRouter();
    const client = await router.connect();
    const call = client.call('com.echo');
    const failing = expect(call).rejects.toMatchObject({ uri: 'wamp.error.feature_not_supported' });
    await settled(() => router.all(MessageType.call).length === 1);
    router.result(1, [new Uint8Array(3)], { ppt_scheme: 'x_other' });
    await failing;
  });
});
