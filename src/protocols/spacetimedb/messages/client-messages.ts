import { assertNever } from '../../../base/assert.js';
import type { ByteReader } from '../../../base/byte-reader.js';
import type { ByteWriter } from '../../../base/byte-writer.js';
import { WireError } from '../../../base/wire-error.js';

/*
 * ClientMessage: client -> server, since v2. Little-endian; str and bytes are a u32 length and that many bytes.
 *
 * | tag | message       | fields in order                                                          |
 * | 0   | Subscribe     | request_id u32, query_set_id u32, query_strings [str]                    |
 * | 1   | Unsubscribe   | request_id u32, query_set_id u32, flags u8 (0 default, 1 SendDroppedRows) |
 * | 2   | OneOffQuery   | request_id u32, query_string str                                         |
 * | 3   | CallReducer   | request_id u32, flags u8 (0), reducer str, args bytes                    |
 * | 4   | CallProcedure | request_id u32, flags u8 (0), procedure str, args bytes                  |
 *
 * `args` is the BSATN product of the arguments.
 */

export interface Subscribe {
  readonly kind: 'subscribe';
  readonly requestId: number;
  readonly querySetId: number;
  readonly queries: readonly string[];
}

export interface Unsubscribe {
  readonly kind: 'unsubscribe';
  readonly requestId: number;
  readonly querySetId: number;
  readonly sendDroppedRows: boolean;
}

export interface OneOffQuery {
  readonly kind: 'oneOffQuery';
  readonly requestId: number;
  readonly query: string;
}

export interface CallReducer {
  readonly kind: 'callReducer';
  readonly requestId: number;
  readonly reducer: string;
  /** A view into the frame when decoded: valid as long as the frame's bytes are. */
  readonly args: Uint8Array;
}

export interface CallProcedure {
  readonly kind: 'callProcedure';
  readonly requestId: number;
  readonly procedure: string;
  /** As in CallReducer. */
  readonly args: Uint8Array;
}

export type ClientMessage = Subscribe | Unsubscribe | OneOffQuery | CallReducer | CallProcedure;

export const ClientTag = {
  subscribe: 0,
  unsubscribe: 1,
  oneOffQuery: 2,
  callReducer: 3,
  callProcedure: 4,
} as const;

/** Appends one message to a frame. */
export function encodeClientMessage(writer: ByteWriter, message: ClientMessage): void {
  writer.writeU8(ClientTag[message.kind]);
  writer.writeU32(message.requestId);
  switch (message.kind) {
    case 'subscribe':
      writer.writeU32(message.querySetId);
      writer.writeU32(message.queries.length);
      for (const query of message.queries) writer.writeString(query);
      return;
    case 'unsubscribe':
      writer.writeU32(message.querySetId);
      writer.writeU8(message.sendDroppedRows ? 1 : 0);
      return;
    case 'oneOffQuery':
      writer.writeString(message.query);
      return;
    case 'callReducer':
      writeCall(writer, message.reducer, message.args);
      return;
    case 'callProcedure':
      writeCall(writer, message.procedure, message.args);
      return;
    default:
      assertNever(message);
  }
}

function writeCall(writer: ByteWriter, name: string, args: Uint8Array): void {
  writer.writeU8(0);
  writer.writeString(name);
  writer.writeBytes(args);
}

/** Reads the next message of a frame. Throws WireError on anything that is not one. */
export function decodeClientMessage(reader: ByteReader): ClientMessage {
  const tag = reader.readU8();
  switch (tag) {
    case ClientTag.subscribe:
      return readSubscribe(reader);
    case ClientTag.unsubscribe:
      return {
        kind: 'unsubscribe',
        requestId: reader.readU32(),
        querySetId: reader.readU32(),
        sendDroppedRows: readFlags(reader, 1) === 1,
      };
    case ClientTag.oneOffQuery:
      return { kind: 'oneOffQuery', requestId: reader.readU32(), query: reader.readString() };
    case ClientTag.callReducer: {
      const requestId = reader.readU32();
      readFlags(reader, 0);
      return { kind: 'callReducer', requestId, reducer: reader.readString(), args: reader.readBytes() };
    }
    case ClientTag.callProcedure: {
      const requestId = reader.readU32();
      readFlags(reader, 0);
      return { kind: 'callProcedure', requestId, procedure: reader.readString(), args: reader.readBytes() };
    }
    default:
      throw new WireError('BAD_TAG', `there is no client message ${tag} (at offset ${reader.offset - 1})`, {
        tag,
        offset: reader.offset - 1,
      });
  }
}

function readSubscribe(reader: ByteReader): Subscribe {
  const requestId = reader.readU32();
  const querySetId = reader.readU32();
  const count = reader.readU32();
  // Each text takes at least its length field.
  reader.need(count * 4);
  const queries: string[] = [];
  for (let i = 0; i < count; i++) queries.push(reader.readString());
  return { kind: 'subscribe', requestId, querySetId, queries };
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
