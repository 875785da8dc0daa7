import { WireError } from '../../../../base/wire-error.js';
import { toTitleCase } from '../../../../values/case-conversion.js';
import type { ConnectionId, Identity } from '../../../../values/identity.js';
import { parseJson } from '../../../../values/sats-json/parse-json.js';
import type { JsonValue } from '../../../../values/sats-json/parse-json.js';

/*
 * Messages of `v1.text`, the protocol of the Python SDK of 2024 (PyPI `spacetimedb_sdk` 0.7.0): one JSON text in each
 * text message. Values are as in legacy-json.ts.
 *
 * | client -> server   | JSON                                                                                        |
 * | Subscribe          | {"subscribe":{"query_strings":[str]}}                                                       |
 * | Call               | {"call":{"fn":str,"args":[value]}}                                                          |
 *
 * | server -> client   | JSON                                                                                        |
 * | IdentityToken      | {"IdentityToken":{"token":str,"identity":hex 64,"address":hex 32}}                          |
 * | SubscriptionUpdate | {"SubscriptionUpdate":{"table_updates":[TableUpdate]}}                                      |
 * | TransactionUpdate  | {"TransactionUpdate":{"event":Event,"subscription_update":{"table_updates":[TableUpdate]}}} |
 *
 * | Event       | timestamp microseconds; status "committed" "failed" "out_of_energy"; caller_identity hex 64; caller_address   |
 * |             | hex 32, zeros for none; function_call {reducer str, args: a text that holds a JSON array}; energy_quanta_used;|
 * |             | message: null, or why it failed                                                                               |
 * | TableUpdate | table_id; table_name as the SDK names the table's class; table_row_operations [{op "insert" "delete", row_pk: |
 * |             | a text that is equal for equal rows, row [value]}]                                                            |
 */

export type TextClientMessage =
  /** Replaces what was subscribed to before. */
  | { readonly kind: 'subscribe'; readonly queries: readonly string[] }
  | { readonly kind: 'call'; readonly reducer: string; readonly args: JsonValue };

/** Reads one message. Throws WireError on anything that is not one. */
export function decodeTextClientMessage(text: string): TextClientMessage {
  const json = asObject(parseJson(text), 'a message');
  const names = Object.keys(json);
  if (names.length !== 1) throw bad('a message is an object with one name: subscribe, call');
  if ('subscribe' in json) {
    const { query_strings: queries } = asObject(json['subscribe'], 'subscribe');
    if (!Array.isArray(queries)) throw bad('subscribe: query_strings is missing');
    return { kind: 'subscribe', queries: queries.map((query) => asText(query, 'a query')) };
  }
  if ('call' in json) {
    const { fn, args } = asObject(json['call'], 'call');
    if (fn === undefined || args === undefined) throw bad('call: fn and args are needed');
    return { kind: 'call', reducer: asText(fn, 'fn'), args };
  }
  throw bad(`there is no message ${JSON.stringify(names[0]!.slice(0, 80))}, but subscribe and call`);
}

function asObject(json: JsonValue | undefined, what: string): { readonly [name: string]: JsonValue } {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw bad(`${what} is an object`);
  return json;
}

function asText(json: JsonValue, what: string): string {
  if (typeof json !== 'string') throw bad(`${what} is a text`);
  return json;
}

function bad(message: string): WireError {
  return new WireError('BAD_VALUE', message);
}

/** The JSON of what a client says. */
export function encodeTextClientMessage(
  message: { readonly kind: 'subscribe'; readonly queries: readonly string[] } | TextCall,
): string {
  return message.kind === 'subscribe'
    ? JSON.stringify({ subscribe: { query_strings: message.queries } })
    : `{"call":{"fn":${JSON.stringify(message.reducer)},"args":${message.args}}}`;
}

/** A call whose arguments are JSON already. */
export interface TextCall {
  readonly kind: 'call';
  readonly reducer: string;
  readonly args: string;
}

export interface TextTableUpdate {
  readonly tableId: number;
  /** Canonical. */
  readonly table: string;
  /** What `rowOperation` made. */
  readonly operations: readonly string[];
}

export interface TextEvent {
  readonly timestampMicros: number;
  readonly status: 'committed' | 'failed' | 'out_of_energy';
  readonly caller: Identity;
  readonly callerConnection: ConnectionId;
  readonly reducer: string;
  /** The JSON array of the arguments. */
  readonly args: string;
  readonly message: string | undefined;
}

export function encodeIdentityToken(token: string, identity: Identity, address: ConnectionId): string {
  return JSON.stringify({
    IdentityToken: { token, identity: identity.toHexString(), address: address.toHexString() },
  });
}

export function encodeSubscriptionUpdate(tables: readonly TextTableUpdate[]): string {
  return `{"SubscriptionUpdate":${tableUpdates(tables)}}`;
}

export function encodeTransactionUpdate(event: TextEvent, tables: readonly TextTableUpdate[]): string {
  const head = JSON.stringify({
    timestamp: event.timestampMicros,
    status: event.status,
    caller_identity: event.caller.toHexString(),
    caller_address: event.callerConnection.toHexString(),
    function_call: { reducer: event.reducer, args: event.args },
    energy_quanta_used: 0,
    message: event.message ?? null,
  });
  return `{"TransactionUpdate":{"event":${head},"subscription_update":${tableUpdates(tables)}}}`;
}

function tableUpdates(tables: readonly TextTableUpdate[]): string {
  const parts = tables.map(
    ({ tableId, table, operations }) =>
      `{"table_id":${tableId},"table_name":${JSON.stringify(toTitleCase(table))},` +
      `"table_row_operations":[${operations.join(',')}]}`,
  );
  return `{"table_updates":[${parts.join(',')}]}`;
}

/** @param row its JSON. @param key equal for equal rows, hexadecimal. */
export function rowOperation(op: 'insert' | 'delete', key: string, row: string): string {
  return `{"op":"${op}","row_pk":"${key}","row":${row}}`;
}
