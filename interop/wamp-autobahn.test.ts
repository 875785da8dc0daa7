import { describe, expect, onTestFinished, test } from 'vitest';
import type { Client } from 'chorale/wamp';

import { autobahn, openAutobahn, type AutobahnSession } from './autobahn.js';
import { joinOurs, serveWamp, type RouterPlace } from './wamp-router.js';

/* The npm client `autobahn` with our router, beside our client: what one sends, the other must understand. */

const TRANSPORTS: Readonly<Record<string, (place: RouterPlace) => object>> = {
  websocket: ({ url }) => ({ type: 'websocket', url }),
  rawsocket: ({ port }) => ({ type: 'rawsocket', host: '127.0.0.1', port }),
};

// Over RawSocket it speaks JSON only.
describe.each([
  ['websocket', 'JSONSerializer'],
  ['websocket', 'MsgpackSerializer'],
  ['websocket', 'CBORSerializer'],
  ['rawsocket', 'JSONSerializer'],
] as const)('autobahn with our router, %s, %s', (transport, serializer) => {
  async function join(place: RouterPlace): Promise<AutobahnSession> {
    const { session, close } = await openAutobahn({
      transports: [TRANSPORTS[transport]!(place)],
      serializers: [new autobahn.serializer[serializer]()],
    });
    onTestFinished(close);
    return session;
  }

  async function joinBoth(): Promise<{ theirs: AutobahnSession; ours: Client }> {
    const place = await serveWamp();
    return { theirs: await join(place), ours: await joinOurs(place) };
  }

  test('calls, and is called, with all kinds of values', async () => {
    const { theirs, ours } = await joinBoth();
    await theirs.register(
      'com.theirs',
      (args: unknown[], kwargs: object) => new autobahn.Result(args, kwargs),
    );
    await ours.register('com.ours', ({ args: [a, b] }) => Number(a) + Number(b));
    expect(await theirs.call('com.ours', [1, 2])).toBe(3);
    // In JSON it does not know the specification's octets.
    const octets = serializer === 'JSONSerializer' ? [] : [Uint8Array.of(0, 1, 255)];
    const args = [1, 2 ** 40, -0.5, 'grün', null, true, [1, [2]], { a: { b: 1 } }, ...octets];
    const { args: back, kwargs } = await ours.call('com.theirs', args, { kwargs: { k: 'v' } }).result();
    expect([back, kwargs]).toEqual([args, { k: 'v' }]);
  });

  test('errors are the same on both sides', async () => {
    const { theirs, ours } = await joinBoth();
    await theirs.register('com.theirs', () => {
      throw new autobahn.Error('com.error.theirs', [1], { k: 2 });
    });
    await expect(ours.call('com.theirs')).rejects.toMatchObject({
      uri: 'com.error.theirs',
      args: [1],
      kwargs: { k: 2 },
    });
    await expect(theirs.call('com.nobody')).rejects.toMatchObject({
      error: 'wamp.error.no_such_procedure',
    });
  });

  test('progress goes both ways', async () => {
    const { theirs, ours } = await joinBoth();
    await ours.register('com.ours', function* () {
      yield 1;
      yield 2;
      return 3;
    });
    await theirs.register(
      'com.theirs',
      (_: unknown, __: unknown, details: { progress?(args: unknown[]): void }) => {
        details.progress?.(['a']);
        details.progress?.(['b']);
        return 'c';
      },
    );
    const seen: unknown[] = [];
    const total = await new Promise((resolve, reject) => {
      void theirs
        .call('com.ours', [], {}, { receive_progress: true })
        .then(resolve, reject, (value) => seen.push(value));
    });
    const call = ours.call('com.theirs');
    for await (const part of call) seen.push(part.value);
    expect([seen, total, await call]).toEqual([[1, 2, 'a', 'b'], 3, 'c']);
  });

  test('cancelling interrupts our handler; a call that takes too long ends', async () => {
    const { theirs, ours } = await joinBoth();
    let interrupted = 0;
    await ours.register('com.wait', async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      interrupted++;
      signal.throwIfAborted();
    });
    const waiting = theirs.call('com.wait');
    await ours.call('wamp.session.count');
    waiting.cancel({ mode: 'kill' });
    await expect(waiting).rejects.toMatchObject({ error: 'wamp.error.canceled' });
    await expect(theirs.call('com.wait', [], {}, { timeout: 20 })).rejects.toMatchObject({
      error: 'wamp.error.timeout',
    });
    await expect.poll(() => interrupted).toBe(2);
  });

  test('patterns, shared registrations and disclosure work', async () => {
    const { theirs, ours } = await joinBoth();
    const tell = (_: unknown, __: unknown, details: { procedure: string; caller: number }): unknown[] => [
      details.procedure,
      details.caller,
    ];
    await theirs.register('com.prefix', tell, { match: 'prefix' });
    await theirs.register('com..wild', tell, { match: 'wildcard' });
    for (const procedure of ['com.prefix.x', 'com.any.wild']) {
      const answer = await ours.call(procedure, [], { discloseMe: true });
      expect(answer).toEqual([procedure, ours.session.sessionId]);
    }
    await theirs.register('com.shared', () => 'theirs', { invoke: 'roundrobin' });
    await ours.register('com.shared', () => 'ours', { invocationPolicy: 'roundrobin' });
    const answers = [await ours.call('com.shared'), await ours.call('com.shared')];
    expect(new Set(answers)).toEqual(new Set(['ours', 'theirs']));
  });

  test('events go both ways, by pattern, with exclusion and acknowledgement', async () => {
    const { theirs, ours } = await joinBoth();
    const seen: unknown[][] = [];
    await theirs.subscribe(
      'com.news',
      (args: unknown[], kwargs: unknown, details: { topic: string }) =>
        seen.push(['theirs', args, kwargs, details.topic]),
      { match: 'prefix' },
    );
    await ours.subscribe('com..today', ({ args, topic }) => seen.push(['ours', args, topic]), {
      matchPolicy: 'wildcard',
    });
    const { id } = await theirs.publish('com.news.today', [1], {}, { acknowledge: true, exclude_me: false });
    expect(id).toBeGreaterThan(0);
    await expect.poll(() => seen.length).toBe(2);
    await ours.publish('com.news.tomorrow', [2], { kwargs: { k: 1 }, acknowledge: true });
    await expect.poll(() => seen.length).toBe(3);
    expect(seen.filter(([who]) => who === 'theirs')).toEqual([
      ['theirs', [1], {}, 'com.news.today'],
      ['theirs', [2], { k: 1 }, 'com.news.tomorrow'],
    ]);
    expect(seen.filter(([who]) => who === 'ours')).toEqual([['ours', [1], 'com.news.today']]);
  });
});
