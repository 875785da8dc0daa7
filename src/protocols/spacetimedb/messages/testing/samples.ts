import { ConnectionId, Identity } from '../../../../values/identity.js';
import type { ClientMessage } from '../client-messages.js';
import { EMPTY_ROWS, packRows } from '../row-list.js';
import type { ServerMessage } from '../server-messages.js';

/* One message of every shape, for round trips, fuzzing and the wire hash. */

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const rowsOfTwo = packRows([text('ab'), text('cd')]);
const rowsMixed = packRows([text('a'), text('bcd')]);

export const CLIENT_SAMPLES: readonly ClientMessage[] = [
  { kind: 'subscribe', requestId: 1, querySetId: 2, queries: [] },
  { kind: 'subscribe', requestId: 1, querySetId: 2, queries: ['SELECT * FROM a', 'SELECT * FROM "bé"'] },
  { kind: 'unsubscribe', requestId: 0xffffffff, querySetId: 7, sendDroppedRows: false },
  { kind: 'unsubscribe', requestId: 3, querySetId: 7, sendDroppedRows: true },
  { kind: 'oneOffQuery', requestId: 4, query: 'SELECT * FROM a WHERE x = 1' },
  { kind: 'callReducer', requestId: 5, reducer: 'send_message', args: text('hello') },
  { kind: 'callProcedure', requestId: 6, procedure: 'p', args: new Uint8Array(0) },
];

const querySets = [
  {
    querySetId: 9,
    tables: [
      { table: 'user', rows: [{ kind: 'persistent', inserts: rowsOfTwo, deletes: EMPTY_ROWS }] },
      { table: 'tick', rows: [{ kind: 'event', events: rowsMixed }] },
    ],
  },
] as const;

export const SERVER_SAMPLES: readonly ServerMessage[] = [
  {
    kind: 'initialConnection',
    identity: new Identity('c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38'),
    connectionId: new ConnectionId(0x0123456789abcdefn),
    token: 'tok',
  },
  { kind: 'subscribeApplied', requestId: 1, querySetId: 2, tables: [{ table: 'user', rows: rowsMixed }] },
  { kind: 'unsubscribeApplied', requestId: 1, querySetId: 2, tables: undefined },
  { kind: 'unsubscribeApplied', requestId: 1, querySetId: 2, tables: [{ table: 'user', rows: EMPTY_ROWS }] },
  { kind: 'subscriptionError', requestId: 1, querySetId: 2, error: 'no such table' },
  { kind: 'subscriptionError', requestId: undefined, querySetId: 2, error: 'failed' },
  { kind: 'transactionUpdate', querySets },
  {
    kind: 'oneOffQueryResult',
    requestId: 8,
    result: { kind: 'ok', tables: [{ table: 't', rows: rowsOfTwo }] },
  },
  { kind: 'oneOffQueryResult', requestId: 8, result: { kind: 'err', error: 'bad' } },
  {
    kind: 'reducerResult',
    requestId: 5,
    timestampMicros: 1_700_000_000_123_456,
    outcome: { kind: 'ok', returned: new Uint8Array(0), querySets },
  },
  { kind: 'reducerResult', requestId: 5, timestampMicros: -1, outcome: { kind: 'okEmpty' } },
  {
    kind: 'reducerResult',
    requestId: 5,
    timestampMicros: 0,
    outcome: { kind: 'err', error: text('\x04\0\0\0nope') },
  },
  {
    kind: 'reducerResult',
    requestId: 5,
    timestampMicros: 0,
    outcome: { kind: 'internalError', error: 'boom' },
  },
  {
    kind: 'procedureResult',
    status: { kind: 'returned', value: text('12345678') },
    timestampMicros: 1,
    durationMicros: 2,
    requestId: 3,
  },
  {
    kind: 'procedureResult',
    status: { kind: 'internalError', error: 'no such procedure' },
    timestampMicros: 1,
    durationMicros: 2,
    requestId: 3,
  },
];
