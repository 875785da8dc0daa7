import { MessageError } from './message-error.js';
import type { Serializer, Wire } from './serializer.js';

/*
 * Batched subprotocols: one frame holds one message or more.
 *
 *   json          each message, then octet 1E
 *   msgpack cbor  each message behind its length, u32 big endian
 *
 * A frame without a message is illegal.
 */

const SEPARATOR = '\u001E';
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** One frame of `messages`, of which there is one at least. */
export function joinBatch(serializer: Pick<Serializer, 'isBinary'>, messages: readonly Wire[]): Wire {
  if (!serializer.isBinary) return messages.map((message) => `${message as string}${SEPARATOR}`).join('');
  let size = 0;
  for (const message of messages) size += 4 + message.length;
  const frame = new Uint8Array(size);
  const view = new DataView(frame.buffer);
  let at = 0;
  for (const message of messages as readonly Uint8Array[]) {
    view.setUint32(at, message.length);
    frame.set(message, at + 4);
    at += 4 + message.length;
  }
  return frame;
}

/** The messages of a frame. Throws MessageError if there is none, or the lengths do not add up. */
export function splitBatch(serializer: Pick<Serializer, 'isBinary'>, frame: Wire): Wire[] {
  const messages = serializer.isBinary ? splitBinary(frame) : splitText(frame);
  if (messages.length === 0) throw new MessageError('UNDECODABLE', 'an empty batch');
  return messages;
}

function splitText(frame: Wire): string[] {
  const text = typeof frame === 'string' ? frame : decodeText(frame);
  const messages = text.split(SEPARATOR);
  // What follows the last separator is nothing, or a message whose separator is missing.
  if (messages.pop() !== '') throw new MessageError('UNDECODABLE', 'a batch ends with octet 1E');
  return messages;
}

function decodeText(octets: Uint8Array): string {
  try {
    return utf8.decode(octets);
  } catch {
    throw new MessageError('UNDECODABLE', 'a batch that is no UTF-8');
  }
}

function splitBinary(frame: Wire): Uint8Array[] {
  if (typeof frame === 'string') throw new MessageError('UNDECODABLE', 'a binary batch in a text frame');
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const messages: Uint8Array[] = [];
  for (let at = 0; at < frame.length;) {
    const size = at + 4 <= frame.length ? view.getUint32(at) : Infinity;
    if (at + 4 + size > frame.length) throw new MessageError('UNDECODABLE', 'a batch ends within a message');
    messages.push(frame.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return messages;
}
