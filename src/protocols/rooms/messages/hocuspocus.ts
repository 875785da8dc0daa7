import { VarReader } from '../../../base/var-reader.js';
import { VarWriter } from '../../../base/var-writer.js';
import { WireError } from '../../../base/wire-error.js';
import { readSync, type RoomMessage } from './message.js';

/*
 * A frame of a Hocuspocus socket: varstring address, varuint type, body. The address is the document's name, or that, NUL and
 * a session id. Many documents share one socket.
 *
 * | type | name               | body                                                                 | direction |
 * |  0   | sync               | as in y-protocols                                                    | both      |
 * |  1   | awareness          | varbytes                                                             | both      |
 * |  2   | auth               | client: 0, varstring token, varstring version (since 3)              | to server |
 * |      |                    | server: 0 send the token again, 1 varstring reason, 2 varstring scope | to client |
 * |  3   | queryAwareness     |                                                                      | to server |
 * |  4   | syncReply          | as sync, and no syncStep1 is to be sent for it                        | both      |
 * |  5   | stateless          | varstring                                                            | both      |
 * |  6   | broadcastStateless | varstring; between servers only                                      | none      |
 * |  7   | close              | varstring reason                                                     | both      |
 * |  8   | syncStatus         | varuint 1 kept, 0 refused                                            | to client |
 * |  9, 10 | ping, pong       | a frame of one byte, without an address                              | both      |
 */

export const HocuspocusType = {
  sync: 0,
  awareness: 1,
  auth: 2,
  queryAwareness: 3,
  syncReply: 4,
  stateless: 5,
  broadcastStateless: 6,
  close: 7,
  syncStatus: 8,
  ping: 9,
  pong: 10,
} as const;

export type HocuspocusMessage =
  | RoomMessage
  | { readonly kind: 'token'; readonly token: string; readonly version: string }
  | { readonly kind: 'stateless'; readonly payload: string }
  | { readonly kind: 'close'; readonly reason: string };

export interface HocuspocusFrame {
  /** As sent, for the answers. */
  readonly address: string;
  readonly documentName: string;
  readonly message: HocuspocusMessage;
}

export function isPing(frame: Uint8Array): boolean {
  return frame.length === 1 && frame[0] === HocuspocusType.ping;
}

export const PONG: Uint8Array = Uint8Array.of(HocuspocusType.pong);

/** Throws WireError. */
export function decodeHocuspocus(frame: Uint8Array): HocuspocusFrame {
  const reader = new VarReader(frame);
  const address = reader.readVarString();
  const mark = address.indexOf('\0');
  const documentName = mark < 0 ? address : address.slice(0, mark);
  return { address, documentName, message: readBody(reader) };
}

function readBody(reader: VarReader): HocuspocusMessage {
  const type = reader.readVarUint();
  switch (type) {
    case HocuspocusType.sync:
    case HocuspocusType.syncReply:
      return readSync(reader);
    case HocuspocusType.awareness:
      return { kind: 'awareness', update: reader.readVarBytes() };
    case HocuspocusType.auth:
      return readToken(reader);
    case HocuspocusType.queryAwareness:
      return { kind: 'queryAwareness' };
    case HocuspocusType.stateless:
      return { kind: 'stateless', payload: reader.readVarString() };
    case HocuspocusType.close:
      return { kind: 'close', reason: reader.remaining > 0 ? reader.readVarString() : '' };
    default:
      throw new WireError('BAD_TAG', `a client sends no Hocuspocus message of type ${type}`);
  }
}

function readToken(reader: VarReader): HocuspocusMessage {
  const type = reader.readVarUint();
  if (type !== 0) throw new WireError('BAD_TAG', `a client's auth message is of type 0, not ${type}`);
  const token = reader.readVarString();
  // Version 2 of the provider sends none.
  return { kind: 'token', token, version: reader.remaining > 0 ? reader.readVarString() : '' };
}

/** What stands in front of every answer on that address. */
export function encodeAddress(address: string): Uint8Array<ArrayBuffer> {
  return new VarWriter().writeVarString(address).finish();
}

export function encodeAuthenticated(scope: 'readonly' | 'read-write'): Uint8Array<ArrayBuffer> {
  return new VarWriter().writeU8(HocuspocusType.auth).writeU8(2).writeVarString(scope).finish();
}

export function encodePermissionDenied(reason: string): Uint8Array<ArrayBuffer> {
  return new VarWriter().writeU8(HocuspocusType.auth).writeU8(1).writeVarString(reason).finish();
}

export function encodeSyncStatus(isKept: boolean): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(HocuspocusType.syncStatus, isKept ? 1 : 0);
}

export function encodeStateless(payload: string): Uint8Array<ArrayBuffer> {
  return new VarWriter().writeU8(HocuspocusType.stateless).writeVarString(payload).finish();
}

export function encodeClose(reason: string): Uint8Array<ArrayBuffer> {
  return new VarWriter().writeU8(HocuspocusType.close).writeVarString(reason).finish();
}
