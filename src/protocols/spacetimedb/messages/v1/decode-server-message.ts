import type { ByteReader } from '../../../../base/byte-reader.js';
import { WireError } from '../../../../base/wire-error.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import { readMicros } from '../micros.js';
import { readRowList } from '../row-list.js';
import { ServerTag } from './server-messages.js';
import type {
  DatabaseUpdate,
  OneOffTable,
  ProcedureStatus,
  QueryUpdate,
  ReducerCall,
  ServerMessage,
  TableUpdate,
  TransactionStatus,
  TransactionUpdate,
} from './server-messages.js';

/* ServerMessage of `v1.bsatn`, read: the layout stands in encode-server-message.ts. */

/** Reads one message (after the frame's compression byte). Throws WireError on anything that is not one. */
export function decodeServerMessage(reader: ByteReader): ServerMessage {
  const tag = reader.readU8();
  switch (tag) {
    case ServerTag.initialSubscription:
      return {
        kind: 'initialSubscription',
        update: readDatabaseUpdate(reader),
        requestId: reader.readU32(),
        durationMicros: readMicros(reader),
      };
    case ServerTag.transactionUpdate:
      return readTransactionUpdate(reader);
    case ServerTag.transactionUpdateLight:
      return {
        kind: 'transactionUpdateLight',
        requestId: reader.readU32(),
        update: readDatabaseUpdate(reader),
      };
    case ServerTag.identityToken:
      return {
        kind: 'identityToken',
        identity: Identity.fromBytes(reader.readRaw(32)),
        token: reader.readString(),
        connectionId: ConnectionId.fromBytes(reader.readRaw(16)),
      };
    case ServerTag.oneOffQueryResponse:
      return {
        kind: 'oneOffQueryResponse',
        messageId: reader.readBytes(),
        error: readOption(reader, () => reader.readString()),
        tables: readOneOffTables(reader),
        durationMicros: readMicros(reader),
      };
    case ServerTag.subscribeApplied:
      return { kind: 'subscribeApplied', ...readApplied(reader), table: readSubscribeRows(reader) };
    case ServerTag.unsubscribeApplied:
      return { kind: 'unsubscribeApplied', ...readApplied(reader), table: readSubscribeRows(reader) };
    case ServerTag.subscriptionError:
      return {
        kind: 'subscriptionError',
        durationMicros: readMicros(reader),
        requestId: readOption(reader, () => reader.readU32()),
        queryId: readOption(reader, () => reader.readU32()),
        tableId: readOption(reader, () => reader.readU32()),
        error: reader.readString(),
      };
    case ServerTag.subscribeMultiApplied:
      return { kind: 'subscribeMultiApplied', ...readApplied(reader), update: readDatabaseUpdate(reader) };
    case ServerTag.unsubscribeMultiApplied:
      return { kind: 'unsubscribeMultiApplied', ...readApplied(reader), update: readDatabaseUpdate(reader) };
    case ServerTag.procedureResult:
      return {
        kind: 'procedureResult',
        status: readProcedureStatus(reader),
        timestampMicros: readMicros(reader),
        durationMicros: readMicros(reader),
        requestId: reader.readU32(),
      };
    default:
      throw badTag(reader, 'server message', tag);
  }
}

function badTag(reader: ByteReader, what: string, tag: number): WireError {
  const offset = reader.offset - 1;
  return new WireError('BAD_TAG', `there is no ${what} ${tag} (at offset ${offset})`, { tag, offset });
}

function readOption<T>(reader: ByteReader, read: () => T): T | undefined {
  const tag = reader.readU8();
  if (tag > 1) throw badTag(reader, 'option', tag);
  return tag === 0 ? read() : undefined;
}

function readApplied(reader: ByteReader): {
  readonly requestId: number;
  readonly durationMicros: number;
  readonly queryId: number;
} {
  return { requestId: reader.readU32(), durationMicros: readMicros(reader), queryId: reader.readU32() };
}

// Arrays need no check of their count: every element takes bytes, so a lying count ends in SHORT_READ.
function readDatabaseUpdate(reader: ByteReader): DatabaseUpdate {
  const count = reader.readU32();
  const tables: TableUpdate[] = [];
  for (let i = 0; i < count; i++) tables.push(readTableUpdate(reader));
  return tables;
}

function readTableUpdate(reader: ByteReader): TableUpdate {
  const tableId = reader.readU32();
  const table = reader.readString();
  const rowCount = readMicros(reader);
  const count = reader.readU32();
  const updates: QueryUpdate[] = [];
  for (let i = 0; i < count; i++) updates.push(readQueryUpdate(reader));
  return { tableId, table, rowCount, updates };
}

/** Compressed updates are not taken: servers compress whole frames. */
function readQueryUpdate(reader: ByteReader): QueryUpdate {
  const tag = reader.readU8();
  if (tag !== 0) throw badTag(reader, 'uncompressed query update', tag);
  return { deletes: readRowList(reader), inserts: readRowList(reader) };
}

/** The table is named twice; the inner one counts. */
function readSubscribeRows(reader: ByteReader): TableUpdate {
  reader.readU32();
  reader.readString();
  return readTableUpdate(reader);
}

function readOneOffTables(reader: ByteReader): OneOffTable[] {
  const count = reader.readU32();
  const tables: OneOffTable[] = [];
  for (let i = 0; i < count; i++) tables.push({ table: reader.readString(), rows: readRowList(reader) });
  return tables;
}

function readTransactionUpdate(reader: ByteReader): TransactionUpdate {
  const status = readStatus(reader);
  const timestampMicros = readMicros(reader);
  const caller = Identity.fromBytes(reader.readRaw(32));
  const callerConnection = ConnectionId.fromBytes(reader.readRaw(16));
  const call: ReducerCall = {
    reducer: reader.readString(),
    reducerId: reader.readU32(),
    args: reader.readBytes(),
    requestId: reader.readU32(),
  };
  // What the call has cost: nothing is made of it.
  reader.readRaw(16);
  const durationMicros = readMicros(reader);
  return {
    kind: 'transactionUpdate',
    status,
    timestampMicros,
    caller,
    callerConnection,
    call,
    durationMicros,
  };
}

function readStatus(reader: ByteReader): TransactionStatus {
  const tag = reader.readU8();
  switch (tag) {
    case 0:
      return { kind: 'committed', update: readDatabaseUpdate(reader) };
    case 1:
      return { kind: 'failed', error: reader.readString() };
    case 2:
      return { kind: 'outOfEnergy' };
    default:
      throw badTag(reader, 'status of a transaction', tag);
  }
}

function readProcedureStatus(reader: ByteReader): ProcedureStatus {
  const tag = reader.readU8();
  switch (tag) {
    case 0:
      return { kind: 'returned', value: reader.readBytes() };
    case 1:
      return { kind: 'outOfEnergy' };
    case 2:
      return { kind: 'internalError', error: reader.readString() };
    default:
      throw badTag(reader, 'status of a procedure', tag);
  }
}
