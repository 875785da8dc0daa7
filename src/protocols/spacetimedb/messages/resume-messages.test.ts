import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { ByteReader } from '../../../base/byte-reader.js';
import { ByteWriter } from '../../../base/byte-writer.js';
import { Identity } from '../../../values/identity.js';
import { encodeClientMessage } from './client-messages.js';
import {
  decodeResumableClientMessage,
  decodeResumableServerMessage,
  encodeResume,
  encodeResumeServerMessage,
} from './resume-messages.js';
import type { Resume, ResumeServerMessage } from './resume-messages.js';
import { packRows } from './row-list.js';
import { encodeServerMessage } from './server-messages.js';
import { expectOnlyWireErrors } from './testing/fuzz.js';
import { CLIENT_SAMPLES, SERVER_SAMPLES } from './testing/samples.js';

const RESUME: Resume = {
  kind: 'resume',
  identity: new Identity(7n),
  epoch: 'e1',
  offset: Number.MAX_SAFE_INTEGER,
  querySets: [
    { querySetId: 1, queries: ['SELECT * FROM a', 'SELECT * FROM b'] },
    { querySetId: 0xffff_ffff, queries: [] },
  ],
};

const ROWS = packRows([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]);
const SERVER: readonly ResumeServerMessage[] = [
  { kind: 'resumable', epoch: 'e1' },
  { kind: 'position', offset: 258 },
  { kind: 'resumed', snapshot: undefined },
  {
    kind: 'resumed',
    snapshot: [
      { querySetId: 1, result: { kind: 'ok', tables: [{ table: 'a', rows: ROWS }] } },
      { querySetId: 2, result: { kind: 'err', error: 'no such table' } },
    ],
  },
];

/** The bytes of one message of every shape. */
const WIRE_HASH = '8bd102298e3404caa1e706ef221ea59562fdfeb9b6e63185e90120d53ae8188c';

function encode(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  write(writer);
  return writer.finish();
}

test('Resume is read as it was written, and so are the messages of v3', () => {
  const frame = encode((writer) => {
    encodeResume(writer, RESUME);
    for (const message of CLIENT_SAMPLES) encodeClientMessage(writer, message);
  });
  const reader = new ByteReader(frame);
  const messages = [];
  while (reader.remaining > 0) messages.push(decodeResumableClientMessage(reader));
  expect(messages).toEqual([RESUME, ...CLIENT_SAMPLES]);
});

test("the server's messages are read as they were written, among those of v3", () => {
  for (const message of SERVER) {
    const frame = encode((writer) => {
      encodeServerMessage(writer, SERVER_SAMPLES[0]!);
      encodeResumeServerMessage(writer, message);
    });
    const reader = new ByteReader(frame);
    decodeResumableServerMessage(reader);
    const read = decodeResumableServerMessage(reader);
    reader.expectEnd();
    expect(encode((writer) => encodeResumeServerMessage(writer, read as ResumeServerMessage))).toEqual(
      encode((writer) => encodeResumeServerMessage(writer, message)),
    );
    expect(read.kind).toBe(message.kind);
  }
});

test('the wire format is the one that released clients speak', () => {
  const bytes = encode((writer) => {
    encodeResume(writer, RESUME);
    for (const message of SERVER) encodeResumeServerMessage(writer, message);
  });
  expect(
    createHash('sha256').update(bytes).digest('hex'),
    'The bytes of v3.bsatn.chorale changed: a new message or field needs a new subprotocol.',
  ).toBe(WIRE_HASH);
});

test('bytes that are no message are WireErrors, without hanging or allocating what they claim', () => {
  expectOnlyWireErrors([encode((writer) => encodeResume(writer, RESUME))], (bytes) =>
    decodeResumableClientMessage(new ByteReader(bytes)),
  );
  expectOnlyWireErrors(
    SERVER.map((message) => encode((writer) => encodeResumeServerMessage(writer, message))),
    (bytes) => decodeResumableServerMessage(new ByteReader(bytes)),
  );
});

test('an offset past what a number holds exactly is refused', () => {
  const bytes = encode((writer) => {
    writer.writeU8(129);
    writer.writeU64(2n ** 53n);
  });
  expect(() => decodeResumableServerMessage(new ByteReader(bytes))).toThrow('is no offset of a transaction');
});
