import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { assertNever } from '../../src/base/assert.js';
import { ByteReader } from '../../src/base/byte-reader.js';
import { ByteWriter } from '../../src/base/byte-writer.js';
import { compileCodec, decodeFromBytes, encodeToBytes } from '../../src/values/bsatn/codec.js';
import type { Codec } from '../../src/values/bsatn/codec.js';
import { ConnectionId, Identity } from '../../src/values/identity.js';
import { decodeJson } from '../../src/values/sats-json/decode-json.js';
import { encodeJson } from '../../src/values/sats-json/encode-json.js';
import type { V1Subprotocol } from '../../src/protocols/spacetimedb/messages/frame.js';
import { encodeClientMessage } from '../../src/protocols/spacetimedb/messages/v1/client-messages.js';
import type { ClientMessage } from '../../src/protocols/spacetimedb/messages/v1/client-messages.js';
import { decodeServerMessage } from '../../src/protocols/spacetimedb/messages/v1/decode-server-message.js';
import { encodeJsonClientMessage } from '../../src/protocols/spacetimedb/messages/v1/json-client-messages.js';
import type {
  DatabaseUpdate,
  Format,
  ServerMessage,
  TableUpdate,
} from '../../src/protocols/spacetimedb/messages/v1/server-messages.js';
import { JSON_SERVER_MESSAGE_TYPE } from '../../src/protocols/spacetimedb/messages/v1/testing/types.js';
import { module } from './chat-module.js';
import type { FrameLink, FrameListener } from './frames.js';
import { Inbox } from './inbox.js';
import { describeRow } from './wire-client.js';

/** A message as tests look at it, whatever it came in: rows and arguments as text. */
export interface TextFormat extends Format {
  readonly rows: readonly string[];
  readonly args: string;
}
export type Heard = ServerMessage<TextFormat>;

const { typespace, tables } = module.def.schema;
const params = new Map(
  module.def.reducers.map((reducer) => [
    reducer.name,
    { type: reducer.params, codec: compileCodec(reducer.params, typespace) },
  ]),
);
const rowTypes = new Map(tables.map(({ name, rowType }) => [name, rowType]));
const rowCodecs = new Map<string, Codec>(
  tables.map(({ name, rowType }) => [name, compileCodec(rowType, typespace)]),
);

/** A client of v1 that remembers what it was told. */
export class V1Client implements FrameListener {
  link!: FrameLink;
  readonly protocol: V1Subprotocol;
  /** The compression bytes of the frames so far. */
  readonly compressions: number[] = [];
  readonly #inbox = new Inbox<Heard>();

  constructor(protocol: V1Subprotocol) {
    this.protocol = protocol;
  }

  onFrame(frame: Uint8Array): void {
    this.compressions.push(frame[0]!);
    const reader = new ByteReader(unpack(frame));
    const message = decodeServerMessage(reader);
    reader.expectEnd();
    this.#inbox.push(mapMessage(message, bsatnRows, bsatnArgs));
  }

  onText(text: string): void {
    this.#inbox.push(
      mapMessage(fromReferenceNames(decodeJson(JSON_SERVER_MESSAGE_TYPE, text)), jsonRows, (_, args) => args),
    );
  }

  onClose(code: number, reason: string): void {
    this.#inbox.end(code, reason);
  }

  say(...messages: readonly ClientMessage<object>[]): void {
    this.link.send(messages.map((message) => this.#encode(message)));
  }

  next(): Promise<Heard> {
    return this.#inbox.next();
  }

  end(): Promise<string> {
    return this.#inbox.ended();
  }

  async hello(): Promise<Extract<Heard, { kind: 'identityToken' }>> {
    const message = await this.next();
    if (message.kind !== 'identityToken') throw new Error(`expected hello, got ${describeV1(message)}`);
    return message;
  }

  async hear(count: number): Promise<string> {
    const lines: string[] = [];
    while (lines.length < count) lines.push(describeV1(await this.next()));
    return lines.join('\n');
  }

  /** What was heard up to the answer to a question that has none, which is not in it. */
  async hearAll(): Promise<string> {
    this.say({ kind: 'callProcedure', requestId: 0xffff_ffff, procedure: '', args: {} });
    const lines: string[] = [];
    for (;;) {
      const message = await this.next();
      if (message.kind === 'procedureResult') return lines.join('\n');
      lines.push(describeV1(message));
    }
  }

  #encode(message: ClientMessage<object>): Uint8Array | string {
    const isCall = message.kind === 'callReducer' || message.kind === 'callProcedure';
    if (this.protocol === 'v1.json.spacetimedb') {
      return encodeJsonClientMessage(isCall ? { ...message, args: jsonArgs(message) } : message);
    }
    const writer = new ByteWriter();
    encodeClientMessage(writer, isCall ? { ...message, args: bsatnArgsOf(message) } : message);
    return writer.finish();
  }
}

