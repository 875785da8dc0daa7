import { ConnectionId, Identity } from '../../../../../values/identity.js';
import { EMPTY_ROWS, packRows } from '../../row-list.js';
import type { ClientMessage } from '../client-messages.js';
import { UNKNOWN_REDUCER } from '../server-messages.js';
import type { DatabaseUpdate, ServerMessage, TableUpdate, TransactionUpdate } from '../server-messages.js';

/* One message of every shape, for round trips, fuzzing and the wire hash. */

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export const CLIENT_SAMPLES: readonly ClientMessage[] = [
  { kind: 'callReducer', reducer: 'add', args: text('hi'), requestId: 1, noSuccessNotify: false },
  {
    kind: 'callReducer',
    reducer: 'é',
    args: new Uint8Array(0),
    requestId: 0xffffffff,
    noSuccessNotify: true,
  },
  { kind: 'subscribe', queries: [], requestId: 2 },
  { kind: 'subscribe', queries: ['SELECT * FROM a', 'SELECT * FROM "bé"'], requestId: 2 },
  { kind: 'oneOffQuery', messageId: Uint8Array.of(1, 2, 3), query: 'SELECT * FROM a' },
  { kind: 'subscribeSingle', query: 'SELECT * FROM a', requestId: 3, queryId: 4 },
  { kind: 'subscribeMulti', queries: ['SELECT * FROM a'], requestId: 5, queryId: 6 },
  { kind: 'unsubscribe', requestId: 7, queryId: 8 },
  { kind: 'unsubscribeMulti', requestId: 9, queryId: 10 },
  { kind: 'callProcedure', procedure: 'p', args: text('x'), requestId: 11 },
];

const user: TableUpdate = {
  tableId: 4096,
  table: 'user',
  rowCount: 4,
  updates: [
    { deletes: EMPTY_ROWS, inserts: packRows([text('ab'), text('cd')]) },
    { deletes: packRows([text('e'), text('fgh')]), inserts: EMPTY_ROWS },
  ],
};
const update: DatabaseUpdate = [user, { tableId: 4097, table: 'tick', rowCount: 0, updates: [] }];

const transaction: TransactionUpdate = {
  kind: 'transactionUpdate',
  status: { kind: 'committed', update },
  timestampMicros: 1_700_000_000_123_456,
  caller: new Identity('c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38'),
  callerConnection: new ConnectionId(0x0123456789abcdefn),
  call: { reducer: 'add', reducerId: 3, args: text('hi'), requestId: 12 },
  durationMicros: 250,
};

export const SERVER_SAMPLES: readonly ServerMessage[] = [
  { kind: 'initialSubscription', update, requestId: 1, durationMicros: 20 },
  transaction,
  { ...transaction, status: { kind: 'failed', error: 'nope' } },
  {
    ...transaction,
    status: { kind: 'outOfEnergy' },
    callerConnection: ConnectionId.zero(),
    call: { reducer: 'ad', reducerId: UNKNOWN_REDUCER, args: new Uint8Array(0), requestId: 0 },
  },
  { kind: 'transactionUpdateLight', requestId: 0, update },
  {
    kind: 'identityToken',
    identity: transaction.caller,
    token: 'tok',
    connectionId: transaction.callerConnection,
  },
  {
    kind: 'oneOffQueryResponse',
    messageId: Uint8Array.of(1, 2, 3),
    error: undefined,
    tables: [{ table: 'user', rows: packRows([text('ab')]) }],
    durationMicros: 5,
  },
  {
    kind: 'oneOffQueryResponse',
    messageId: new Uint8Array(0),
    error: 'no such table',
    tables: [],
    durationMicros: 5,
  },
  { kind: 'subscribeApplied', requestId: 1, durationMicros: 2, queryId: 3, table: user },
  { kind: 'unsubscribeApplied', requestId: 1, durationMicros: 2, queryId: 3, table: user },
  {
    kind: 'subscriptionError',
    durationMicros: 2,
    requestId: 1,
    queryId: 3,
    tableId: undefined,
    error: 'no such table',
  },
  {
    kind: 'subscriptionError',
    durationMicros: 2,
    requestId: undefined,
    queryId: undefined,
    tableId: undefined,
    error: 'failed',
  },
  { kind: 'subscribeMultiApplied', requestId: 1, durationMicros: 2, queryId: 3, update },
  { kind: 'unsubscribeMultiApplied', requestId: 1, durationMicros: 2, queryId: 3, update },
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
  {
    kind: 'procedureResult',
    status: { kind: 'outOfEnergy' },
    timestampMicros: 1,
    durationMicros: 2,
    requestId: 3,
  },
];
