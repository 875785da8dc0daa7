import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as MessageType from '../messages/message-type.js';
import { ScriptedRouter, settled } from './testing/scripted-router.js';

/*
 * Whatever a router sends, a client stays open or ends in order: nothing is thrown where nobody can catch it, nothing hangs, and
 * calls and requests are answered one way or the other.
 */

const code = fc.constantFrom(2, 3, 4, 6, 8, 17, 33, 35, 36, 50, 65, 67, 68, 69, 1, 16, 48, 70, 0, 99, 337);
const field = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 8 }) },
  { weight: 2, arbitrary: fc.constant({}) },
  fc.constantFrom<unknown>({ progress: true }, { receive_progress: true, timeout: 5 }, { subscription: 3 }),
  fc.constantFrom<unknown>({ ppt_scheme: 'x_a' }, { registration: 7 }, { mode: 'kill' }, 48, 64, 32, 68),
  fc.constantFrom<unknown>('com.x', 'wamp.error.canceled', '', null, [], [1, 2]),
  fc.jsonValue({ maxDepth: 2 }),
);
const message = fc
  .tuple(code, fc.array(field, { maxLength: 6 }))
  .map(([type, fields]) => JSON.stringify([type, ...fields]));
const id = fc.integer({ min: 1, max: 4 });
const details = fc.constantFrom(
  {},
  { progress: true },
  { receive_progress: true },
  { retained: true },
  { timeout: 5 },
);
/** Right in form, whenever they come. */
const rightful = fc
  .oneof<fc.Arbitrary<unknown[]>[]>(
    fc.tuple(fc.constant(50), id, details, fc.constant([1])),
    fc.tuple(fc.constant(36), id, id, details, fc.constant([1])),
    fc.tuple(fc.constant(8), fc.constantFrom(48, 64, 32), id, fc.constant({}), fc.constant('com.error.x')),
    fc.tuple(fc.constant(68), id, id, details, fc.constant([1])),
    fc.tuple(fc.constant(69), id, fc.constantFrom({}, { mode: 'kill' })),
  )
  .map((fields) => JSON.stringify(fields));
const frame = fc.oneof(
  { weight: 20, arbitrary: rightful },
  { weight: 2, arbitrary: message },
  fc.string(),
  fc.json({ maxDepth: 3 }),
);

test('whatever a router sends, a client stays open or ends in order', async () => {
  let [endings, survivals] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 6 }), async (frames) => {
      const router = new ScriptedRouter();
      const client = await router.connect();
      const outcomes = [
        client.call('com.x').result(),
        client.register('com.x', ({ args }) => args[0]),
        client.subscribe('com.x', () => {}),
      ].map(async (asked) => await (asked as Promise<unknown>).catch((error: unknown) => error));
      await router.next(MessageType.subscribe);
      for (const text of frames) router.sendRaw(text);
      await new Promise((resolve) => setImmediate(resolve));
      if (client.state === 'closed') endings += 1;
      else survivals += 1;
      await client.close();
      await Promise.all(outcomes);
      await settled(() => client.state === 'closed');
      expect(router.clock.pendingTimers).toBe(0);
    }),
    { numRuns: 300 },
  );
  // Both sides of the coin were seen.
  expect(Math.min(endings, survivals)).toBeGreaterThan(10);
});