/** Arguments that are bytes already are sent as they are. */
function bsatnArgsOf(message: ClientMessage<object>): Uint8Array {
  if (message.kind !== 'callReducer' || message.args instanceof Uint8Array) {
    return message.kind === 'callReducer' ? (message.args as Uint8Array) : new Uint8Array(0);
  }
  const known = params.get(message.reducer);
  return known === undefined ? new Uint8Array(0) : encodeToBytes(known.codec, message.args);
}

function jsonArgs(message: ClientMessage<object>): string {
  if (message.kind !== 'callReducer') return '[]';
  if (message.args instanceof Uint8Array) return new TextDecoder().decode(message.args);
  const known = params.get(message.reducer);
  return known === undefined ? '[]' : encodeJson(known.type, message.args, { form: 'untyped', typespace });
}

function unpack(frame: Uint8Array): Uint8Array {
  const body = frame.subarray(1);
  if (frame[0] === 1) return brotliDecompressSync(body);
  return frame[0] === 2 ? gunzipSync(body) : body.slice();
}

function bsatnRows(table: string, list: unknown): readonly string[] {
  return (list as { rows(): Uint8Array[] }).rows().map((row) => describeRow(table, row));
}

function bsatnArgs(reducer: string, args: unknown): string {
  const known = params.get(reducer);
  if (known === undefined) return '[]';
  try {
    const values = decodeFromBytes(known.codec, args as Uint8Array);
    return encodeJson(known.type, values, { form: 'untyped', typespace });
  } catch {
    return '?';
  }
}

function jsonRows(table: string, rows: unknown): readonly string[] {
  return (rows as readonly string[]).map((json) => {
    const value = decodeJson(rowTypes.get(table)!, json, typespace);
    return describeRow(table, encodeToBytes(rowCodecs.get(table)!, value));
  });
}

type MapRows = (table: string, rows: unknown) => readonly string[];
type MapArgs = (reducer: string, args: string & Uint8Array) => string;

/** A message with its rows and arguments as text. */
function mapMessage(message: ServerMessage<Format>, rowsOf: MapRows, argsOf: MapArgs): Heard {
  const table = (update: TableUpdate<Format>): TableUpdate<TextFormat> => ({
    ...update,
    updates: update.updates.map(({ deletes, inserts }) => ({
      deletes: rowsOf(update.table, deletes),
      inserts: rowsOf(update.table, inserts),
    })),
  });
  const all = (update: DatabaseUpdate<Format>): DatabaseUpdate<TextFormat> => update.map(table);
  switch (message.kind) {
    case 'initialSubscription':
    case 'transactionUpdateLight':
    case 'subscribeMultiApplied':
    case 'unsubscribeMultiApplied':
      return { ...message, update: all(message.update) };
    case 'transactionUpdate': {
      const { status, call } = message;
      return {
        ...message,
        status: status.kind === 'committed' ? { ...status, update: all(status.update) } : status,
        call: { ...call, args: argsOf(call.reducer, call.args as string & Uint8Array) },
      };
    }
    case 'oneOffQueryResponse':
      return {
        ...message,
        tables: message.tables.map(({ table: name, rows }) => ({ table: name, rows: rowsOf(name, rows) })),
      };
    case 'subscribeApplied':
    case 'unsubscribeApplied':
      return { ...message, table: table(message.table) };
    case 'procedureResult':
      return { ...message, status: { kind: 'outOfEnergy' } };
    default:
      return message;
  }
}

