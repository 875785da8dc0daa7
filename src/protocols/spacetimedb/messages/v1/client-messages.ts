import { assertNever } from '../../../../base/assert.js';
import type { ByteReader } from '../../../../base/byte-reader.js';
import type { ByteWriter } from '../../../../base/byte-writer.js';
import { WireError } from '../../../../base/wire-error.js';

/*
 * ClientMessage of `v1.bsatn`: client -> server, one in each binary message. Little-endian; str and bytes are a u32
 * length and that many bytes, arrays a u32 count and the elements. In `v1.json` the same messages are objects, see
 * json-client-messages.ts.
 *
 * | tag | message          | fields in order                                        |
 * | 0   | CallReducer      | reducer str, args bytes, request_id u32, flags u8      |
 * | 1   | Subscribe        | query_strings [str], request_id u32                    |
 * | 2   | OneOffQuery      | message_id bytes, query_string str                     |
 * | 3   | SubscribeSingle  | query str, request_id u32, query_id u32                |
 * | 4   | SubscribeMulti   | query_strings [str], request_id u32, query_id u32      |
 * | 5   | Unsubscribe      | request_id u32, query_id u32                           |
 * | 6   | UnsubscribeMulti | request_id u32, query_id u32                           |
 * | 7   | CallProcedure    | procedure str, args bytes, request_id u32, flags u8    |
 *
 * flags of CallReducer: 0 FullUpdate, 1 NoSuccessNotify; of CallProcedure: 0.
 */

/** @typeParam Args BSATN bytes in `v1.bsatn`, a JSON text in `v1.json`. */
export interface CallReducer<Args = Uint8Array> {
  readonly kind: 'callReducer';
  readonly reducer: string;
  readonly args: Args;
  readonly requestId: number;
  /** Do not answer a call that succeeded, unless it changed rows that the caller follows. */
  readonly noSuccessNotify: boolean;
}

/** Replaces what the last such message subscribed to; sets with a query id stay. */
export interface Subscribe {
  readonly kind: 'subscribe';
  readonly queries: readonly string[];
  readonly requestId: number;
}

export interface OneOffQuery {
  readonly kind: 'oneOffQuery';
  /** The client's own, given back with the answer. */
  readonly messageId: Uint8Array;
  readonly query: string;
}

export interface SubscribeSingle {
  readonly kind: 'subscribeSingle';
  readonly query: string;
  readonly requestId: number;
  readonly queryId: number;
}

export interface SubscribeMulti {
  readonly kind: 'subscribeMulti';
  readonly queries: readonly string[];
  readonly requestId: number;
  readonly queryId: number;
}

export interface Unsubscribe {
  readonly kind: 'unsubscribe' | 'unsubscribeMulti';
  readonly requestId: number;
  readonly queryId: number;
}

export interface CallProcedure<Args = Uint8Array> {
  readonly kind: 'callProcedure';
  readonly procedure: string;
  readonly args: Args;
  readonly requestId: number;
}

export type ClientMessage<Args = Uint8Array> =
  | CallReducer<Args>
  | Subscribe
  | OneOffQuery
  | SubscribeSingle
  | SubscribeMulti
  | Unsubscribe
  | CallProcedure<Args>;

export const ClientTag = {
  callReducer: 0,
  subscribe: 1,
  oneOffQuery: 2,
  subscribeSingle: 3,
  subscribeMulti: 4,
  unsubscribe: 5,
  unsubscribeMulti: 6,
  callProcedure: 7,
} as const;

export function encodeClientMessage(writer: ByteWriter, message: ClientMessage): void {
  writer.writeU8(ClientTag[message.kind]);
  switch (message.kind) {
    case 'callReducer':
      writer.writeString(message.reducer);
      writer.writeBytes(message.args);
      writer.writeU32(message.requestId);
      writer.writeU8(message.noSuccessNotify ? 1 : 0);
      return;
    case 'subscribe':
      writeTexts(writer, message.queries);
      writer.writeU32(message.requestId);
      return;
    case 'oneOffQuery':
      writer.writeBytes(message.messageId);
      writer.writeString(message.query);
      return;
    case 'subscribeSingle':
      writer.writeString(message.query);
      writer.writeU32(message.requestId);
      writer.writeU32(message.queryId);
      return;
    case 'subscribeMulti':
      writeTexts(writer, message.queries);
      writer.writeU32(message.requestId);
      writer.writeU32(message.queryId);
      return;
    case 'unsubscribe':
    case 'unsubscribeMulti':
      writer.writeU32(message.requestId);
      writer.writeU32(message.queryId);
      return;
    case 'callProcedure':
      writer.writeString(message.procedure);
      writer.writeBytes(message.args);
      writer.writeU32(message.requestId);
      writer.writeU8(0);
      return;
    default:
      assertNever(message);
  }
}

function writeTexts(writer: ByteWriter, texts: readonly string[]): void {
  writer.writeU32(texts.length);
  for (const text of texts) writer.writeString(text);
}

/** Reads one message. Byte fields are views into the frame. Throws WireError on anything that is not one. */
export function decodeClientMessage(reader: ByteReader): ClientMessage {
  const tag = reader.readU8();
  switch (tag) {
    case ClientTag.callReducer:
      return {
        kind: 'callReducer',
        reducer: reader.readString(),
        args: reader.readBytes(),
        requestId: reader.readU32(),
        noSuccessNotify: readFlags(reader, 1) === 1,
      };
    case ClientTag.subscribe:
      return { kind: 'subscribe', queries: readTexts(reader), requestId: reader.readU32() };
    case ClientTag.oneOffQuery:
      return { kind: 'oneOffQuery', messageId: reader.readBytes(), query: reader.readString() };
    case ClientTag.subscribeSingle:
      return { kind: 'subscribeSingle', query: reader.readString(), ...readIds(reader) };
    case ClientTag.subscribeMulti:
      return { kind: 'subscribeMulti', queries: readTexts(reader), ...readIds(reader) };
    case ClientTag.unsubscribe:
      return { kind: 'unsubscribe', ...readIds(reader) };
    case ClientTag.unsubscribeMulti:
      return { kind: 'unsubscribeMulti', ...readIds(reader) };
    case ClientTag.callProcedure: {
      const procedure = reader.readString();
      const args = reader.readBytes();
      const requestId = reader.readU32();
      readFlags(reader, 0);
      return { kind: 'callProcedure', procedure, args, requestId };
    }
    default:
      throw new WireError('BAD_TAG', `there is no client message ${tag} (at offset ${reader.offset - 1})`, {
        tag,
        offset: reader.offset - 1,
      });
  }
}

function readIds(reader: ByteReader): { readonly requestId: number; readonly queryId: number } {
  return { requestId: reader.readU32(), queryId: reader.readU32() };
}

function readTexts(reader: ByteReader): string[] {
  const count = reader.readU32();
  // Each text takes at least its length field.
  reader.need(count * 4);
  const texts: string[] = [];
  for (let i = 0; i < count; i++) texts.push(reader.readString());
  return texts;
}

function readFlags(reader: ByteReader, max: 0 | 1): number {
  const flags = reader.readU8();
  if (flags > max) {
    throw new WireError('BAD_VALUE', `unknown flags ${flags} at offset ${reader.offset - 1}`, {
      flags,
      offset: reader.offset - 1,
    });
  }
  return flags;
}
