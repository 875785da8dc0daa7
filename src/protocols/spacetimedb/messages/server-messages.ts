import { assertNever } from '../../../base/assert.js';
import { ByteReader } from '../../../base/byte-reader.js';
import type { ByteWriter } from '../../../base/byte-writer.js';
import { WireError } from '../../../base/wire-error.js';
import { ConnectionId, Identity } from '../../../values/identity.js';
import { keyToBytes } from '../../../values/integer-bytes.js';
import { readMicros, writeMicros } from './micros.js';
import { readRowList, writeRowList } from './row-list.js';
import type { RowList } from './row-list.js';

/*
 * ServerMessage: server -> client, since v2. Little-endian; str and bytes are a u32 length and that many bytes, arrays
 * a u32 count and the elements; option is u8 0 some / 1 none, result u8 0 ok / 1 err; times are microseconds.
 *
 * | tag | message            | fields in order                                                              |
 * | 0   | InitialConnection  | identity u256, connection_id u128, token str                                 |
 * | 1   | SubscribeApplied   | request_id u32, query_set_id u32, rows QueryRows                             |
 * | 2   | UnsubscribeApplied | request_id u32, query_set_id u32, rows option(QueryRows)                     |
 * | 3   | SubscriptionError  | request_id option(u32), query_set_id u32, error str                          |
 * | 4   | TransactionUpdate  | query_sets [QuerySetUpdate]                                                  |
 * | 5   | OneOffQueryResult  | request_id u32, result(QueryRows, str)                                       |
 * | 6   | ReducerResult      | request_id u32, timestamp i64, outcome ReducerOutcome                        |
 * | 7   | ProcedureResult    | status ProcedureStatus, timestamp i64, total_host_execution_duration i64, request_id u32 |
 *
 * | QueryRows       | tables [SingleTableRows]                                                                |
 * | SingleTableRows | table str, rows BsatnRowList (row-list.ts)                                              |
 * | QuerySetUpdate  | query_set_id u32, tables [TableUpdate]                                                  |
 * | TableUpdate     | table_name str, rows [TableUpdateRows], one per query                                   |
 * | TableUpdateRows | u8 0 persistent: inserts BsatnRowList, deletes BsatnRowList; 1 event: events BsatnRowList |
 * | ReducerOutcome  | u8 0 Ok: ret_value bytes, TransactionUpdate; 1 OkEmpty; 2 Err: bytes; 3 InternalError: str |
 * | ProcedureStatus | u8 0 Returned: bytes; 1 InternalError: str                                              |
 */

export interface TableRows {
  readonly table: string;
  readonly rows: RowList;
}

export type TableUpdateRows =
  | { readonly kind: 'persistent'; readonly inserts: RowList; readonly deletes: RowList }
  | { readonly kind: 'event'; readonly events: RowList };

export interface TableUpdate {
  readonly table: string;
  /** One entry per query of the set that has changes in this table. */
  readonly rows: readonly TableUpdateRows[];
}

export interface QuerySetUpdate {
  readonly querySetId: number;
  readonly tables: readonly TableUpdate[];
}

export interface InitialConnection {
  readonly kind: 'initialConnection';
  readonly identity: Identity;
  readonly connectionId: ConnectionId;
  readonly token: string;
}

export interface SubscribeApplied {
  readonly kind: 'subscribeApplied';
  readonly requestId: number;
  readonly querySetId: number;
  /** One entry per query, so a table may come several times. */
  readonly tables: readonly TableRows[];
}

export interface UnsubscribeApplied {
  readonly kind: 'unsubscribeApplied';
  readonly requestId: number;
  readonly querySetId: number;
  /** The rows that the set held, if they were asked for. */
  readonly tables: readonly TableRows[] | undefined;
}

export interface SubscriptionError {
  readonly kind: 'subscriptionError';
  /** Undefined when a running subscription failed by itself. */
  readonly requestId: number | undefined;
  readonly querySetId: number;
  readonly error: string;
}

export interface TransactionUpdate {
  readonly kind: 'transactionUpdate';
  readonly querySets: readonly QuerySetUpdate[];
}

export interface OneOffQueryResult {
  readonly kind: 'oneOffQueryResult';
  readonly requestId: number;
  readonly result:
    | { readonly kind: 'ok'; readonly tables: readonly TableRows[] }
    | { readonly kind: 'err'; readonly error: string };
}

export type ReducerResultOutcome =
  | { readonly kind: 'ok'; readonly returned: Uint8Array; readonly querySets: readonly QuerySetUpdate[] }
  | { readonly kind: 'okEmpty' }
  /** What the reducer's author returned or threw; of TypeScript, C# and Rust modules a BSATN string (`errorText`). */
  | { readonly kind: 'err'; readonly error: Uint8Array }
  | { readonly kind: 'internalError'; readonly error: string };

export interface ReducerResult {
  readonly kind: 'reducerResult';
  readonly requestId: number;
  readonly timestampMicros: number;
  readonly outcome: ReducerResultOutcome;
}

