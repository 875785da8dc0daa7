import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WireError } from '../../../../base/wire-error.js';
import { encodeJson } from '../../../../values/sats-json/encode-json.js';
import { decodeJson } from '../../../../values/sats-json/decode-json.js';
import type { RowList } from '../row-list.js';
import type { ClientMessage } from './client-messages.js';
import { decodeJsonClientMessage, encodeJsonClientMessage } from './json-client-messages.js';
import { encodeJsonServerMessage, jsonRows } from './json-server-messages.js';
import type { JsonFormat } from './json-server-messages.js';
import type { DatabaseUpdate, ServerMessage, TableUpdate } from './server-messages.js';
import { CLIENT_SAMPLES, SERVER_SAMPLES } from './testing/samples.js';
import { JSON_SERVER_MESSAGE_TYPE } from './testing/types.js';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The samples in JSON's clothes. */
const clientSamples = CLIENT_SAMPLES.map((sample): ClientMessage<string> =>
  sample.kind === 'callReducer' || sample.kind === 'callProcedure'
    ? { ...sample, args: JSON.stringify([text(sample.args)]) }
    : sample,
);

const rows = (list: RowList): string =>
  jsonRows(list.rows().map((row) => JSON.stringify({ word: text(row) })));
const table = (update: TableUpdate): TableUpdate<JsonFormat> => ({
  ...update,
  updates: update.updates.map(({ deletes, inserts }) => ({ deletes: rows(deletes), inserts: rows(inserts) })),
});
const tables = (update: DatabaseUpdate): DatabaseUpdate<JsonFormat> => update.map((part) => table(part));

function toJsonFormat(message: ServerMessage): ServerMessage<JsonFormat> {
  switch (message.kind) {
    case 'initialSubscription':
    case 'transactionUpdateLight':
    case 'subscribeMultiApplied':
    case 'unsubscribeMultiApplied':
      return { ...message, update: tables(message.update) };
    case 'transactionUpdate': {
      const { status } = message;
      return {
        ...message,
        status: status.kind === 'committed' ? { ...status, update: tables(status.update) } : status,
        call: { ...message.call, args: JSON.stringify([text(message.call.args)]) },
      };
    }
    case 'oneOffQueryResponse':
      return { ...message, tables: message.tables.map((part) => ({ ...part, rows: rows(part.rows) })) };
    case 'subscribeApplied':
    case 'unsubscribeApplied':
      return { ...message, table: table(message.table) };
    case 'procedureResult': {
      const { status } = message;
      return {
        ...message,
        status: status.kind === 'returned' ? { ...status, value: text(status.value) } : status,
      };
    }
    default:
      return message;
  }
}

