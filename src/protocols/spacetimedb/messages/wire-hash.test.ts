import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { ByteWriter } from '../../../base/byte-writer.js';
import { encodeClientMessage } from './client-messages.js';
import { encodeServerMessage } from './server-messages.js';
import { CLIENT_SAMPLES, SERVER_SAMPLES } from './testing/samples.js';

/** The bytes of one message of every shape. */
const WIRE_HASH = '4f0b1a5477ad47d5c61b8d6fc232f616e338e60871d1d30f7f599e76de6d60b6';

test('the wire format is the one that released clients speak', () => {
  const writer = new ByteWriter();
  for (const message of CLIENT_SAMPLES) encodeClientMessage(writer, message);
  for (const message of SERVER_SAMPLES) encodeServerMessage(writer, message);
  const hash = createHash('sha256').update(writer.finish()).digest('hex');
  expect(
    hash,
    'The bytes of v2/v3 messages changed. Clients in the field speak these versions, so this is a defect unless a sample ' +
      'was added: then put the new hash here. A new message or field needs a new subprotocol version and its own samples.',
  ).toBe(WIRE_HASH);
});