export interface ProcedureResult {
  readonly kind: 'procedureResult';
  readonly status:
    | { readonly kind: 'returned'; readonly value: Uint8Array }
    | { readonly kind: 'internalError'; readonly error: string };
  readonly timestampMicros: number;
  readonly durationMicros: number;
  readonly requestId: number;
}

/** Everything a server says. Byte fields are views into the frame when decoded. */
export type ServerMessage =
  | InitialConnection
  | SubscribeApplied
  | UnsubscribeApplied
  | SubscriptionError
  | TransactionUpdate
  | OneOffQueryResult
  | ReducerResult
  | ProcedureResult;

export const ServerTag = {
  initialConnection: 0,
  subscribeApplied: 1,
  unsubscribeApplied: 2,
  subscriptionError: 3,
  transactionUpdate: 4,
  oneOffQueryResult: 5,
  reducerResult: 6,
  procedureResult: 7,
} as const;

export const ReducerOutcomeTag = { ok: 0, okEmpty: 1, err: 2, internalError: 3 } as const;

const SOME = 0;
const NONE = 1;

/** Appends one message to a frame (after the frame's compression byte). */
export function encodeServerMessage(writer: ByteWriter, message: ServerMessage): void {
  writer.writeU8(ServerTag[message.kind]);
  switch (message.kind) {
    case 'initialConnection':
      writeKey(writer, message.identity.key);
      writeKey(writer, message.connectionId.key);
      writer.writeString(message.token);
      return;
    case 'subscribeApplied':
      writer.writeU32(message.requestId);
      writer.writeU32(message.querySetId);
      writeQueryRows(writer, message.tables);
      return;
    case 'unsubscribeApplied':
      writer.writeU32(message.requestId);
      writer.writeU32(message.querySetId);
      writer.writeU8(message.tables === undefined ? NONE : SOME);
      if (message.tables !== undefined) writeQueryRows(writer, message.tables);
      return;
    case 'subscriptionError':
      writer.writeU8(message.requestId === undefined ? NONE : SOME);
      if (message.requestId !== undefined) writer.writeU32(message.requestId);
      writer.writeU32(message.querySetId);
      writer.writeString(message.error);
      return;
    case 'transactionUpdate':
      writeQuerySets(writer, message.querySets);
      return;
    case 'oneOffQueryResult':
      writeOneOffQueryResult(writer, message);
      return;
    case 'reducerResult':
      writer.writeU32(message.requestId);
      writeMicros(writer, message.timestampMicros);
      writeReducerOutcome(writer, message.outcome);
      return;
    case 'procedureResult':
      writeProcedureResult(writer, message);
      return;
    default:
      assertNever(message);
  }
}

/** Writes a latin1 key (Identity, ConnectionId) as its bytes. */
export function writeKey(writer: ByteWriter, key: string): void {
  writer.reserve(key.length);
  keyToBytes(key, writer.bytes, writer.length);
  writer.length += key.length;
}

export function writeQueryRows(writer: ByteWriter, tables: readonly TableRows[]): void {
  writer.writeU32(tables.length);
  for (const { table, rows } of tables) {
    writer.writeString(table);
    writeRowList(writer, rows);
  }
}

/** The body of a TransactionUpdate, also part of a ReducerResult. */
export function writeQuerySets(writer: ByteWriter, querySets: readonly QuerySetUpdate[]): void {
  writer.writeU32(querySets.length);
  for (const { querySetId, tables } of querySets) {
    writer.writeU32(querySetId);
    writer.writeU32(tables.length);
    for (const { table, rows } of tables) {
      writer.writeString(table);
      writer.writeU32(rows.length);
      for (const update of rows) writeTableUpdateRows(writer, update);
    }
  }
}

function writeTableUpdateRows(writer: ByteWriter, update: TableUpdateRows): void {
  if (update.kind === 'persistent') {
    writer.writeU8(0);
    writeRowList(writer, update.inserts);
    writeRowList(writer, update.deletes);
  } else {
    writer.writeU8(1);
    writeRowList(writer, update.events);
  }
}

function writeOneOffQueryResult(writer: ByteWriter, { requestId, result }: OneOffQueryResult): void {
  writer.writeU32(requestId);
  if (result.kind === 'ok') {
    writer.writeU8(0);
    writeQueryRows(writer, result.tables);
  } else {
    writer.writeU8(1);
    writer.writeString(result.error);
  }
}

function writeReducerOutcome(writer: ByteWriter, outcome: ReducerResultOutcome): void {
  writer.writeU8(ReducerOutcomeTag[outcome.kind]);
  switch (outcome.kind) {
    case 'ok':
      writer.writeBytes(outcome.returned);
      writeQuerySets(writer, outcome.querySets);
      return;
    case 'okEmpty':
      return;
    case 'err':
      writer.writeBytes(outcome.error);
      return;
    case 'internalError':
      writer.writeString(outcome.error);
      return;
    default:
      assertNever(outcome);
  }
}

