import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../../base/byte-reader.js';
import { ByteWriter } from '../../../base/byte-writer.js';
import { decodeHex, encodeHex } from '../../../base/hex.js';
import { ConnectionId, Identity } from '../../../values/identity.js';
import { packRows } from './row-list.js';
import { decodeServerMessage, encodeServerMessage, errorText } from './server-messages.js';
import type { ServerMessage } from './server-messages.js';
import { expectOnlyWireErrors } from './testing/fuzz.js';
import { SERVER_SAMPLES } from './testing/samples.js';

function encode(message: ServerMessage): Uint8Array {
  const writer = new ByteWriter(16);
  encodeServerMessage(writer, message);
  return writer.finish();
}

function decode(bytes: Uint8Array): ServerMessage {
  const reader = new ByteReader(bytes);
  const message = decodeServerMessage(reader);
  reader.expectEnd();
  return message;
}

const fromHex = (hex: string): Uint8Array => decodeHex(hex.replaceAll(/\s/g, ''))!;

const ROW_A = fromHex('01000000 01000000 61');
const ROW_B = fromHex('02000000 01000000 62');
const ROW_LONG = fromHex('03000000 02000000 6363');

/** Row lists as the npm client accepted them; the ones with offsets are what lists of unlike rows look like. */
const ONE_ROW = '00 0900 09000000 01000000 01000000 61';
const TWO_ROWS = '00 0900 12000000 01000000 01000000 61 02000000 01000000 62';
const MIXED_ROWS =
  '01 02000000 0000000000000000 0900000000000000 13000000 01000000 01000000 61 03000000 02000000 6363';
const NO_ROWS = '01 00000000 00000000';
const UPDATE = `01000000 00000000 01000000 04000000 75736572 01000000 00 ${ONE_ROW} ${NO_ROWS}`;

const querySets = [
  {
    querySetId: 0,
    tables: [
      { table: 'user', rows: [{ kind: 'persistent', inserts: packRows([ROW_A]), deletes: packRows([]) }] },
    ],
  },
] as const;

const GOLDEN: readonly (readonly [string, ServerMessage, string])[] = [
  [
    'InitialConnection',
    {
      kind: 'initialConnection',
      identity: new Identity('c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38'),
      connectionId: new ConnectionId(0x0102n),
      token: 'tok',
    },
    `00 387ea87aaa9fd14a47f10a597d642fdaf85bd61c887dfbec791bd965ceb300c2
     02010000000000000000000000000000 03000000 746f6b`,
  ],
  [
    'SubscribeApplied with an entry per query',
    {
      kind: 'subscribeApplied',
      requestId: 1,
      querySetId: 0,
      tables: [
        { table: 'user', rows: packRows([ROW_A, ROW_B]) },
        { table: 'user', rows: packRows([ROW_A, ROW_LONG]) },
      ],
    },
    `01 01000000 00000000 02000000 04000000 75736572 ${TWO_ROWS} 04000000 75736572 ${MIXED_ROWS}`,
  ],
  ['TransactionUpdate', { kind: 'transactionUpdate', querySets }, `04 ${UPDATE}`],
  [
    'ReducerResult Ok',
    {
      kind: 'reducerResult',
      requestId: 5,
      timestampMicros: 1_700_000_000_000_001,
      outcome: { kind: 'ok', returned: new Uint8Array(0), querySets },
    },
    `06 05000000 01401e18240a0600 00 00000000 ${UPDATE}`,
  ],
  [
    'ReducerResult OkEmpty',
    { kind: 'reducerResult', requestId: 5, timestampMicros: 0, outcome: { kind: 'okEmpty' } },
    '06 05000000 0000000000000000 01',
  ],
  [
    'ReducerResult Err',
    {
      kind: 'reducerResult',
      requestId: 5,
      timestampMicros: 0,
      outcome: { kind: 'err', error: fromHex('04000000 6e6f7065') },
    },
    '06 05000000 0000000000000000 02 08000000 04000000 6e6f7065',
  ],
  [
    'ReducerResult InternalError',
    {
      kind: 'reducerResult',
      requestId: 5,
      timestampMicros: 0,
      outcome: { kind: 'internalError', error: 'boom' },
    },
    '06 05000000 0000000000000000 03 04000000 626f6f6d',
  ],
  [
    'ProcedureResult',
    {
      kind: 'procedureResult',
      status: { kind: 'returned', value: fromHex('0700000000000000') },
      timestampMicros: 1,
      durationMicros: 2,
      requestId: 3,
    },
    '07 00 08000000 0700000000000000 0100000000000000 0200000000000000 03000000',
  ],
  [
    'UnsubscribeApplied',
    {
      kind: 'unsubscribeApplied',
      requestId: 6,
      querySetId: 0,
      tables: [{ table: 'user', rows: packRows([ROW_A]) }],
    },
    `02 06000000 00000000 00 01000000 04000000 75736572 ${ONE_ROW}`,
  ],
  [
    'SubscriptionError of a running set',
    { kind: 'subscriptionError', requestId: undefined, querySetId: 4, error: 'no' },
    '03 01 04000000 02000000 6e6f',
  ],
];

describe('server messages', () => {
  test.each(GOLDEN)('%s is written as the npm client accepts it', (_, message, hex) => {
    expect(encodeHex(encode(message))).toBe(hex.replaceAll(/\s/g, ''));
  });

  test.each(SERVER_SAMPLES.map((message) => [message.kind, message] as const))(
    '%s survives a round trip',
    (_, message) => {
      const decoded = decode(encode(message));
      expect(encodeHex(encode(decoded))).toBe(encodeHex(encode(message)));
      expect(decoded.kind).toBe(message.kind);
    },
  );

  test('the rows of a decoded update are the rows that went in', () => {
    const decoded = decode(encode({ kind: 'transactionUpdate', querySets }));
    const update =
      decoded.kind === 'transactionUpdate' ? decoded.querySets[0]?.tables[0]?.rows[0] : undefined;
    expect(update?.kind === 'persistent' && update.inserts.rows()).toEqual([ROW_A]);
    expect(update?.kind === 'persistent' && update.deletes.rowCount).toBe(0);
  });

  test('the text of an Err is the BSATN string inside it, and only that', () => {
    expect(errorText(fromHex('04000000 6e6f7065'))).toBe('nope');
    expect(() => errorText(fromHex('04000000 6e6f706500'))).toThrow(
      expect.objectContaining({ code: 'TRAILING_BYTES' }),
    );
  });

  test.each([
    ['an unknown message', '08', 'BAD_TAG'],
    ['an unknown outcome', '06 00000000 0000000000000000 04', 'BAD_TAG'],
    ['an option that is neither some nor none', '03 02', 'BAD_TAG'],
    ['four thousand million tables in no bytes', '01 00000000 00000000 ffffffff', 'SHORT_READ'],
    ['a time beyond what a number holds', '06 00000000 ffffffffffffff7f 01', 'OUT_OF_RANGE'],
  ])('%s is refused', (_, hex, code) => {
    expect(() => decode(fromHex(hex))).toThrow(expect.objectContaining({ code }));
  });

  test('bytes that are not a message give a WireError and nothing else', () => {
    expectOnlyWireErrors(SERVER_SAMPLES.map(encode), (bytes) => decodeServerMessage(new ByteReader(bytes)));
  });
});
