import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Identity } from '../../../values/identity.js';
import type { ResumableClientMessage } from '../messages/resume-messages.js';
import { CLIENT_SAMPLES } from '../messages/testing/samples.js';
import { FakeRuntime } from './testing/fake-runtime.js';
import { decodeFrame, encodeFrame, MemoryClient } from './testing/memory-client.js';

function makeDatabase(): FakeRuntime {
  const database = new FakeRuntime();
  database.createTable('user');
  database.createTable('message');
  return database;
}

/** Runs frames through a session; says what must hold whatever they are. */
function expectToSurvive(version: 'v2' | 'v3' | 'resumable', frames: readonly Uint8Array[]): void {
  const database = makeDatabase();
  const [client, witness] = [
    new MemoryClient(database, { version, id: 1n }),
    new MemoryClient(database, { version: version === 'v2' ? 'v2' : 'v3', id: 2n }),
  ];
  for (const session of [client.session, witness.session]) session.start();
  witness.say({ kind: 'subscribe', requestId: 1, querySetId: 1, queries: ['SELECT * FROM user'] });
  for (const frame of frames) client.deliver(frame);
  client.session.closed();
  database.flushTurn();
  expect(client.errors).toEqual([]);
  expect(client.closedWith ?? '1011').toMatch(/^1011/);
  expect(database.attachments).toBe(1);
  // What the other connection hears is whole, and it goes on.
  witness.frames.splice(0).forEach(decodeFrame);
  database.insert({ user: [Uint8Array.of(0x61)] });
  database.flushTurn();
  expect(witness.trace()).toBe('update set1: user(+a)');
}

const version = fc.constantFrom('v2' as const, 'v3' as const, 'resumable' as const);

describe('a session survives', () => {
  test('bytes that mean nothing', () => {
    fc.assert(
      fc.property(version, fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), expectToSurvive),
      { numRuns: 1000 },
    );
  });

  test('messages with changed bytes', () => {
    const word = fc.constantFrom('SELECT * FROM user', 'SELECT * FROM *', 'SELECT * FROM x', '', '%');
    const message: fc.Arbitrary<ResumableClientMessage> = fc.oneof(
      fc.constantFrom(...CLIENT_SAMPLES),
      fc.record({
        kind: fc.constant('subscribe' as const),
        requestId: fc.nat(9),
        querySetId: fc.nat(3),
        queries: fc.array(word, { maxLength: 3 }),
      }),
      fc.record({
        kind: fc.constant('callReducer' as const),
        requestId: fc.nat(9),
        reducer: fc.constantFrom('insert', 'refuse', 'crash', ''),
        args: fc.uint8Array({ maxLength: 5 }),
      }),
      fc.record({
        kind: fc.constant('resume' as const),
        identity: fc.constant(new Identity(7n)),
        epoch: fc.constantFrom('', 'e1'),
        offset: fc.nat(9),
        querySets: fc.array(fc.record({ querySetId: fc.nat(3), queries: fc.array(word, { maxLength: 3 }) }), {
          maxLength: 3,
        }),
      }),
    );
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(
        version,
        fc.array(message, { minLength: 1, maxLength: 6 }),
        fc.array(change, { maxLength: 2 }),
        (version, messages, changes) => {
          const frame = encodeFrame(messages);
          for (const [at, byte] of changes) frame[at % frame.length] = byte;
          expectToSurvive(version, [frame]);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
