import { advance } from './binary.js';
import { DEPTH_MAX } from './depth.js';
import { MessageError } from './message-error.js';

/*
 * MessagePack, by first octet (all lengths big endian):
 *
 *   00-7f fixint   80-8f fixmap   90-9f fixarray   a0-bf fixstr   c0 nil   c1 never used   c2 c3 bool
 *   c4-c6 bin 8/16/32   c7-c9 ext 8/16/32 (length, type, data)   ca cb float 32/64
 *   cc-cf uint 8/16/32/64   d0-d3 int 8/16/32/64   d4-d8 fixext 1/2/4/8/16
 *   d9-db str 8/16/32   dc dd array 16/32   de df map 16/32   e0-ff negative fixint
 *
 * Keys of maps are strings, or it is no WAMP dict.
 */

/** The octets behind c0-df: [bytes of the length field, fixed bytes behind]; -1 for c1 and containers. */
const FIXED: readonly number[] = [
  0, -1, 0, 0, /* c4 */ 0, 0, 0, 1, 1, 1, /* ca */ 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, /* d4 */ 2, 3, 5, 9, 17, 0,
  0, 0,
];
const LENGTH_BYTES: readonly number[] = [
  0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4,
];

export function skipMsgpack(bytes: Uint8Array, at: number, depth: number): number {
  const first = bytes[advance(bytes, at, 1) - 1]!;
  const next = at + 1;
  if (first < 0x80 || first >= 0xe0) return next;
  if (first < 0x90) return skipMap(bytes, next, first & 15, depth);
  if (first < 0xa0) return skipArray(bytes, next, first & 15, depth);
  if (first < 0xc0) return advance(bytes, next, first & 31);
  if (first === 0xc1) throw new MessageError('UNDECODABLE', 'not msgpack: octet c1');
  if (first === 0xdc) return skipArray(bytes, advance(bytes, next, 2), readUint(bytes, next, 2), depth);
  if (first === 0xdd) return skipArray(bytes, advance(bytes, next, 4), readUint(bytes, next, 4), depth);
  if (first === 0xde) return skipMap(bytes, advance(bytes, next, 2), readUint(bytes, next, 2), depth);
  if (first === 0xdf) return skipMap(bytes, advance(bytes, next, 4), readUint(bytes, next, 4), depth);
  const lengthBytes = LENGTH_BYTES[first - 0xc0]!;
  const body = advance(bytes, next, lengthBytes);
  return advance(bytes, body, readUint(bytes, next, lengthBytes) + FIXED[first - 0xc0]!);
}

/** Where the first element of a message begins, and how many it has. */
export function openMsgpackList(bytes: Uint8Array): { at: number; count: number } {
  const first = bytes[0] ?? 0;
  if (first >= 0x90 && first < 0xa0) return { at: 1, count: first & 15 };
  if (first === 0xdc) return { at: advance(bytes, 1, 2), count: readUint(bytes, 1, 2) };
  if (first === 0xdd) return { at: advance(bytes, 1, 4), count: readUint(bytes, 1, 4) };
  throw new MessageError('BAD_FIELD', 'a message is a list');
}

function skipArray(bytes: Uint8Array, at: number, count: number, depth: number): number {
  if (depth >= DEPTH_MAX) throw new MessageError('TOO_DEEP', `nested deeper than ${DEPTH_MAX}`);
  let end = at;
  // Every element takes an octet, so a count that lies ends with the octets.
  for (let i = 0; i < count; i++) end = skipMsgpack(bytes, end, depth + 1);
  return end;
}

function skipMap(bytes: Uint8Array, at: number, count: number, depth: number): number {
  if (depth >= DEPTH_MAX) throw new MessageError('TOO_DEEP', `nested deeper than ${DEPTH_MAX}`);
  let end = at;
  for (let i = 0; i < count; i++) {
    const key = bytes[end];
    const isText = key !== undefined && ((key >= 0xa0 && key < 0xc0) || (key >= 0xd9 && key <= 0xdb));
    if (!isText) throw new MessageError('UNDECODABLE', 'a key of a dict is not a string');
    end = skipMsgpack(bytes, skipMsgpack(bytes, end, depth + 1), depth + 1);
  }
  return end;
}

function readUint(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value = value * 256 + bytes[at + i]!;
  return value;
}
