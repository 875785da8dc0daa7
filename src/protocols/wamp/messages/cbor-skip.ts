import { advance } from './binary.js';
import { DEPTH_MAX } from './depth.js';
import { MessageError } from './message-error.js';

/*
 * CBOR (RFC 8949). First octet: major type in 3 bits, additional information in 5:
 *
 *   0 unsigned   1 negative   2 octets   3 text   4 list   5 dict   6 tag, then the value   7 simple, float
 *   info 0-23 the argument itself; 24-27 in the next 1, 2, 4, 8 octets; 28-30 unused; 31 indefinite length
 *
 * Keys of dicts are text, or it is no WAMP dict. Octets and text of indefinite length are refused: the decoder has
 * none, and no WAMP client sends any.
 */

const BREAK = 0xff;

export function skipCbor(bytes: Uint8Array, at: number, depth: number): number {
  const first = bytes[advance(bytes, at, 1) - 1]!;
  const info = first & 31;
  const argument = info === 31 ? -1 : readArgument(bytes, at, info);
  const body = at + 1 + argumentBytes(info);
  switch (first >> 5) {
    case 0:
    case 1:
      if (argument < 0) return refuse('an integer of indefinite length');
      return body;
    case 2:
    case 3:
      if (argument < 0) return refuse('a string of indefinite length');
      return advance(bytes, body, argument);
    case 4:
      return skipList(bytes, body, argument, nest(depth));
    case 5:
      return skipDict(bytes, body, argument, nest(depth));
    case 6:
      if (argument < 0) return refuse('a tag of indefinite length');
      return skipCbor(bytes, body, nest(depth));
    default:
      if (argument < 0) return refuse('a break without a beginning');
      return body;
  }
}

/** Where the first element of a message begins, and how many it has; -1 if a break ends it. */
export function openCborList(bytes: Uint8Array): { at: number; count: number } {
  const first = bytes[0] ?? 0;
  if (first >> 5 !== 4) throw new MessageError('BAD_FIELD', 'a message is a list');
  const info = first & 31;
  return { at: 1 + argumentBytes(info), count: info === 31 ? -1 : readArgument(bytes, 0, info) };
}

function skipList(bytes: Uint8Array, at: number, count: number, depth: number): number {
  let end = at;
  for (let i = 0; i !== count; i++) {
    if (count < 0 && bytes[end] === BREAK) return end + 1;
    end = skipCbor(bytes, end, depth);
  }
  return end;
}

function skipDict(bytes: Uint8Array, at: number, count: number, depth: number): number {
  let end = at;
  for (let i = 0; i !== count; i++) {
    if (count < 0 && bytes[end] === BREAK) return end + 1;
    if (bytes[end]! >> 5 !== 3) refuse('a key of a dict that is not a string');
    end = skipCbor(bytes, skipCbor(bytes, end, depth), depth);
  }
  return end;
}

function nest(depth: number): number {
  if (depth >= DEPTH_MAX) throw new MessageError('TOO_DEEP', `nested deeper than ${DEPTH_MAX}`);
  return depth + 1;
}

function argumentBytes(info: number): number {
  return info < 24 || info === 31 ? 0 : 1 << (info - 24);
}

function readArgument(bytes: Uint8Array, at: number, info: number): number {
  if (info < 24) return info;
  if (info > 27) return refuse('additional information 28-30');
  const count = argumentBytes(info);
  advance(bytes, at + 1, count);
  let value = 0;
  for (let i = 1; i <= count; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

function refuse(what: string): never {
  throw new MessageError('UNDECODABLE', `not cbor: ${what}`);
}
