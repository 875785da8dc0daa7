import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from '../../../../base/byte-writer.js';
import { ManualClock } from '../../../../base/clock.js';
import { encodeServerMessage } from '../../messages/v1/encode-server-message.js';
import { makePackage, PERSON } from '../testing/async-package.js';
import { ScriptedV1Server, tableUpdate } from '../testing/scripted-v1-server.js';
import { settle } from '../testing/scripted-server.js';
import { SpacetimeDBAsyncClient } from './spacetimedb-async-client.js';
import { SpacetimeDBException } from './spacetimedb-exception.js';

/* Whatever a server sends: the client goes on or ends with a SpacetimeDBException, and leaves no timer. */

function validFrame(): Uint8Array {
  const writer = new ByteWriter();
  writer.writeU8(0);
  const update = [tableUpdate('person', PERSON, { inserts: [{ id: 1, name: 'Ada', nick: undefined }] })];
  encodeServerMessage(writer, { kind: 'initialSubscription', update, requestId: 1, durationMicros: 1 });
  return writer.finish();
}

const wounded = fc
  .record({ at: fc.nat(), byte: fc.nat(255), cut: fc.option(fc.nat(), { nil: undefined }) })
  .map(({ at, byte, cut }) => {
    const frame = validFrame().slice();
    frame[at % frame.length] = byte;
    return cut === undefined ? frame : frame.subarray(0, cut % frame.length);
  });

test('frames that nobody should send end the client in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 64 }), wounded), fc.boolean(), async (frame, isGreeted) => {
      const server = new ScriptedV1Server({ greets: isGreeted });
      const clock = new ManualClock();
      const options = { transport: server.transport, clock, log: () => undefined };
      const client = new SpacetimeDBAsyncClient(makePackage(), options);
      const running = client
        .run(undefined, 'localhost', 'chat', false, undefined, ['SELECT * FROM person'])
        .then(() => undefined, (error: unknown) => error);
      await settle();
      server.sendRaw(frame);
      await settle();
      client.forceClose();
      const error = await running;
      expect(error === undefined || error instanceof SpacetimeDBException).toBe(true);
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 300 },
  ); // prettier-ignore
});