function writeProcedureResult(writer: ByteWriter, message: ProcedureResult): void {
  const { status } = message;
  if (status.kind === 'returned') {
    writer.writeU8(0);
    writer.writeBytes(status.value);
  } else {
    writer.writeU8(1);
    writer.writeString(status.error);
  }
  writeMicros(writer, message.timestampMicros);
  writeMicros(writer, message.durationMicros);
  writer.writeU32(message.requestId);
}

/** Reads the next message of a frame (after the frame's compression byte). Throws WireError on anything that is not one. */
export function decodeServerMessage(reader: ByteReader): ServerMessage {
  const tag = reader.readU8();
  switch (tag) {
    case ServerTag.initialConnection:
      return {
        kind: 'initialConnection',
        identity: Identity.fromBytes(reader.readRaw(32)),
        connectionId: ConnectionId.fromBytes(reader.readRaw(16)),
        token: reader.readString(),
      };
    case ServerTag.subscribeApplied:
      return {
        kind: 'subscribeApplied',
        requestId: reader.readU32(),
        querySetId: reader.readU32(),
        tables: readQueryRows(reader),
      };
    case ServerTag.unsubscribeApplied:
      return {
        kind: 'unsubscribeApplied',
        requestId: reader.readU32(),
        querySetId: reader.readU32(),
        tables: readChoice(reader, 'option') === SOME ? readQueryRows(reader) : undefined,
      };
    case ServerTag.subscriptionError:
      return {
        kind: 'subscriptionError',
        requestId: readChoice(reader, 'option') === SOME ? reader.readU32() : undefined,
        querySetId: reader.readU32(),
        error: reader.readString(),
      };
    case ServerTag.transactionUpdate:
      return { kind: 'transactionUpdate', querySets: readQuerySets(reader) };
    case ServerTag.oneOffQueryResult:
      return { kind: 'oneOffQueryResult', requestId: reader.readU32(), result: readOneOffResult(reader) };
    case ServerTag.reducerResult:
      return {
        kind: 'reducerResult',
        requestId: reader.readU32(),
        timestampMicros: readMicros(reader),
        outcome: readReducerOutcome(reader),
      };
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

/** The tag of something with exactly two variants. */
function readChoice(reader: ByteReader, what: string): 0 | 1 {
  const tag = reader.readU8();
  if (tag !== 0 && tag !== 1) throw badTag(reader, what, tag);
  return tag;
}

// Arrays need no check of their count: every element takes at least four bytes, so a lying count ends in SHORT_READ.
export function readQueryRows(reader: ByteReader): TableRows[] {
  const count = reader.readU32();
  const tables: TableRows[] = [];
  for (let i = 0; i < count; i++) tables.push({ table: reader.readString(), rows: readRowList(reader) });
  return tables;
}

function readQuerySets(reader: ByteReader): QuerySetUpdate[] {
  const count = reader.readU32();
  const querySets: QuerySetUpdate[] = [];
  for (let i = 0; i < count; i++) {
    querySets.push({ querySetId: reader.readU32(), tables: readTableUpdates(reader) });
  }
  return querySets;
}

function readTableUpdates(reader: ByteReader): TableUpdate[] {
  const count = reader.readU32();
  const tables: TableUpdate[] = [];
  for (let i = 0; i < count; i++) {
    const table = reader.readString();
    const rowsCount = reader.readU32();
    const rows: TableUpdateRows[] = [];
    for (let j = 0; j < rowsCount; j++) rows.push(readTableUpdateRows(reader));
    tables.push({ table, rows });
  }
  return tables;
}

function readTableUpdateRows(reader: ByteReader): TableUpdateRows {
  if (readChoice(reader, 'kind of table update') === 0) {
    return { kind: 'persistent', inserts: readRowList(reader), deletes: readRowList(reader) };
  }
  return { kind: 'event', events: readRowList(reader) };
}

function readOneOffResult(reader: ByteReader): OneOffQueryResult['result'] {
  return readChoice(reader, 'result') === 0
    ? { kind: 'ok', tables: readQueryRows(reader) }
    : { kind: 'err', error: reader.readString() };
}

function readReducerOutcome(reader: ByteReader): ReducerResultOutcome {
  const tag = reader.readU8();
  switch (tag) {
    case ReducerOutcomeTag.ok:
      return { kind: 'ok', returned: reader.readBytes(), querySets: readQuerySets(reader) };
    case ReducerOutcomeTag.okEmpty:
      return { kind: 'okEmpty' };
    case ReducerOutcomeTag.err:
      return { kind: 'err', error: reader.readBytes() };
    case ReducerOutcomeTag.internalError:
      return { kind: 'internalError', error: reader.readString() };
    default:
      throw badTag(reader, 'outcome of a reducer', tag);
  }
}

function readProcedureStatus(reader: ByteReader): ProcedureResult['status'] {
  return readChoice(reader, 'procedure status') === 0
    ? { kind: 'returned', value: reader.readBytes() }
    : { kind: 'internalError', error: reader.readString() };
}

/** The text inside `Err`: a BSATN string. Throws WireError when the module sent something else. */
export function errorText(error: Uint8Array): string {
  const reader = new ByteReader(error);
  const text = reader.readString();
  reader.expectEnd();
  return text;
}