/** A message of v1.json, read by its type, in the words of our codec. */
function fromReferenceNames(decoded: unknown): ServerMessage<Format> {
  const { tag, value } = decoded as {
    readonly tag: string;
    readonly value: Readonly<Record<string, unknown>>;
  };
  const kind = (tag[0]!.toLowerCase() + tag.slice(1)) as ServerMessage['kind'];
  const fields = renamed(value) as Readonly<Record<string, unknown>>;
  const { reducerCall, rows } = fields as {
    reducerCall?: { reducerName: string };
    rows?: { tableRows: unknown };
  };
  return {
    ...fields,
    kind,
    ...(reducerCall === undefined ? {} : { call: { ...reducerCall, reducer: reducerCall.reducerName } }),
    ...(rows === undefined ? {} : { table: rows.tableRows }),
    ...('databaseUpdate' in fields ? { update: fields['databaseUpdate'] } : {}),
  } as unknown as ServerMessage<Format>;
}

const OTHER_NAMES: Readonly<Record<string, string>> = {
  table_name: 'table',
  num_rows: 'rowCount',
  caller_identity: 'caller',
  caller_connection_id: 'callerConnection',
  query_id: 'queryId',
};

function renamed(value: unknown): unknown {
  if (value instanceof Identity || value instanceof ConnectionId || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value !== 'object' || value === null) return value;
  if ('tag' in value) {
    const { tag, value: payload } = value as { readonly tag: string; readonly value?: unknown };
    if (tag === 'Committed')
      return { kind: 'committed', update: (renamed(payload) as { tables: unknown }).tables };
    return { kind: tag.toLowerCase(), error: payload };
  }
  const entries = Object.entries(value).map(([name, part]) => [
    OTHER_NAMES[name] ?? name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    name === 'query_id'
      ? idOf(part)
      : name === 'database_update' || name === 'update'
        ? tablesOf(part)
        : renamed(part),
  ]);
  return Object.fromEntries(entries) as unknown;
}

/** `{id}`, or in an error the bare number. */
function idOf(part: unknown): unknown {
  return typeof part === 'object' && part !== null ? (part as { id: unknown }).id : part;
}

function tablesOf(part: unknown): unknown {
  return (renamed(part) as { readonly tables: unknown }).tables;
}

/** `put_user(1,"ada") by 3f2a #2: user(+1:ada)`. */
export function describeV1(message: Heard): string {
  switch (message.kind) {
    case 'identityToken':
      return 'hello';
    case 'initialSubscription':
      return `initial ${message.requestId}${describeUpdate(message.update)}`;
    case 'subscribeApplied':
    case 'unsubscribeApplied':
      return `${message.kind} ${message.requestId}/${message.queryId}${describeUpdate([message.table])}`;
    case 'subscribeMultiApplied':
    case 'unsubscribeMultiApplied':
      return `${message.kind} ${message.requestId}/${message.queryId}${describeUpdate(message.update)}`;
    case 'subscriptionError':
      return `refused ${message.requestId ?? '-'}/${message.queryId ?? '-'} ${message.error}`;
    case 'transactionUpdateLight':
      return `light${describeUpdate(message.update)}`;
    case 'transactionUpdate': {
      const { call, status, caller } = message;
      const who = caller.toHexString().slice(-4);
      const head = `${call.reducer}${call.args} by ${who} #${call.requestId}`;
      if (status.kind === 'failed') return `${head} failed: ${status.error}`;
      return status.kind === 'committed'
        ? `${head}${describeUpdate(status.update)}`
        : `${head} ${status.kind}`;
    }
    case 'oneOffQueryResponse': {
      const id = [...message.messageId].join('.');
      return `rows ${id}${message.error ?? ''}${message.tables.map(({ table, rows }) => ` ${table}[${rows.toSorted().join()}]`).join('')}`;
    }
    case 'procedureResult':
      return `procedure ${message.requestId}`;
    default:
      return assertNever(message);
  }
}

/** One pair of parentheses per table, one part per query: ` user(+1:ada -0:root)`. */
function describeUpdate(update: DatabaseUpdate<TextFormat>): string {
  return update
    .map(({ table, rowCount, updates }) => {
      const parts = updates.map(({ deletes, inserts }) => {
        const [plus, minus] = [inserts, deletes].map((rows) => rows.toSorted().join());
        return `${plus === '' ? '' : `+${plus}`}${minus === '' ? '' : `-${minus}`}`;
      });
      const counted = updates.reduce((sum, { deletes, inserts }) => sum + deletes.length + inserts.length, 0);
      if (BigInt(counted) !== BigInt(rowCount))
        throw new Error(`num_rows is ${rowCount}, there are ${counted}`);
      return ` ${table}(${parts.join(' ')})`;
    })
    .join('');
}
