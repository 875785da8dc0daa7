import {
  arrayType,
  primitiveType,
  productType,
  sumType,
  UNIT_TYPE,
} from '../../../../../values/algebraic-type.js';
import type { AlgebraicType } from '../../../../../values/algebraic-type.js';
import {
  CONNECTION_ID_TYPE,
  IDENTITY_TYPE,
  optionType,
  TIME_DURATION_TYPE,
  TIMESTAMP_TYPE,
} from '../../../../../values/special-types.js';

/* The messages of v1 as algebraic types, in the reference's words: what the codecs by hand are compared with. */

const u8 = primitiveType('u8');
const u32 = primitiveType('u32');
const u64 = primitiveType('u64');
const text = primitiveType('string');
const texts = arrayType(text);
const bytes = arrayType(u8);
const queryId = productType({ id: u32 });

export const CLIENT_MESSAGE_TYPE = sumType({
  CallReducer: productType({ reducer: text, args: bytes, request_id: u32, flags: u8 }),
  Subscribe: productType({ query_strings: texts, request_id: u32 }),
  OneOffQuery: productType({ message_id: bytes, query_string: text }),
  SubscribeSingle: productType({ query: text, request_id: u32, query_id: queryId }),
  SubscribeMulti: productType({ query_strings: texts, request_id: u32, query_id: queryId }),
  Unsubscribe: productType({ request_id: u32, query_id: queryId }),
  UnsubscribeMulti: productType({ request_id: u32, query_id: queryId }),
  CallProcedure: productType({ procedure: text, args: bytes, request_id: u32, flags: u8 }),
});

/** @param rows how row lists are carried. @param args how arguments are carried. */
function serverMessageType(
  rows: AlgebraicType,
  args: AlgebraicType,
  updateType: AlgebraicType,
): AlgebraicType {
  const tableUpdate = productType({
    table_id: u32,
    table_name: text,
    num_rows: u64,
    updates: arrayType(updateType),
  });
  const databaseUpdate = productType({ tables: arrayType(tableUpdate) });
  const applied = { request_id: u32, total_host_execution_duration_micros: u64, query_id: queryId };
  const single = productType({
    ...applied,
    rows: productType({ table_id: u32, table_name: text, table_rows: tableUpdate }),
  });
  const multi = productType({ ...applied, update: databaseUpdate });
  return sumType({
    InitialSubscription: productType({
      database_update: databaseUpdate,
      request_id: u32,
      total_host_execution_duration: TIME_DURATION_TYPE,
    }),
    TransactionUpdate: productType({
      status: sumType({ Committed: databaseUpdate, Failed: text, OutOfEnergy: UNIT_TYPE }),
      timestamp: TIMESTAMP_TYPE,
      caller_identity: IDENTITY_TYPE,
      caller_connection_id: CONNECTION_ID_TYPE,
      reducer_call: productType({ reducer_name: text, reducer_id: u32, args, request_id: u32 }),
      energy_quanta_used: productType({ quanta: primitiveType('u128') }),
      total_host_execution_duration: TIME_DURATION_TYPE,
    }),
    TransactionUpdateLight: productType({ request_id: u32, update: databaseUpdate }),
    IdentityToken: productType({ identity: IDENTITY_TYPE, token: text, connection_id: CONNECTION_ID_TYPE }),
    OneOffQueryResponse: productType({
      message_id: bytes,
      error: optionType(text),
      tables: arrayType(productType({ table_name: text, rows })),
      total_host_execution_duration: TIME_DURATION_TYPE,
    }),
    SubscribeApplied: single,
    UnsubscribeApplied: single,
    SubscriptionError: productType({
      total_host_execution_duration_micros: u64,
      request_id: optionType(u32),
      query_id: optionType(u32),
      table_id: optionType(u32),
      error: text,
    }),
    SubscribeMultiApplied: multi,
    UnsubscribeMultiApplied: multi,
    ProcedureResult: productType({
      status: sumType({ Returned: args, OutOfEnergy: UNIT_TYPE, InternalError: text }),
      timestamp: TIMESTAMP_TYPE,
      total_host_execution_duration: TIME_DURATION_TYPE,
      request_id: u32,
    }),
  });
}

const rowList = productType({
  size_hint: sumType({ FixedSize: primitiveType('u16'), RowOffsets: arrayType(u64) }),
  rows_data: bytes,
});

const queryUpdate = (rows: AlgebraicType): AlgebraicType => productType({ deletes: rows, inserts: rows });

export const BSATN_SERVER_MESSAGE_TYPE = serverMessageType(
  rowList,
  bytes,
  sumType({ Uncompressed: queryUpdate(rowList), Brotli: bytes, Gzip: bytes }),
);

export const JSON_SERVER_MESSAGE_TYPE = serverMessageType(texts, text, queryUpdate(texts));
