import { describe, expect, onTestFinished, test } from 'vitest';
import { Wampy } from 'wampy';
import { CborSerializer } from 'wampy/CborSerializer.js';
import { JsonSerializer } from 'wampy/JsonSerializer.js';
import { MsgpackSerializer } from 'wampy/MsgpackSerializer.js';
import { WebSocket } from 'ws';
import { PassThru, cborSerializer } from 'chorale/wamp';
import type { Client } from 'chorale/wamp';

import { joinOurs, serveWamp, type RouterPlace } from './wamp-router.js';

/* The npm client `wampy` with our router, beside our client: what one sends, the other must understand. */

interface Heard {
  readonly argsList?: unknown[];
  readonly argsDict?: Record<string, unknown>;
  readonly details: Record<string, unknown>;
}

describe.each([
  ['json', () => new JsonSerializer()],
  ['msgpack', () => new MsgpackSerializer()],
  ['cbor', () => new CborSerializer()],
])('wampy with our router, %s', (name, makeSerializer) => {
  async function join({ url }: RouterPlace): Promise<Wampy> {
    const wampy = new Wampy(url, {
      realm: 'realm1',
      serializer: makeSerializer(),
      payloadSerializers: { cbor: new CborSerializer() },
      ws: WebSocket as never,
      autoReconnect: false,
    });
    await wampy.connect();
    onTestFinished(async () => void (await wampy.disconnect()));
    return wampy;
  }

  async function joinBoth(): Promise<{ theirs: Wampy; ours: Client; place: RouterPlace }> {
    const place = await serveWamp();
    return { theirs: await join(place), ours: await joinOurs(place), place };
  }

  test('calls, and is called, with all kinds of values', async () => {
    const { theirs, ours } = await joinBoth();
    await theirs.register('com.theirs', ({ argsList, argsDict }) => ({
      argsList: argsList ?? [],
      argsDict: argsDict ?? {},
    }));
    await ours.register('com.ours', ({ args: [a, b] }) => Number(a) + Number(b));
    expect((await theirs.call('com.ours', [1, 2])).argsList).toEqual([3]);
    // In JSON it does not know the specification's octets.
    const octets = name === 'json' ? [] : [Uint8Array.of(0, 1, 255)];
    const args = [1, 2 ** 40, -0.5, 'grün', null, true, [1, [2]], { a: { b: 1 } }, ...octets];
    const { args: back, kwargs } = await ours.call('com.theirs', args, { kwargs: { k: 'v' } }).result();
    expect([back, kwargs]).toEqual([args, { k: 'v' }]);
  });

  test('errors are the same on both sides', async () => {
    const { theirs, ours } = await joinBoth();
    await theirs.register('com.theirs', ({ error_handler }) =>
      error_handler({ error: 'com.error.theirs', argsList: [1], argsDict: { k: 2 } }),
    );
    await expect(ours.call('com.theirs')).rejects.toMatchObject({
      uri: 'com.error.theirs',
      args: [1],
      kwargs: { k: 2 },
    });
    await expect(theirs.call('com.nobody')).rejects.toMatchObject({
      errorUri: 'wamp.error.no_such_procedure',
    });
  });

  test('progress goes both ways, in order', async () => {
    const { theirs, ours } = await joinBoth();
    await ours.register('com.ours', function* () {
      yield 1;
      yield 2;
      return 3;
    });
    await theirs.register('com.theirs', ({ result_handler }) => {
      for (const part of ['a', 'b']) result_handler({ argsList: [part], options: { progress: true } });
      return { argsList: ['c'] };
    });
    const seen: unknown[] = [];
    const result = await theirs.call('com.ours', null, {
      progress_callback: ({ argsList }) => void seen.push(argsList?.[0]),
    });
    expect([seen.slice(0, 2), result.argsList]).toEqual([[1, 2], [3]]);
    const call = ours.call('com.theirs');
    const parts: unknown[] = [];
    for await (const part of call) parts.push(part.value);
    expect([parts, await call]).toEqual([['a', 'b'], 'c']);
  });

  test('arguments bit by bit reach our input', async () => {
    const { theirs, ours } = await joinBoth();
    await ours.register('com.sum', async ({ input }) => {
      let sum = 0;
      for await (const { args } of input) sum += Number(args[0]);
      return sum;
    });
    const { result, sendData } = theirs.progressiveCall('com.sum', 1);
    sendData(2, { progress: true });
    sendData(3, { progress: false });
    expect((await result).argsList).toEqual([6]);
  });

  test.each(['kill', 'killnowait'] as const)('cancelling in mode %s interrupts our handler', async (mode) => {
    const { theirs, ours } = await joinBoth();
    let isInterrupted = false;
    await ours.register('com.wait', async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      isInterrupted = true;
      signal.throwIfAborted();
    });
    const calling = theirs.call('com.wait').catch((error: unknown) => error);
    await ours.call('wamp.session.count');
    theirs.cancel(theirs.getOpStatus().reqId, { mode });
    expect(await calling).toMatchObject({ errorUri: 'wamp.error.canceled' });
    await expect.poll(() => isInterrupted).toBe(true);
  });

  test('a call that takes too long ends', async () => {
    const { theirs, ours } = await joinBoth();
    await ours.register('com.never', () => new Promise(() => {}));
    await expect(theirs.call('com.never', null, { timeout: 20 })).rejects.toMatchObject({
      errorUri: 'wamp.error.timeout',
    });
  });

  test('patterns, shared registrations and disclosure work', async () => {
    const { theirs, ours, place } = await joinBoth();
    const tell = ({ details }: Heard): { argsList: unknown[] } => ({
      argsList: [details['procedure'], details['caller']],
    });
    await theirs.register('com.prefix', tell, { match: 'prefix' });
    await theirs.register('com..wild', tell, { match: 'wildcard' });
    for (const procedure of ['com.prefix.x', 'com.any.wild']) {
      const { args } = await ours.call(procedure, [], { discloseMe: true }).result();
      expect(args).toEqual([procedure, ours.session.sessionId]);
    }
    await ours.register('com.who', ({ callerId }) => callerId, { matchPolicy: 'prefix' });
    const who = await theirs.call('com.who.is', null, { disclose_me: true });
    expect(who.argsList?.map(Number)).toEqual([Number(theirs.getSessionId())]);
    for (const [callee, answer] of [
      [theirs, 'one'],
      [await join(place), 'two'],
    ] as const) {
      await callee.register('com.shared', () => ({ argsList: [answer] }), { invoke: 'roundrobin' });
    }
    await ours.register('com.shared', () => 'ours', { invocationPolicy: 'roundrobin' });
    const answers: unknown[] = [];
    for (let i = 0; i < 6; i++) answers.push(await ours.call('com.shared'));
    expect(answers).toEqual(['one', 'two', 'ours', 'one', 'two', 'ours']);
  });

  test('events go both ways, by pattern, retained and excluded', async () => {
    const { theirs, ours } = await joinBoth();
    const seen: unknown[] = [];
    const look = (who: string) => (event: Heard) =>
      void seen.push([who, event.argsList, event.details['retained'] ?? event.details['topic']]);
    await ours.publish('com.weather', ['sun'], { retain: true, acknowledge: true });
    await theirs.subscribe('com.weather', look('exact'), { get_retained: true });
    await expect.poll(() => seen).toEqual([['exact', ['sun'], true]]);
    await theirs.subscribe('com.news', look('prefix'), { match: 'prefix' });
    await theirs.subscribe('com..b', look('wildcard'), { match: 'wildcard' });
    const excludedIds = [Number(theirs.getSessionId())];
    await ours.publish('com.news.a', [1], { blackWhiteList: { excludedIds } });
    await ours.publish('com.news.b', [2], { acknowledge: true });
    await expect.poll(() => seen.length).toBe(3);
    expect(seen.slice(1)).toEqual(
      expect.arrayContaining([
        ['prefix', [2], 'com.news.b'],
        ['wildcard', [2], 'com.news.b'],
      ]),
    );
  });

  test('its lists of who may hear, and its name, reach our subscriber', async () => {
    const { theirs, ours } = await joinBoth();
    const heard: unknown[] = [];
    await ours.subscribe('com.back', ({ args, kwargs, publisherId }) =>
      heard.push([args, kwargs, publisherId]),
    );
    await theirs.publish('com.back', 0, { exclude: ours.session.sessionId });
    await theirs.publish('com.back', 1, { eligible: [4242] });
    await theirs.publish('com.back', { argsList: [2], argsDict: { k: 3 } }, { disclose_me: true });
    await expect.poll(() => heard).toEqual([[[2], { k: 3 }, Number(theirs.getSessionId())]]);
  });

  // In JSON it has no octets.
  test.skipIf(name === 'json')('payloads in a form of their own pass through the router', async () => {
    const form = new PassThru({ scheme: 'x_mine', serializer: cborSerializer });
    const place = await serveWamp();
    const [theirs, ours] = [await join(place), await joinOurs(place, { passThru: [form] })];
    const mine = { ppt_scheme: 'x_mine', ppt_serializer: 'cbor' };
    await theirs.register('com.theirs', ({ argsList, argsDict }) => ({
      argsList: argsList ?? [],
      argsDict: argsDict ?? {},
      options: mine,
    }));
    const call = ours.call('com.theirs', [1, 'grün'], { kwargs: { k: 2 }, passThru: form });
    const { args, kwargs, details } = await call.result();
    expect([args, kwargs, details]).toEqual([[1, 'grün'], { k: 2 }, expect.objectContaining(mine)]);
    await ours.register('com.ours', ({ args: [a, b] }) => Number(a) + Number(b));
    expect((await theirs.call('com.ours', [1, 2], mine)).argsList).toEqual([3]);
    const heard: unknown[] = [];
    await ours.subscribe('com.news', ({ args, details }) => heard.push([args, details['ppt_scheme']]));
    await theirs.publish('com.news', ['sun'], mine);
    await expect.poll(() => heard).toEqual([[['sun'], 'x_mine']]);
  });
});
