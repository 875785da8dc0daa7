import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../../../base/byte-reader.js';
import { ByteWriter } from '../../../../base/byte-writer.js';
import { encodeHex } from '../../../../base/hex.js';
import { WireError } from '../../../../base/wire-error.js';
import { compileCodec, decodeFromBytes, encodeToBytes } from '../../../../values/bsatn/codec.js';
import { expectOnlyWireErrors } from '../testing/fuzz.js';
import { decodeClientMessage, encodeClientMessage } from './client-messages.js';
import type { ClientMessage } from './client-messages.js';
import { decodeServerMessage } from './decode-server-message.js';
import { encodeServerMessage } from './encode-server-message.js';
import { EMPTY_ROWS, packRows } from '../row-list.js';
import type { ServerMessage, TableUpdate } from './server-messages.js';
import { CLIENT_SAMPLES, SERVER_SAMPLES } from './testing/samples.js';
import { BSATN_SERVER_MESSAGE_TYPE, CLIENT_MESSAGE_TYPE } from './testing/types.js';

function encodeClient(message: ClientMessage): Uint8Array {
  const writer = new ByteWriter(16);
  encodeClientMessage(writer, message);
  return writer.finish();
}

function encodeServer(message: ServerMessage): Uint8Array {
  const writer = new ByteWriter(16);
  encodeServerMessage(writer, message);
  return writer.finish();
}

function decodeWhole<T>(bytes: Uint8Array, decode: (reader: ByteReader) => T): T {
  const reader = new ByteReader(bytes);
  const message = decode(reader);
  reader.expectEnd();
  return message;
}

function insertOf(row: Uint8Array): TableUpdate {
  const updates = [{ deletes: EMPTY_ROWS, inserts: packRows([row]) }];
  return { tableId: 4096, table: 'user', rowCount: 1, updates };
}

const hex = (spaced: string): string => spaced.replaceAll(/\s/g, '');

const clientCodec = compileCodec(CLIENT_MESSAGE_TYPE);
const serverCodec = compileCodec(BSATN_SERVER_MESSAGE_TYPE);
const named = <T extends { readonly kind: string }>(samples: readonly T[]): (readonly [string, T])[] =>
  samples.map((sample) => [sample.kind, sample]);

describe('client messages of v1.bsatn', () => {
  test.each(named(CLIENT_SAMPLES))('%s is read as it was written', (_, message) => {
    expect(decodeWhole(encodeClient(message), decodeClientMessage)).toEqual(message);
  });

  test.each(named(CLIENT_SAMPLES))('%s has the layout of its type', (kind, message) => {
    const bytes = encodeClient(message);
    const value = decodeFromBytes(clientCodec, bytes) as { readonly tag: string };
    expect(value.tag).toBe(kind[0]!.toUpperCase() + kind.slice(1));
    expect(encodeToBytes(clientCodec, value)).toEqual(bytes);
  });

  test('a call says its name, its arguments, then its number and flags', () => {
    const [call] = CLIENT_SAMPLES;
    expect(encodeHex(encodeClient(call!))).toBe(hex('00 03000000616464 020000006869 01000000 00'));
  });

  test.each([
    ['an unknown message', '08'],
    ['unknown flags of a call', '00 00000000 00000000 01000000 02'],
    ['flags of a procedure', '07 00000000 00000000 01000000 01'],
    ['a list of more queries than bytes', '01 ffffffff 00000000'],
    ['a subscription without its query id', '03 00000000 01000000'],
  ])('%s is refused', (_, digits) => {
    const bytes = Uint8Array.from(digits.replaceAll(' ', '').match(/../g)!, (byte) =>
      Number.parseInt(byte, 16),
    );
    expect(() => decodeWhole(bytes, decodeClientMessage)).toThrow(WireError);
  });

  test('whatever comes, the answer is a message or a WireError', () => {
    const samples = CLIENT_SAMPLES.map((message) => encodeClient(message));
    expectOnlyWireErrors(samples, (bytes) => decodeWhole(bytes, decodeClientMessage));
  });
});

describe('server messages of v1.bsatn', () => {
  test.each(named(SERVER_SAMPLES))('%s is read as it was written', (_, message) => {
    const decoded = decodeWhole(encodeServer(message), decodeServerMessage);
    expect(encodeServer(decoded)).toEqual(encodeServer(message));
    expect(decoded.kind).toBe(message.kind);
  });

  test.each(named(SERVER_SAMPLES))('%s has the layout of its type', (kind, message) => {
    const bytes = encodeServer(message);
    const value = decodeFromBytes(serverCodec, bytes) as { readonly tag: string };
    expect(value.tag).toBe(kind[0]!.toUpperCase() + kind.slice(1));
    expect(encodeToBytes(serverCodec, value)).toEqual(bytes);
  });

  test('the token stands between identity and connection, unlike in v2', () => {
    const bytes = encodeServer(SERVER_SAMPLES.find(({ kind }) => kind === 'identityToken')!);
    expect(encodeHex(bytes)).toBe(
      hex(`03 387ea87aaa9fd14a47f10a597d642fdaf85bd61c887dfbec791bd965ceb300c2 03000000 746f6b
           efcdab89674523010000000000000000`),
    );
  });

  test('deletes come before inserts, unlike in v2', () => {
    const rows = new TextEncoder().encode('ab');
    const bytes = encodeServer({ kind: 'transactionUpdateLight', requestId: 0, update: [insertOf(rows)] });
    const noDeletes = '01 00000000 00000000';
    const oneInsert = '00 0200 02000000 6162';
    expect(encodeHex(bytes)).toBe(
      hex(
        `02 00000000 01000000 00100000 04000000 75736572 0100000000000000 01000000 00 ${noDeletes} ${oneInsert}`,
      ),
    );
  });

  test('an update that is compressed by itself is refused', () => {
    const bytes = encodeServer({
      kind: 'transactionUpdateLight',
      requestId: 0,
      update: [insertOf(new Uint8Array(1))],
    });
    const at = 1 + 4 + 4 + 4 + 8 + 8 + 4;
    expect(bytes[at]).toBe(0);
    bytes[at] = 2;
    expect(() => decodeWhole(bytes, decodeServerMessage)).toThrow('there is no uncompressed query update 2');
  });

  test('whatever comes, the answer is a message or a WireError', () => {
    const samples = SERVER_SAMPLES.map((message) => encodeServer(message));
    expectOnlyWireErrors(samples, (bytes) => decodeWhole(bytes, decodeServerMessage));
  });
});

test('the bytes are the ones that released clients speak', () => {
  const hash = createHash('sha256');
  for (const message of CLIENT_SAMPLES) hash.update(encodeClient(message));
  for (const message of SERVER_SAMPLES) hash.update(encodeServer(message));
  expect(
    hash.digest('hex'),
    'The bytes of v1.bsatn changed. Its clients will never change, so this is a defect unless a sample was added: then ' +
      'put the new hash here.',
  ).toBe('deb31cdc6d70a3ad72da7e4aa9948b46a83e5d6836d85cacfbb455c2f6f568dd');
});