describe('client messages of v1.json', () => {
  test.each(clientSamples.map((sample) => [sample.kind, sample] as const))(
    '%s is read as it was written',
    (_, message) => {
      expect(decodeJsonClientMessage(encodeJsonClientMessage(message))).toEqual(message);
    },
  );

  test('messages as clients write them', () => {
    expect(
      decodeJsonClientMessage(
        '{"CallReducer":{"reducer":"add","args":"[\\"x\\",1]","request_id":2,"flags":0}}',
      ),
    ).toEqual({ kind: 'callReducer', reducer: 'add', args: '["x",1]', requestId: 2, noSuccessNotify: false });
    expect(
      decodeJsonClientMessage(
        '{"SubscribeMulti":{"query_strings":["SELECT * FROM t"],"request_id":3,"query_id":{"id":7}}}',
      ),
    ).toEqual({ kind: 'subscribeMulti', queries: ['SELECT * FROM t'], requestId: 3, queryId: 7 });
    expect(decodeJsonClientMessage('{"OneOffQuery":{"message_id":[1,255],"query_string":"q"}}')).toEqual({
      kind: 'oneOffQuery',
      messageId: Uint8Array.of(1, 255),
      query: 'q',
    });
  });

  test.each([
    ['no JSON', 'hello', /not JSON/],
    ['no message', '{}', /one variant/],
    ['two messages', '{"Subscribe":{},"OneOffQuery":{}}', /one variant/],
    ['an unknown message', '{"Subscrib":{}}', /did you mean "Subscribe"/],
    ['a missing query id', '{"SubscribeSingle":{"query":"q","request_id":1}}', /query_id: is missing/],
    ['a repeated query id', '{"Unsubscribe":{"request_id":1,"query_id":[1,2]}}', /expected 1 parts, got 2/],
    ['a request id beyond u32', '{"Subscribe":{"query_strings":[],"request_id":4294967296}}', /range of u32/],
    [
      'a request id beyond 2^53',
      '{"Subscribe":{"query_strings":[],"request_id":9007199254740993}}',
      /9007199254740993 is not a whole number in the range of u32/,
    ],
    ['a negative id', '{"Unsubscribe":{"request_id":-1,"query_id":{"id":1}}}', /range of u32/],
    [
      'unknown flags',
      '{"CallReducer":{"reducer":"r","args":"[]","request_id":1,"flags":2}}',
      /unknown flags 2/,
    ],
    [
      'arguments that are no text',
      '{"CallReducer":{"reducer":"r","args":[],"request_id":1,"flags":0}}',
      /string/,
    ],
    ['endless nesting', '['.repeat(100_000), /nested more than/],
  ])('%s is refused', (_, json, message) => {
    expect(() => decodeJsonClientMessage(json)).toThrow(WireError);
    expect(() => decodeJsonClientMessage(json)).toThrow(message);
  });

  test('whatever comes, the answer is a message or a WireError', () => {
    const attempt = (json: string): void => {
      try {
        decodeJsonClientMessage(json);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    };
    const samples = clientSamples.map((message) => encodeJsonClientMessage(message));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), attempt), { numRuns: 1000 });
    fc.assert(fc.property(fc.json(), attempt), { numRuns: 1000 });
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.nat(),
        fc.string({ maxLength: 3 }),
        (sample, at, insert) => {
          const cut = at % sample.length;
          attempt(sample.slice(0, cut) + insert + sample.slice(cut + 1));
          attempt(sample.slice(0, cut));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('server messages of v1.json', () => {
  const samples = SERVER_SAMPLES.map((sample) => toJsonFormat(sample));

  test.each(samples.map((sample) => [sample.kind, sample] as const))(
    '%s is SATS-JSON of its type',
    (_, message) => {
      const json = encodeJsonServerMessage(message);
      const value = decodeJson(JSON_SERVER_MESSAGE_TYPE, json);
      expect(encodeJson(JSON_SERVER_MESSAGE_TYPE, value, { form: 'typed' })).toBe(json);
    },
  );

  test('connection ids keep all their digits', () => {
    const hello = samples.find(({ kind }) => kind === 'identityToken')!;
    expect(encodeJsonServerMessage(hello)).toBe(
      '{"IdentityToken":{"identity":{"__identity__":"0xc200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38"},' +
        '"token":"tok","connection_id":{"__connection_id__":81985529216486895}}}',
    );
  });

  test('rows are texts that hold JSON', () => {
    const light = samples.find(({ kind }) => kind === 'transactionUpdateLight')!;
    expect(encodeJsonServerMessage(light)).toBe(
      '{"TransactionUpdateLight":{"request_id":0,"update":{"tables":[' +
        '{"table_id":4096,"table_name":"user","num_rows":4,"updates":[' +
        String.raw`{"deletes":[],"inserts":["{\"word\":\"ab\"}","{\"word\":\"cd\"}"]},` +
        String.raw`{"deletes":["{\"word\":\"e\"}","{\"word\":\"fgh\"}"],"inserts":[]}]},` +
        '{"table_id":4097,"table_name":"tick","num_rows":0,"updates":[]}]}}}',
    );
  });
});
