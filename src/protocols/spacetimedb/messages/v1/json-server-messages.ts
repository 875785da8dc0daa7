import { assertNever } from '../../../../base/assert.js';
import { encodeHex } from '../../../../base/hex.js';
import type { ConnectionId, Identity } from '../../../../values/identity.js';
import type {
  DatabaseUpdate,
  Format,
  MultiApplied,
  OneOffQueryResponse,
  ProcedureStatus,
  ServerMessage,
  SingleApplied,
  SubscriptionError,
  TableUpdate,
  TransactionStatus,
  TransactionUpdate,
} from './server-messages.js';

/*
 * ServerMessage of `v1.json`: server -> client, one JSON text in each text message, never compressed. The messages and
 * fields of encode-server-message.ts as SATS-JSON, {"<message>":{"<field>":value}}, and besides:
 *
 * | rows (RowList)          | array of texts, each the JSON of a row: products by name, sums [tag,value] |
 * | args                    | a text that holds the JSON array of the arguments                          |
 * | CompressableQueryUpdate | {"deletes":rows,"inserts":rows}, no tag                                    |
 * | query_id                | {"id":u32}                                                                 |
 * | u128                    | all digits: not to be read with JSON.parse                                 |
 * | message_id              | hexadecimal text                                                           |
 */

/** Rows are the JSON text of their array, arguments the JSON text of theirs. */
export interface JsonFormat extends Format {
  readonly rows: string;
  readonly args: string;
}

type Json = ServerMessage<JsonFormat>;

/** Names of messages, by kind. */
const NAMES: Readonly<Record<Json['kind'], string>> = {
  initialSubscription: 'InitialSubscription',
  transactionUpdate: 'TransactionUpdate',
  transactionUpdateLight: 'TransactionUpdateLight',
  identityToken: 'IdentityToken',
  oneOffQueryResponse: 'OneOffQueryResponse',
  subscribeApplied: 'SubscribeApplied',
  unsubscribeApplied: 'UnsubscribeApplied',
  subscriptionError: 'SubscriptionError',
  subscribeMultiApplied: 'SubscribeMultiApplied',
  unsubscribeMultiApplied: 'UnsubscribeMultiApplied',
  procedureResult: 'ProcedureResult',
};

/** The text of a message. */
export function encodeJsonServerMessage(message: Json): string {
  return `{"${NAMES[message.kind]}":${bodyOf(message)}}`;
}

/** Rows as v1.json has them. @param rows each the JSON of a row. */
export function jsonRows(rows: readonly string[]): string {
  return JSON.stringify(rows);
}

function bodyOf(message: Json): string {
  switch (message.kind) {
    case 'initialSubscription':
      return (
        `{"database_update":${databaseUpdate(message.update)},"request_id":${message.requestId},` +
        `"total_host_execution_duration":${duration(message.durationMicros)}}`
      );
    case 'transactionUpdate':
      return transactionUpdate(message);
    case 'transactionUpdateLight':
      return `{"request_id":${message.requestId},"update":${databaseUpdate(message.update)}}`;
    case 'identityToken':
      return (
        `{"identity":${identity(message.identity)},"token":${JSON.stringify(message.token)},` +
        `"connection_id":${connectionId(message.connectionId)}}`
      );
    case 'oneOffQueryResponse':
      return oneOffQueryResponse(message);
    case 'subscribeApplied':
    case 'unsubscribeApplied':
      return singleApplied(message);
    case 'subscriptionError':
      return subscriptionError(message);
    case 'subscribeMultiApplied':
    case 'unsubscribeMultiApplied':
      return `{${appliedHead(message)},"update":${databaseUpdate(message.update)}}`;
    case 'procedureResult':
      return (
        `{"status":${procedureStatus(message.status)},"timestamp":${timestamp(message.timestampMicros)},` +
        `"total_host_execution_duration":${duration(message.durationMicros)},"request_id":${message.requestId}}`
      );
    default:
      return assertNever(message);
  }
}

function databaseUpdate(update: DatabaseUpdate<JsonFormat>): string {
  return `{"tables":[${update.map(tableUpdate).join(',')}]}`;
}

