import fc from 'fast-check';
import { expect, it } from 'vitest';

import { MessageError } from '../messages/message-error.js';
import { jsonSerializer } from '../messages/json.js';
import { startRouter } from './testing/start-router.js';

/*
 * Two sessions that send whatever they like, one of them in good order most of the time. Whatever it is, the router goes on, nothing
 * is thrown, and when both have gone nothing is left of them.
 */

const id = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom(0, -1, 1.5, 2 ** 53, 'x'));
const uri = fc.constantFrom(
  'com.a',
  'com.a.b',
  'com..b',
  'com',
  'wamp.session.count',
  'wamp.session.list',
  'a b',
  '',
);
const options = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.record(
    {
      match: fc.constantFrom('exact', 'prefix', 'wildcard', 7),
      invoke: fc.constantFrom('single', 'roundrobin', 'random', 'first', 'last'),
      concurrency: fc.constantFrom(1, 2, 0),
      force_reregister: fc.boolean(),
      disclose_caller: fc.boolean(),
      disclose_me: fc.boolean(),
      acknowledge: fc.boolean(),
      exclude_me: fc.boolean(),
      retain: fc.boolean(),
      get_retained: fc.boolean(),
      receive_progress: fc.boolean(),
      progress: fc.boolean(),
      timeout: fc.constantFrom(0, 10, 100),
      mode: fc.constantFrom('skip', 'kill', 'killnowait'),
      runmode: fc.constant('partition'),
      rkey: fc.constantFrom('k1', 'k2'),
      nkey: fc.constantFrom('n1', 'n2'),
      eligible: fc.constantFrom([], [1]),
    },
    { requiredKeys: [] },
  ),
);
const payload = fc.constantFrom([], [[]], [[1]], [[], { k: 1 }], [[1, 'x']], [7]);
const head = fc.oneof(
  fc.tuple(fc.constantFrom(16, 32, 48, 64), id, options, uri),
  fc.tuple(fc.constantFrom(34, 66), id, id),
  fc.tuple(fc.constantFrom(49, 70), id, options),
  fc.tuple(
    fc.constant(8),
    fc.constant(68),
    id,
    options,
    fc.constantFrom('com.error', 'wamp.error.unavailable'),
  ),
);
const message = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(head, payload).map(([fields, rest]) => [...fields, ...rest]) },
  fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 33, 36, 50, 68, 337, 99), id, options),
  fc.jsonValue({ maxDepth: 3 }),
);
const step = fc.record({ who: fc.constantFrom(0, 1, 2), message, waitMs: fc.constantFrom(0, 0, 0, 60) });

it('whatever sessions send, the router goes on and keeps nothing of those who have gone', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { router, clock, errors, join } = startRouter({ limits: { queueBytes: 1000 } });
      const members = [join(), join(), join()];
      for (const { who, message: fields, waitMs } of steps) {
        if (members[who]!.output.isEnded) members[who] = join();
        const peer = members[who]!;
        try {
          peer.connection.receive(jsonSerializer.decode(JSON.stringify(fields)), 10);
        } catch (error) {
          if (!(error instanceof MessageError)) throw error;
          peer.connection.receiveGarbage(error);
        }
        clock.advance(waitMs);
      }
      for (const { connection } of members) connection.lose();
      const realm = router.realm('realm1')!;
      const left = (['exact', 'prefix', 'wildcard'] as const).flatMap((match) => [
        ...realm.registrar.table.index.list(match),
        ...realm.broker.subscriptions.index.list(match),
      ]);
      expect([left, realm.sessions.size, router.connectionCount, clock.pendingTimers]).toEqual([[], 0, 0, 0]);
      expect(errors).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
