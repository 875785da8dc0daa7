import { assertNever } from '../../../base/assert.js';
import type { ByteReader } from '../../../base/byte-reader.js';
import type { ByteWriter } from '../../../base/byte-writer.js';
import { WireError } from '../../../base/wire-error.js';
import { Identity } from '../../../values/identity.js';
import { decodeClientMessage } from './client-messages.js';
import type { ClientMessage } from './client-messages.js';
import { decodeServerMessage, readQueryRows, writeKey, writeQueryRows } from './server-messages.js';
import type { ServerMessage, TableRows } from './server-messages.js';

/*
 * What `v3.bsatn.chorale` has besides the messages of v3, so that a client that was cut off goes on where it was. Encoded
 * as those are; tags from 128 on, which v3 will hardly reach.
 *
 * | tag | direction        | message   | fields in order                                                        |
 * | 128 | client -> server | Resume    | identity u256, epoch str, offset u64, query_sets [ResumedSet]           |
 * | 128 | server -> client | Resumable | epoch str                                                              |
 * | 129 | server -> client | Position  | offset u64                                                             |
 * | 130 | server -> client | Resumed   | u8 0 Changes; 1 Snapshot: query_sets [SetSnapshot]                      |
 *
 * | ResumedSet  | query_set_id u32, query_strings [str]                |
 * | SetSnapshot | query_set_id u32, u8 0 rows QueryRows; 1 error str   |
 *
 * Resumable comes once, after InitialConnection. Position is the last message of a frame: whoever has applied the frame has
 * what all transactions up to `offset` did to his query sets. Resume is the first message of a connection, if it comes at
 * all: the query sets as the client holds them, as of `offset` in `epoch`, for that identity. The answer is either each
 * missed transaction as a TransactionUpdate and then Resumed(Changes), or Resumed(Snapshot) with all rows of each set, or
 * why it is not followed any more.
 */

export interface Resume {
  readonly kind: 'resume';
  /** Whom the query sets were answered for: `:sender` may stand in them. */
  readonly identity: Identity;
  /** Empty when none was told. */
  readonly epoch: string;
  readonly offset: number;
  readonly querySets: readonly { readonly querySetId: number; readonly queries: readonly string[] }[];
}

export interface Resumable {
  readonly kind: 'resumable';
  readonly epoch: string;
}

export interface Position {
  readonly kind: 'position';
  readonly offset: number;
}

export interface SetSnapshot {
  readonly querySetId: number;
  readonly result:
    | { readonly kind: 'ok'; readonly tables: readonly TableRows[] }
    | { readonly kind: 'err'; readonly error: string };
}

export interface Resumed {
  readonly kind: 'resumed';
  /** Undefined when the missed changes were told before. */
  readonly snapshot: readonly SetSnapshot[] | undefined;
}

export type ResumableClientMessage = ClientMessage | Resume;
export type ResumeServerMessage = Resumable | Position | Resumed;
export type ResumableServerMessage = ServerMessage | ResumeServerMessage;

export const ResumeTag = { resume: 128, resumable: 128, position: 129, resumed: 130 } as const;

export function encodeResume(writer: ByteWriter, { identity, epoch, offset, querySets }: Resume): void {
  writer.writeU8(ResumeTag.resume);
  writeKey(writer, identity.key);
  writer.writeString(epoch);
  writer.writeU64(BigInt(offset));
  writer.writeU32(querySets.length);
  for (const { querySetId, queries } of querySets) {
    writer.writeU32(querySetId);
    writer.writeU32(queries.length);
    for (const query of queries) writer.writeString(query);
  }
}

export function encodeResumeServerMessage(writer: ByteWriter, message: ResumeServerMessage): void {
  writer.writeU8(ResumeTag[message.kind]);
  switch (message.kind) {
    case 'resumable':
      return writer.writeString(message.epoch);
    case 'position':
      return writer.writeU64(BigInt(message.offset));
    case 'resumed':
      return writeSnapshot(writer, message.snapshot);
    default:
      assertNever(message);
  }
}

function writeSnapshot(writer: ByteWriter, snapshot: Resumed['snapshot']): void {
  writer.writeU8(snapshot === undefined ? 0 : 1);
  if (snapshot === undefined) return;
  writer.writeU32(snapshot.length);
  for (const { querySetId, result } of snapshot) {
    writer.writeU32(querySetId);
    writer.writeU8(result.kind === 'ok' ? 0 : 1);
    if (result.kind === 'ok') writeQueryRows(writer, result.tables);
    else writer.writeString(result.error);
  }
}

/** Reads the next message of a client's frame. Throws WireError on anything that is not one. */
export function decodeResumableClientMessage(reader: ByteReader): ResumableClientMessage {
  return reader.bytes[reader.offset] === ResumeTag.resume ? readResume(reader) : decodeClientMessage(reader);
}

function readResume(reader: ByteReader): Resume {
  reader.readU8();
  const identity = Identity.fromBytes(reader.readRaw(32));
  const epoch = reader.readString();
  const offset = readOffset(reader);
  const count = reader.readU32();
  // Each set takes at least its id and a count; each text its length.
  reader.need(count * 8);
  const querySets: Resume['querySets'][number][] = [];
  for (let i = 0; i < count; i++) {
    const querySetId = reader.readU32();
    const queryCount = reader.readU32();
    reader.need(queryCount * 4);
    querySets.push({ querySetId, queries: Array.from({ length: queryCount }, () => reader.readString()) });
  }
  return { kind: 'resume', identity, epoch, offset, querySets };
}

/** Reads the next message of a server's frame. Throws WireError on anything that is not one. */
export function decodeResumableServerMessage(reader: ByteReader): ResumableServerMessage {
  switch (reader.bytes[reader.offset]) {
    case ResumeTag.resumable:
      reader.readU8();
      return { kind: 'resumable', epoch: reader.readString() };
    case ResumeTag.position:
      reader.readU8();
      return { kind: 'position', offset: readOffset(reader) };
    case ResumeTag.resumed:
      reader.readU8();
      return { kind: 'resumed', snapshot: readBit(reader) === 0 ? undefined : readSnapshot(reader) };
    default:
      return decodeServerMessage(reader);
  }
}

function readSnapshot(reader: ByteReader): SetSnapshot[] {
  const count = reader.readU32();
  const sets: SetSnapshot[] = [];
  // A lying count ends in SHORT_READ: every set takes bytes.
  for (let i = 0; i < count; i++) {
    const querySetId = reader.readU32();
    const result: SetSnapshot['result'] =
      readBit(reader) === 0
        ? { kind: 'ok', tables: readQueryRows(reader) }
        : { kind: 'err', error: reader.readString() };
    sets.push({ querySetId, result });
  }
  return sets;
}

function readBit(reader: ByteReader): 0 | 1 {
  const tag = reader.readU8();
  if (tag === 0 || tag === 1) return tag;
  const offset = reader.offset - 1;
  throw new WireError('BAD_TAG', `there is no variant ${tag} (at offset ${offset})`, { tag, offset });
}

function readOffset(reader: ByteReader): number {
  const value = reader.readU64();
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  const offset = reader.offset - 8;
  throw new WireError('BAD_VALUE', `${value} is no offset of a transaction (at ${offset})`, { offset });
}
