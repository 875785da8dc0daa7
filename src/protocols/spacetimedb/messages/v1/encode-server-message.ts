import { assertNever } from '../../../../base/assert.js';
import type { ByteWriter } from '../../../../base/byte-writer.js';
import { keyToBytes } from '../../../../values/integer-bytes.js';
import { writeMicros } from '../micros.js';
import { writeRowList } from '../row-list.js';
import { ServerTag } from './server-messages.js';
import type {
  DatabaseUpdate,
  OneOffQueryResponse,
  ProcedureResult,
  ServerMessage,
  SubscriptionError,
  TableUpdate,
  TransactionStatus,
  TransactionUpdate,
} from './server-messages.js';

/*
 * ServerMessage of `v1.bsatn`: server -> client, one in each binary message, after the compression byte (frame.ts).
 * str and bytes are a u32 length and that many bytes, arrays a u32 count and the elements; option is u8 0 some / 1
 * none. Durations and times are microseconds.
 *
 * | tag | message                 | fields in order                                                                   |
 * | 0   | InitialSubscription     | update DatabaseUpdate, request_id u32, duration i64                               |
 * | 1   | TransactionUpdate       | status, timestamp i64, caller_identity u256, caller_connection_id u128,           |
 * |     |                         | reducer_call, energy_quanta_used u128, duration i64                               |
 * | 2   | TransactionUpdateLight  | request_id u32, update DatabaseUpdate                                             |
 * | 3   | IdentityToken           | identity u256, token str, connection_id u128                                      |
 * | 4   | OneOffQueryResponse     | message_id bytes, error option(str), tables [OneOffTable], duration i64           |
 * | 5   | SubscribeApplied        | request_id u32, duration u64, query_id u32, rows SubscribeRows                    |
 * | 6   | UnsubscribeApplied      | like SubscribeApplied                                                             |
 * | 7   | SubscriptionError       | duration u64, request_id, query_id, table_id: option(u32) each, error str         |
 * | 8   | SubscribeMultiApplied   | request_id u32, duration u64, query_id u32, update DatabaseUpdate                 |
 * | 9   | UnsubscribeMultiApplied | like SubscribeMultiApplied                                                        |
 * | 10  | ProcedureResult         | status, timestamp i64, duration i64, request_id u32                               |
 *
 * | DatabaseUpdate          | [TableUpdate]                                                                           |
 * | TableUpdate             | table_id u32, table_name str, num_rows u64, updates [CompressableQueryUpdate]           |
 * | CompressableQueryUpdate | u8 0 plain: deletes BsatnRowList, inserts BsatnRowList (row-list.ts); 1 brotli, 2 gzip: bytes. We send 0 |
 * | SubscribeRows           | table_id u32, table_name str, TableUpdate                                               |
 * | OneOffTable             | table_name str, rows BsatnRowList                                                       |
 * | status of a transaction | u8 0 Committed: DatabaseUpdate; 1 Failed: str; 2 OutOfEnergy                            |
 * | reducer_call            | reducer_name str, reducer_id u32, args bytes, request_id u32                            |
 * | status of a procedure   | u8 0 Returned: bytes; 1 OutOfEnergy; 2 InternalError: str                               |
 */

/** Writes one message (after the frame's compression byte). */
export function encodeServerMessage(writer: ByteWriter, message: ServerMessage): void {
  writer.writeU8(ServerTag[message.kind]);
  switch (message.kind) {
    case 'initialSubscription':
      writeDatabaseUpdate(writer, message.update);
      writer.writeU32(message.requestId);
      writeMicros(writer, message.durationMicros);
      return;
    case 'transactionUpdate':
      return writeTransactionUpdate(writer, message);
    case 'transactionUpdateLight':
      writer.writeU32(message.requestId);
      writeDatabaseUpdate(writer, message.update);
      return;
    case 'identityToken':
      writeKey(writer, message.identity.key);
      writer.writeString(message.token);
      writeKey(writer, message.connectionId.key);
      return;
    case 'oneOffQueryResponse':
      return writeOneOffQueryResponse(writer, message);
    case 'subscribeApplied':
    case 'unsubscribeApplied':
      writer.writeU32(message.requestId);
      writeMicros(writer, message.durationMicros);
      writer.writeU32(message.queryId);
      writer.writeU32(message.table.tableId);
      writer.writeString(message.table.table);
      writeTableUpdate(writer, message.table);
      return;
    case 'subscriptionError':
      return writeSubscriptionError(writer, message);
    case 'subscribeMultiApplied':
    case 'unsubscribeMultiApplied':
      writer.writeU32(message.requestId);
      writeMicros(writer, message.durationMicros);
      writer.writeU32(message.queryId);
      writeDatabaseUpdate(writer, message.update);
      return;
    case 'procedureResult':
      return writeProcedureResult(writer, message);
    default:
      assertNever(message);
  }
}

