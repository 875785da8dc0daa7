import { DEPTH_MAX } from './depth.js';
import { MessageError } from './message-error.js';
import { BUFFER_BYTES, BUFFER_BYTES_MAX, SHORT_TEXT } from './msgpack-limits.js';
import { safeInteger } from './safe-integer.js';

/*
 * Values in MessagePack. The first octet says what follows (numbers and lengths are big endian):
 *
 *   octet        what                    behind it                     here
 *   00-7f        fixint                                                number
 *   80-8f        fixmap                  keys and values               object; keys are strings, or it is no WAMP dict
 *   90-9f        fixarray                values                        list
 *   a0-bf        fixstr                  octets                        string
 *   c0           nil                                                   null
 *   c2 c3        false, true
 *   c4 c5 c6     bin 8/16/32             length, octets                Uint8Array, a view into what is read
 *   c7 c8 c9     ext 8/16/32             length, type, octets          as below
 *   ca cb        float 32/64                                           number
 *   cc-cf d0-d3  uint, int 8/16/32/64                                  number; past 2^53 the nearest one
 *   d4-d8        fixext 1/2/4/8/16       type, octets                  -1 (a time): Date; 0 (undefined in msgpackr): null;
 *                                                                      others: their octets
 *   d9 da db     str 8/16/32             length, octets                string
 *   dc dd        array 16/32             count, values                 list
 *   de df        map 16/32               count, keys and values        object
 *   e0-ff        negative fixint                                       number
 *
 * Written is the shortest form; a Date as text, as in JSON; entries of an object that are undefined not at all.
 */

const TOO_DEEP = `nested deeper than ${DEPTH_MAX}`;

const toUtf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Where values are written, and where the next octet goes. */
let bytes = new Uint8Array(BUFFER_BYTES);
let view = new DataView(bytes.buffer);
let at = 0;

/** Throws MessageError UNENCODABLE for what has no form. */
export function encodeMsgpack(value: unknown): Uint8Array {
  // Not 0 if a getter of a value encodes something: that goes behind what is there.
  const start = at;
  try {
    put(value, 0);
    return bytes.slice(start, at);
  } finally {
    at = start;
    if (bytes.length > BUFFER_BYTES_MAX && start === 0) makeRoom(BUFFER_BYTES);
  }
}

function makeRoom(size: number): void {
  const old = bytes.subarray(0, at);
  bytes = new Uint8Array(size);
  bytes.set(old);
  view = new DataView(bytes.buffer);
}

function reserve(count: number): void {
  if (at + count > bytes.length) makeRoom((at + count) * 2);
}

/** A first octet, and an integer of so many octets behind it, or room for them. */
function putHead(first: number, value = 0, size = 0): void {
  reserve(9);
  bytes[at] = first;
  for (let i = 0; i < size; i++) {
    // A shift takes the last 32 bit, also of what is negative, and the number of places modulo 32.
    bytes[at + size - i] = (i < 4 ? value : Math.floor(value / 2 ** 32)) >> (8 * i);
  }
  at += size + 1;
}

/** 0, 1, 2, 3 for what needs 8, 16, 32, 64 bit. */
function sizeOf(value: number): number {
  return value < 2 ** 8 ? 0 : value < 2 ** 16 ? 1 : value < 2 ** 32 ? 2 : 3;
}

/** `first`: of the form with 8 bit; those with 16 and 32 follow it. */
function putLength(first: number, length: number, size = sizeOf(length)): void {
  putHead(first + size, length, 1 << size);
}

/** `first`: of the form with 16 bit. */
function putCount(fixed: number, first: number, count: number): void {
  if (count < 16) putHead(fixed | count);
  else putLength(first - 1, count, sizeOf(count) || 1);
}

function put(value: unknown, depth: number): void {
  if (typeof value === 'string') putText(value);
  else if (typeof value === 'number') putNumber(value);
  else if (typeof value === 'boolean') putHead(value ? 0xc3 : 0xc2);
  else if (value === undefined || value === null) putHead(0xc0);
  else if (typeof value === 'object') putObject(value, depth);
  else putNumber(safeInteger(value));
}

function putNumber(value: number): void {
  if (!Number.isSafeInteger(value)) {
    putHead(0xcb);
    view.setFloat64(at, value);
    at += 8;
  } else if (value >= -(2 ** 5) && value < 2 ** 7) putHead(value);
  else if (value >= 0) putLength(0xcc, value);
  // The sign takes one bit more.
  else putLength(0xd0, value, sizeOf(-2 * (value + 1)));
}

function putText(text: string): void {
  const { length } = text;
  // A unit has three octets at most, and the head five.
  reserve(length * 3 + 5);
  let count = 0;
  let unit;
  while (count < length && count < SHORT_TEXT && (unit = text.charCodeAt(count)) < 0x80)
    bytes[at + ++count] = unit;
  if (count === length) bytes[at] = 0xa0 | length;
  else {
    // The octets are moved to where the head ends.
    const from = at + 5;
    count = toUtf8.encodeInto(text, bytes.subarray(from)).written;
    if (count < 32) putHead(0xa0 | count);
    else putLength(0xd9, count);
    bytes.copyWithin(at--, from, from + count);
  }
  at += count + 1;
}

