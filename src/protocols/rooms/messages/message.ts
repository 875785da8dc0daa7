import { assertNever } from '../../../base/assert.js';
import { VarReader } from '../../../base/var-reader.js';
import { VarWriter } from '../../../base/var-writer.js';
import { WireError } from '../../../base/wire-error.js';

/*
 * What travels in one frame of a y-protocols socket (wiredb, y-websocket, pycrdt, y-sweet). Lengths are varuints.
 *
 * | bytes                     | message        | direction | who sends it                                          |
 * | 00 00 <len> state vector  | syncStep1      | both      | everybody: "this I have"                              |
 * | 00 01 <len> update        | syncStep2      | both      | everybody: "this you lack"                            |
 * | 00 02 <len> update        | update         | both      | everybody                                             |
 * | 01 <len> awareness update | awareness      | both      | y-websocket, pycrdt; wiredb neither sends nor reads it |
 * | 02 00 <len> reason        | denied         | to client | y-websocket prints it                                 |
 * | 03                        | queryAwareness | to server | y-websocket                                           |
 * | 66 <len> varuint version  | probe          | both      | y-sweet; echoed once all before it is kept            |
 *
 * A frame may hold several messages back to back.
 */

export const MessageType = { sync: 0, awareness: 1, auth: 2, queryAwareness: 3, probe: 0x66 } as const;
export const SyncType = { step1: 0, step2: 1, update: 2 } as const;

export type RoomMessage =
  | { readonly kind: 'syncStep1'; readonly stateVector: Uint8Array }
  | { readonly kind: 'syncStep2'; readonly update: Uint8Array }
  | { readonly kind: 'update'; readonly update: Uint8Array }
  | { readonly kind: 'awareness'; readonly update: Uint8Array }
  | { readonly kind: 'denied'; readonly reason: string }
  | { readonly kind: 'queryAwareness' }
  | { readonly kind: 'probe'; readonly body: Uint8Array }
  /** Of a type that nobody here knows; the rest of its frame cannot be read. */
  | { readonly kind: 'unknown'; readonly type: number };

/** Reads the next message. The views are the frame's. Throws WireError. */
export function readMessage(reader: VarReader): RoomMessage {
  const type = reader.readVarUint();
  switch (type) {
    case MessageType.sync:
      return readSync(reader);
    case MessageType.awareness:
      return { kind: 'awareness', update: reader.readVarBytes() };
    case MessageType.auth:
      return readAuth(reader);
    case MessageType.queryAwareness:
      return { kind: 'queryAwareness' };
    case MessageType.probe:
      return { kind: 'probe', body: reader.readVarBytes() };
    default:
      reader.skip(reader.remaining);
      return { kind: 'unknown', type };
  }
}

export function readSync(reader: VarReader): RoomMessage {
  const type = reader.readVarUint();
  const body = reader.readVarBytes();
  switch (type) {
    case SyncType.step1:
      return { kind: 'syncStep1', stateVector: body };
    case SyncType.step2:
      return { kind: 'syncStep2', update: body };
    case SyncType.update:
      return { kind: 'update', update: body };
    default:
      throw new WireError('BAD_TAG', `a sync message is of type 0, 1 or 2, not ${type}`);
  }
}

function readAuth(reader: VarReader): RoomMessage {
  const type = reader.readVarUint();
  if (type !== 0) throw new WireError('BAD_TAG', `an auth message is of type 0, not ${type}`);
  return { kind: 'denied', reason: reader.readVarString() };
}

/** All messages of a frame. An empty frame holds none, and is refused: nobody sends one. */
export function decodeFrame(frame: Uint8Array): RoomMessage[] {
  const reader = new VarReader(frame);
  const messages = [readMessage(reader)];
  while (reader.remaining > 0) messages.push(readMessage(reader));
  return messages;
}

/** What stands in front of the update of a syncStep2: it may be long, and need not be copied behind it. */
export function encodeSyncStep2Head(updateBytes: number): Uint8Array<ArrayBuffer> {
  return sharedWriter.writeU8(0).writeU8(SyncType.step2).writeVarUint(updateBytes).finish();
}

/** Used again and again: `finish` copies out what was written. */
const sharedWriter = new VarWriter();

export function encodeMessage(message: Exclude<RoomMessage, { kind: 'unknown' }>): Uint8Array<ArrayBuffer> {
  const writer = sharedWriter;
  switch (message.kind) {
    case 'syncStep1':
      return writer.writeU8(0).writeU8(SyncType.step1).writeVarBytes(message.stateVector).finish();
    case 'syncStep2':
      return writer.writeU8(0).writeU8(SyncType.step2).writeVarBytes(message.update).finish();
    case 'update':
      return writer.writeU8(0).writeU8(SyncType.update).writeVarBytes(message.update).finish();
    case 'awareness':
      return writer.writeU8(MessageType.awareness).writeVarBytes(message.update).finish();
    case 'denied':
      return writer.writeU8(MessageType.auth).writeU8(0).writeVarString(message.reason).finish();
    case 'queryAwareness':
      return Uint8Array.of(MessageType.queryAwareness);
    case 'probe':
      return writer.writeU8(MessageType.probe).writeVarBytes(message.body).finish();
    default:
      return assertNever(message);
  }
}