function tableUpdate({ tableId, table, rowCount, updates }: TableUpdate<JsonFormat>): string {
  const parts = updates.map(({ deletes, inserts }) => `{"deletes":${deletes},"inserts":${inserts}}`);
  return (
    `{"table_id":${tableId},"table_name":${JSON.stringify(table)},"num_rows":${rowCount},` +
    `"updates":[${parts.join(',')}]}`
  );
}

function transactionUpdate(message: TransactionUpdate<JsonFormat>): string {
  const { reducer, reducerId, args, requestId } = message.call;
  return (
    `{"status":${transactionStatus(message.status)},"timestamp":${timestamp(message.timestampMicros)},` +
    `"caller_identity":${identity(message.caller)},"caller_connection_id":${connectionId(message.callerConnection)},` +
    `"reducer_call":{"reducer_name":${JSON.stringify(reducer)},"reducer_id":${reducerId},` +
    `"args":${JSON.stringify(args)},"request_id":${requestId}},` +
    // Nothing is metered here.
    `"energy_quanta_used":{"quanta":0},"total_host_execution_duration":${duration(message.durationMicros)}}`
  );
}

function transactionStatus(status: TransactionStatus<JsonFormat>): string {
  switch (status.kind) {
    case 'committed':
      return `{"Committed":${databaseUpdate(status.update)}}`;
    case 'failed':
      return `{"Failed":${JSON.stringify(status.error)}}`;
    case 'outOfEnergy':
      return '{"OutOfEnergy":[]}';
    default:
      return assertNever(status);
  }
}

function oneOffQueryResponse(message: OneOffQueryResponse<JsonFormat>): string {
  const tables = message.tables.map(
    ({ table, rows }) => `{"table_name":${JSON.stringify(table)},"rows":${rows}}`,
  );
  const error = message.error === undefined ? undefined : JSON.stringify(message.error);
  return (
    `{"message_id":"${encodeHex(message.messageId)}","error":${option(error)},"tables":[${tables.join(',')}],` +
    `"total_host_execution_duration":${duration(message.durationMicros)}}`
  );
}

function singleApplied(message: SingleApplied<JsonFormat>): string {
  const { tableId, table } = message.table;
  return (
    `{${appliedHead(message)},"rows":{"table_id":${tableId},"table_name":${JSON.stringify(table)},` +
    `"table_rows":${tableUpdate(message.table)}}}`
  );
}

function appliedHead(message: SingleApplied<JsonFormat> | MultiApplied<JsonFormat>): string {
  return (
    `"request_id":${message.requestId},"total_host_execution_duration_micros":${message.durationMicros},` +
    `"query_id":{"id":${message.queryId}}`
  );
}

function subscriptionError(message: SubscriptionError): string {
  const { requestId, queryId, tableId } = message;
  return (
    `{"total_host_execution_duration_micros":${message.durationMicros},"request_id":${option(requestId)},` +
    `"query_id":${option(queryId)},"table_id":${option(tableId)},"error":${JSON.stringify(message.error)}}`
  );
}

function procedureStatus(status: ProcedureStatus<JsonFormat>): string {
  switch (status.kind) {
    case 'returned':
      return `{"Returned":${JSON.stringify(status.value)}}`;
    case 'outOfEnergy':
      return '{"OutOfEnergy":[]}';
    case 'internalError':
      return `{"InternalError":${JSON.stringify(status.error)}}`;
    default:
      return assertNever(status);
  }
}

function option(json: string | number | undefined): string {
  return json === undefined ? '{"none":[]}' : `{"some":${json}}`;
}

function identity(id: Identity): string {
  return `{"__identity__":"0x${id.toHexString()}"}`;
}

function connectionId(id: ConnectionId): string {
  return `{"__connection_id__":${id.__connection_id__}}`;
}

function timestamp(micros: number): string {
  return `{"__timestamp_micros_since_unix_epoch__":${micros}}`;
}

function duration(micros: number): string {
  return `{"__time_duration_micros__":${micros}}`;
}
