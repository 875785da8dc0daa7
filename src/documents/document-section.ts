import { ByteReader } from '../base/byte-reader.js';
import { ByteWriter } from '../base/byte-writer.js';
import { WireError } from '../base/wire-error.js';
import { Identity } from '../values/identity.js';

/*
 * A document update in the log (section kind 3), little-endian.
 *
 * | flags     | u8                  | 1: offset, time and author follow, since the update is older than the record it stands in |
 * | room      | u32 length, UTF-8   |                                                                                            |
 * | offset    | u64, if flag 1      | of the newest transaction that is in the update                                            |
 * | timestamp | i64, if flag 1      | of that transaction, microseconds                                                          |
 * | author    | 32 bytes, if flag 1 | of that transaction; zeros for nobody                                                      |
 * | update    | the rest            | Yjs update, encoding v1                                                                    |
 *
 * Without flag 1 offset, time and author are the record's. Snapshots hold sections with it.
 */

export const DOCUMENT_UPDATE_SECTION = 3;

const HAS_ORIGIN = 1;

export interface UpdateOrigin {
  readonly offset: number;
  readonly timestampMicros: number;
  readonly author: Identity | undefined;
}

export interface DocumentSection {
  readonly room: string;
  readonly update: Uint8Array;
  readonly origin: UpdateOrigin | undefined;
}

export function encodeDocumentSection(section: DocumentSection): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(64 + section.update.length);
  writeDocumentSection(writer, section);
  return writer.finish();
}

export function writeDocumentSection(writer: ByteWriter, { room, update, origin }: DocumentSection): void {
  writer.writeU8(origin === undefined ? 0 : HAS_ORIGIN);
  writer.writeString(room);
  if (origin !== undefined) {
    writer.writeU64(BigInt(origin.offset));
    writer.writeI64(BigInt(origin.timestampMicros));
    writer.writeRaw(origin.author?.toUint8Array() ?? new Uint8Array(32));
  }
  writer.writeRaw(update);
}

/** The update is a view of `bytes`. */
export function decodeDocumentSection(bytes: Uint8Array): DocumentSection {
  const reader = new ByteReader(bytes);
  const flags = reader.readU8();
  if (flags > HAS_ORIGIN) throw new WireError('BAD_TAG', `unknown flags ${flags} of a document update`);
  const room = reader.readString();
  const origin = flags === HAS_ORIGIN ? readOrigin(reader) : undefined;
  return { room, origin, update: reader.readRaw(reader.remaining) };
}

function readOrigin(reader: ByteReader): UpdateOrigin {
  const offset = Number(reader.readU64());
  const timestampMicros = Number(reader.readI64());
  const raw = reader.readRaw(32);
  return {
    offset,
    timestampMicros,
    author: raw.some((byte) => byte !== 0) ? Identity.fromBytes(raw) : undefined,
  };
}
