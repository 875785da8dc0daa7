import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../../base/byte-reader.js';
import { ByteWriter } from '../../../base/byte-writer.js';
import { decodeHex, encodeHex } from '../../../base/hex.js';
import { decodeClientMessage, encodeClientMessage } from './client-messages.js';
import type { ClientMessage } from './client-messages.js';
import { expectOnlyWireErrors } from './testing/fuzz.js';
import { CLIENT_SAMPLES } from './testing/samples.js';

function encode(...messages: readonly ClientMessage[]): Uint8Array {
  const writer = new ByteWriter(16);
  for (const message of messages) encodeClientMessage(writer, message);
  return writer.finish();
}

function decodeAll(bytes: Uint8Array): ClientMessage[] {
  const reader = new ByteReader(bytes);
  const messages: ClientMessage[] = [];
  while (reader.remaining > 0) messages.push(decodeClientMessage(reader));
  return messages;
}

const fromHex = (hex: string): Uint8Array => decodeHex(hex.replaceAll(/\s/g, ''))!;

/** Recorded from npm spacetimedb 2.10.1: one v3 frame with three messages. */
const CAPTURED_FRAME = fromHex(`
  00 00000000 00000000 02000000 0f000000 53454c454354202a2046524f4d2061 0f000000 53454c454354202a2046524f4d2062
  03 01000000 00 03000000 666f6f 02000000 0102
  04 02000000 00 01000000 70 00000000`);

const CAPTURED_MESSAGES: readonly ClientMessage[] = [
  { kind: 'subscribe', requestId: 0, querySetId: 0, queries: ['SELECT * FROM a', 'SELECT * FROM b'] },
  { kind: 'callReducer', requestId: 1, reducer: 'foo', args: Uint8Array.of(1, 2) },
  { kind: 'callProcedure', requestId: 2, procedure: 'p', args: new Uint8Array(0) },
];

describe('client messages', () => {
  test('a frame of the npm client is read as its three messages', () => {
    expect(decodeAll(CAPTURED_FRAME)).toEqual(CAPTURED_MESSAGES);
  });

  test('the same three messages are written as the npm client writes them', () => {
    expect(encodeHex(encode(...CAPTURED_MESSAGES))).toBe(encodeHex(CAPTURED_FRAME));
  });

  test('an unsubscribe that asks for its rows carries flag 1', () => {
    const message: ClientMessage = {
      kind: 'unsubscribe',
      requestId: 6,
      querySetId: 0,
      sendDroppedRows: true,
    };
    expect(encodeHex(encode(message))).toBe('01060000000000000001');
  });

  test.each(CLIENT_SAMPLES.map((message) => [message.kind, message] as const))(
    '%s survives a round trip',
    (_, message) => {
      expect(decodeAll(encode(message))).toEqual([message]);
    },
  );

  test('the arguments of a call are a view into the frame, not a copy', () => {
    const message = decodeAll(CAPTURED_FRAME)[1];
    expect(message?.kind === 'callReducer' && message.args.buffer).toBe(CAPTURED_FRAME.buffer);
  });

  test.each([
    ['an unknown message', '05 00000000', 'BAD_TAG'],
    ['unknown flags of a call', '03 00000000 01 00000000 00000000', 'BAD_VALUE'],
    ['unknown flags of an unsubscribe', '01 00000000 00000000 02', 'BAD_VALUE'],
    ['four thousand million queries in no bytes', '00 00000000 00000000 ffffffff', 'SHORT_READ'],
    ['4 GiB of arguments in four bytes', '03 00000000 00 00000000 ffffffff 00000000', 'SHORT_READ'],
    ['a name that is not UTF-8', '03 00000000 00 01000000 ff 00000000', 'BAD_UTF8'],
  ])('%s is refused', (_, hex, code) => {
    expect(() => decodeAll(fromHex(hex))).toThrow(expect.objectContaining({ code }));
  });

  test('bytes that are not a message give a WireError and nothing else', () => {
    expectOnlyWireErrors(
      CLIENT_SAMPLES.map((message) => encode(message)),
      (bytes) => decodeClientMessage(new ByteReader(bytes)),
    );
  });
});