/** Writes a latin1 key (Identity, ConnectionId) as its bytes. */
function writeKey(writer: ByteWriter, key: string): void {
  writer.reserve(key.length);
  keyToBytes(key, writer.bytes, writer.length);
  writer.length += key.length;
}

function writeDatabaseUpdate(writer: ByteWriter, update: DatabaseUpdate): void {
  writer.writeU32(update.length);
  for (const table of update) writeTableUpdate(writer, table);
}

function writeTableUpdate(writer: ByteWriter, { tableId, table, rowCount, updates }: TableUpdate): void {
  writer.writeU32(tableId);
  writer.writeString(table);
  writeMicros(writer, rowCount);
  writer.writeU32(updates.length);
  for (const { deletes, inserts } of updates) {
    writer.writeU8(0);
    writeRowList(writer, deletes);
    writeRowList(writer, inserts);
  }
}

function writeTransactionUpdate(writer: ByteWriter, message: TransactionUpdate): void {
  const { reducer, reducerId, args, requestId } = message.call;
  writeStatus(writer, message.status);
  writeMicros(writer, message.timestampMicros);
  writeKey(writer, message.caller.key);
  writeKey(writer, message.callerConnection.key);
  writer.writeString(reducer);
  writer.writeU32(reducerId);
  writer.writeBytes(args);
  writer.writeU32(requestId);
  // Nothing is metered here.
  writer.writeU64(0n);
  writer.writeU64(0n);
  writeMicros(writer, message.durationMicros);
}

function writeStatus(writer: ByteWriter, status: TransactionStatus): void {
  switch (status.kind) {
    case 'committed':
      writer.writeU8(0);
      return writeDatabaseUpdate(writer, status.update);
    case 'failed':
      writer.writeU8(1);
      return writer.writeString(status.error);
    case 'outOfEnergy':
      return writer.writeU8(2);
    default:
      assertNever(status);
  }
}

function writeOneOffQueryResponse(writer: ByteWriter, message: OneOffQueryResponse): void {
  writer.writeBytes(message.messageId);
  writer.writeU8(message.error === undefined ? 1 : 0);
  if (message.error !== undefined) writer.writeString(message.error);
  writer.writeU32(message.tables.length);
  for (const { table, rows } of message.tables) {
    writer.writeString(table);
    writeRowList(writer, rows);
  }
  writeMicros(writer, message.durationMicros);
}

function writeSubscriptionError(writer: ByteWriter, message: SubscriptionError): void {
  writeMicros(writer, message.durationMicros);
  for (const id of [message.requestId, message.queryId, message.tableId]) {
    writer.writeU8(id === undefined ? 1 : 0);
    if (id !== undefined) writer.writeU32(id);
  }
  writer.writeString(message.error);
}

function writeProcedureResult(writer: ByteWriter, { status, ...message }: ProcedureResult): void {
  if (status.kind === 'returned') {
    writer.writeU8(0);
    writer.writeBytes(status.value);
  } else if (status.kind === 'outOfEnergy') {
    writer.writeU8(1);
  } else {
    writer.writeU8(2);
    writer.writeString(status.error);
  }
  writeMicros(writer, message.timestampMicros);
  writeMicros(writer, message.durationMicros);
  writer.writeU32(message.requestId);
}