function putObject(value: object, depth: number): void {
  // What contains itself ends here, too.
  if (depth >= DEPTH_MAX) throw new MessageError('UNENCODABLE', TOO_DEEP);
  if (Array.isArray(value)) {
    putCount(0x90, 0xdc, value.length);
    for (const item of value as readonly unknown[]) put(item, depth + 1);
  } else if (ArrayBuffer.isView(value)) {
    const octets = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    putLength(0xc4, octets.length);
    reserve(octets.length);
    bytes.set(octets, at);
    at += octets.length;
  } else if (value instanceof Date) putText(value.toISOString());
  else {
    const dict = value as Readonly<Record<string, unknown>>;
    const keys = Object.keys(dict).filter((key) => dict[key] !== undefined);
    putCount(0x80, 0xde, keys.length);
    for (const key of keys) {
      putText(key);
      put(dict[key], depth + 1);
    }
  }
}

/** What is read, and where the next octet is. */
let source: Uint8Array;
let sourceView: DataView;
let next: number;

/** The one value that `data` is. Throws MessageError UNDECODABLE or TOO_DEEP. */
export function decodeMsgpack(data: Uint8Array): unknown {
  source = data;
  sourceView = new DataView(data.buffer, data.byteOffset, data.length);
  next = 0;
  const value = take(0);
  return next < data.length ? fail() : value;
}

function fail(): never {
  throw new MessageError('UNDECODABLE', `not MessagePack at octet ${next}`);
}

function take(depth: number): unknown {
  const first = source[skip(1)]!;
  if (first < 0x80 || first >= 0xe0) return (first << 24) >> 24;
  if (first < 0xa0) return takeItems(first & 15, depth, first < 0x90);
  if (first < 0xc0) return takeText(first & 31);
  if (first === 0xc0) return null;
  if (first === 0xc1) return fail();
  if (first < 0xc4) return first === 0xc3;
  if (first < 0xc7) return takeOctets(takeUint(first - 0xc4));
  if (first < 0xca) return takeExtension(takeUint(first - 0xc7));
  if (first === 0xca) return sourceView.getFloat32(skip(4));
  if (first === 0xcb) return sourceView.getFloat64(skip(8));
  if (first < 0xd0) return takeUint(first - 0xcc);
  if (first < 0xd4) return takeInt(first - 0xd0);
  if (first < 0xd9) return takeExtension(1 << (first - 0xd4));
  if (first < 0xdc) return takeText(takeUint(first - 0xd9));
  // Of both the even one has 16 bit, the odd one 32.
  return takeItems(takeUint(1 + (first & 1)), depth, first >= 0xde);
}

/** Where so many octets begin, which are taken. */
function skip(count: number): number {
  const start = next;
  next += count;
  if (next > source.length) fail();
  return start;
}

function takeOctets(count: number): Uint8Array {
  return source.subarray(skip(count), next);
}

/** `size`: 0, 1, 2, 3 for 8, 16, 32, 64 bit. */
function takeUint(size: number): number {
  if (size === 0) return source[skip(1)]!;
  if (size === 1) return sourceView.getUint16(skip(2));
  if (size === 2) return sourceView.getUint32(skip(4));
  return takeUint(2) * 2 ** 32 + takeUint(2);
}

function takeInt(size: number): number {
  if (size === 3) return takeInt(2) * 2 ** 32 + takeUint(2);
  const unused = 32 - (8 << size);
  return (takeUint(size) << unused) >> unused;
}

function takeText(count: number): string {
  const start = skip(count);
  let text = '';
  for (let i = start; i < next; i++) {
    const octet = source[i]!;
    if (octet >= 0x80 || count > SHORT_TEXT) return fromUtf8.decode(source.subarray(start, next));
    text += String.fromCharCode(octet);
  }
  return text;
}

/** A list of so many values; or a map, where each has a key before it. */
function takeItems(count: number, depth: number, isMap: boolean): unknown {
  if (depth >= DEPTH_MAX) throw new MessageError('TOO_DEEP', TOO_DEEP);
  const list: unknown[] = [];
  let map: Record<string, unknown> = {};
  // Every one takes an octet, so a count that lies ends with the octets.
  for (let i = 0; i < count; i++) {
    const key = isMap ? take(depth + 1) : '';
    const value = take(depth + 1);
    if (!isMap) list.push(value);
    else if (typeof key !== 'string') fail();
    // A property like any other, as for JSON.parse: to assign it would change the prototype.
    else if (key === '__proto__') map = { ...map, [key]: value };
    else map[key] = value;
  }
  return isMap ? map : list;
}

function takeExtension(count: number): unknown {
  const type = takeInt(0);
  if (type === -1 && (count === 4 || count === 8 || count === 12)) return takeDate(count);
  const octets = takeOctets(count);
  return type === 0 ? null : octets;
}

/** Seconds (32 bit); nanoseconds (30 bit) and seconds (34 bit); nanoseconds (32 bit) and seconds (64 bit). */
function takeDate(count: number): Date {
  const high = count === 4 ? 0 : takeUint(2);
  const low = count === 12 ? takeInt(3) : takeUint(2);
  const [seconds, nanos] = count === 8 ? [(high & 3) * 2 ** 32 + low, high >>> 2] : [low, high];
  return new Date(seconds * 1000 + Math.floor(nanos / 1e6));
}
