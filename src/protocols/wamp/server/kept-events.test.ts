import { describe, expect, it } from 'vitest';

import { startRouter } from './testing/start-router.js';

/*
 * What outlives its message is bounded in octets: retained events, histories, testaments.
 */

// What `['x']` on a topic of five letters is counted as: 256 for objects, 8 for no details, 5, and 67 for the values.
const EVENT_BYTES = 336;
const LONG = 'x'.repeat(1.5 * EVENT_BYTES);
/** Two or three times as much each, and in what. */
const LARGE: readonly (readonly [what: string, options: object, argument: string])[] = [
  ['its arguments', {}, `x${LONG}`],
  ['a role that is left out', { exclude_authrole: [LONG] }, 'x'],
  ['names that are left out', { exclude_authid: Array.from({ length: 10 }, (_, i) => `x${i}`) }, 'x'],
  ['sessions that are left out', { exclude: Array.from({ length: 10 }, (_, i) => i + 1000) }, 'x'],
  ['what is said of its payload', { ppt_scheme: 'x_', ppt_keyid: LONG }, 'x'],
];

function start(options: Parameters<typeof startRouter>[0]) {
  const { join } = startRouter(options);
  const publisher = join();
  publisher.connection.session!.features.learn('publisher', 'payload_passthru_mode');
  let request = 0;
  const publish = (topic: string, publishOptions: object = {}, argument = 'x'): void =>
    publisher.send(16, ++request, publishOptions, topic, [argument]);
  return { join, publish };
}

describe('retained events', () => {
  function startRetaining(limits: object) {
    const { join, publish } = start({ limits });
    const retain = (topic: string, options: object = {}, argument = 'x'): void =>
      publish(topic, { retain: true, ...options }, argument);
    /** What somebody sees who comes now. */
    const look = (): unknown[] => {
      const late = join();
      late.send(32, 1, { match: 'prefix', get_retained: true }, 'com');
      return late
        .look()
        .flatMap(([type, , , details]) => (type === 36 ? [(details as { topic: string }).topic] : []));
    };
    return { retain, look };
  }

  it.each([
    ['number', { retainedEvents: 3 }],
    ['octets', { retainedBytes: 3 * EVENT_BYTES }],
  ])('are limited by their %s: for one more the oldest makes room', (_what, limits) => {
    const { retain, look } = startRetaining(limits);
    for (const topic of ['com.a', 'com.b', 'com.c']) retain(topic);
    expect(look()).toEqual(['com.a', 'com.b', 'com.c']);
    retain('com.a');
    expect(look()).toEqual(['com.b', 'com.c', 'com.a']);
    retain('com.d');
    expect(look()).toEqual(['com.c', 'com.a', 'com.d']);
  });

  it.each(LARGE)('count with %s', (_what, options, argument) => {
    const { retain, look } = startRetaining({ retainedBytes: 4 * EVENT_BYTES });
    for (const topic of ['com.a', 'com.b', 'com.c']) retain(topic);
    retain('com.d', options, argument);
    expect(look()).toEqual(['com.c', 'com.d']);
  });

  it('one that is longer than all may be is not kept, and neither is the one before it', () => {
    const { retain, look } = startRetaining({ retainedBytes: 2 * EVENT_BYTES });
    for (const topic of ['com.a', 'com.b']) retain(topic);
    retain('com.b', {}, `x${LONG}`);
    expect(look()).toEqual(['com.a']);
    retain('com.c');
    expect(look()).toEqual(['com.a', 'com.c']);
  });
});

// Who names sessions is in no history.
it.each(LARGE.filter(([, options]) => !('exclude' in options)))(
  'a history counts %s',
  (_what, options, argument) => {
    const history = [{ uri: 'com.h', bytesMax: 4 * EVENT_BYTES }];
    const { join, publish } = start({ realms: { realm1: { history } } });
    for (const letter of ['a', 'b', 'c']) publish('com.h', {}, letter);
    publish('com.h', options, argument);
    const reader = join();
    reader.send(32, 1, {}, 'com.h');
    const subscription = reader.look()[0]![2];
    reader.send(48, 2, {}, 'wamp.subscription.get_events', [subscription]);
    const events = reader.look()[0]![3] as unknown as { readonly args: string[] }[];
    expect(events.map(({ args }) => args[0]![0])).toEqual(['c', 'x']);
  },
);

it('testaments of a session are limited by their octets', () => {
  // `['x']` and no options.
  const { join } = startRouter({ limits: { testamentBytes: 2 * 75 } });
  const peer = join();
  let request = 0;
  const ask = (procedure: string, args: unknown[], kwargs: object = {}): unknown => {
    peer.send(48, ++request, {}, procedure, args, kwargs);
    return peer.look()[0]![0];
  };
  const add = 'wamp.session.add_testament';
  expect([ask(add, ['com.a', ['x']]), ask(add, ['com.a', ['x']]), ask(add, ['com.a', []])]).toEqual([
    50, 50, 8,
  ]);
  expect(ask('wamp.session.flush_testaments', [])).toBe(50);
  const long = { publish_options: { exclude_authid: [LONG] } };
  expect([ask(add, ['com.a', ['x']], long), ask(add, ['com.a', ['xx'.repeat(75)]])]).toEqual([8, 8]);
  expect([ask(add, ['com.a', ['x']]), ask(add, ['com.a', ['x']])]).toEqual([50, 50]);
});
