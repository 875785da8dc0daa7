import { DEPTH_MAX } from './depth.js';
import { MessageError } from './message-error.js';

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

/** Most messages fit. One buffer serves all; of one that grew past the maximum the memory is given back. */
const BUFFER_BYTES = 2048;
const BUFFER_BYTES_MAX = 2 ** 16;
/** Up to here octets are looked at one by one, as calling the platform's converter costs more. */
const SHORT_TEXT = 24;

const toUtf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });

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

/** A first octet, and a number of so many octets behind it. */
function putHead(first: number, value = 0, size = 0): void {
  reserve(9);
  bytes[at++] = first;
  if (size === 1) bytes[at] = value;
  else if (size === 2) view.setUint16(at, value);
  else if (size === 4) view.setUint32(at, value);
  else if (size === 8) {
    view.setUint32(at, Math.floor(value / 2 ** 32));
    view.setUint32(at + 4, value);
  }
  at += size;
}

/** `first`: of the form with 8 bit; those with 16 and 32 follow it. */
function putLength(first: number, length: number): void {
  if (length < 2 ** 8) putHead(first, length, 1);
  else if (length < 2 ** 16) putHead(first + 1, length, 2);
  else putHead(first + 2, length, 4);
}

function putCount(fixed: number, first: number, count: number): void {
  if (count < 16) putHead(fixed | count);
  else if (count < 2 ** 16) putHead(first, count, 2);
  else putHead(first + 1, count, 4);
}

function put(value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      putText(value);
      return;
    case 'number':
      putNumber(value);
      return;
    case 'boolean':
      putHead(value ? 0xc3 : 0xc2);
      return;
    case 'undefined':
      putHead(0xc0);
      return;
    case 'bigint':
      if (!Number.isSafeInteger(Number(value))) refuse(`an integer past 2^53: ${value}`);
      putNumber(Number(value));
      return;
    case 'object':
      if (value === null) putHead(0xc0);
      else putObject(value, depth);
      return;
    default:
      refuse(`no MessagePack for a ${typeof value}`);
  }
}

function putNumber(value: number): void {
  if (!Number.isSafeInteger(value)) {
    reserve(9);
    bytes[at] = 0xcb;
    view.setFloat64(at + 1, value);
    at += 9;
  } else if (value >= 0) {
    if (value < 2 ** 7) putHead(value);
    else if (value < 2 ** 32) putLength(0xcc, value);
    else putHead(0xcf, value, 8);
  } else if (value >= -(2 ** 5)) putHead(value);
  else if (value >= -(2 ** 7)) putHead(0xd0, value, 1);
  else if (value >= -(2 ** 15)) putHead(0xd1, value, 2);
  else if (value >= -(2 ** 31)) putHead(0xd2, value, 4);
  else putHead(0xd3, value, 8);
}

function putText(text: string): void {
  const { length } = text;
  if (length <= SHORT_TEXT && putAscii(text)) return;
  // A unit has three octets at most, and the head five: the octets are moved to where the head ends.
  reserve(length * 3 + 9);
  const from = at + 5;
  const count = toUtf8.encodeInto(text, bytes.subarray(from)).written;
  if (count < 32) putHead(0xa0 | count);
  else putLength(0xd9, count);
  bytes.copyWithin(at, from, from + count);
  at += count;
}

/** False, and nothing written, if it is more than ASCII. */
function putAscii(text: string): boolean {
  const { length } = text;
  reserve(length + 1);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return false;
    bytes[at + 1 + i] = unit;
  }
  bytes[at] = 0xa0 | length;
  at += length + 1;
  return true;
}

function putObject(value: object, depth: number): void {
  // What contains itself ends here, too.
  if (depth >= DEPTH_MAX) refuse(`nested deeper than ${DEPTH_MAX}`);
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
    const dict = value as Record<string, unknown>;
    const keys = Object.keys(dict).filter((key) => dict[key] !== undefined);
    putCount(0x80, 0xde, keys.length);
    for (const key of keys) {
      putText(key);
      put(dict[key], depth + 1);
    }
  }
}

function refuse(why: string): never {
  throw new MessageError('UNENCODABLE', why);
}

/** The one value that `data` is. Throws MessageError UNDECODABLE or TOO_DEEP. */
export function decodeMsgpack(data: Uint8Array): unknown {
  const reader = new Reader(data);
  const value = reader.value(0);
  if (reader.at !== data.length) throw new MessageError('UNDECODABLE', 'octets behind the value');
  return value;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(data: Uint8Array) {
    this.#bytes = data;
    this.#view = new DataView(data.buffer, data.byteOffset, data.length);
  }

  value(depth: number): unknown {
    const first = this.#bytes[this.#skip(1)]!;
    if (first < 0x80) return first;
    if (first < 0x90) return this.#map(first & 15, depth);
    if (first < 0xa0) return this.#list(first & 15, depth);
    if (first < 0xc0) return this.#text(first & 31);
    if (first >= 0xe0) return first - 0x100;
    if (first < 0xc4) return first === 0xc0 ? null : first === 0xc1 ? this.#refuse() : first === 0xc3;
    if (first < 0xc7) return this.#octets(this.#uint(first - 0xc4));
    if (first < 0xca) return this.#extension(this.#uint(first - 0xc7));
    if (first === 0xca) return this.#view.getFloat32(this.#skip(4));
    if (first === 0xcb) return this.#view.getFloat64(this.#skip(8));
    if (first < 0xd0) return this.#uint(first - 0xcc);
    if (first < 0xd4) return this.#int(first - 0xd0);
    if (first < 0xd9) return this.#extension(1 << (first - 0xd4));
    if (first < 0xdc) return this.#text(this.#uint(first - 0xd9));
    if (first < 0xde) return this.#list(this.#uint(first - 0xdb), depth);
    return this.#map(this.#uint(first - 0xdd), depth);
  }

  /** Where so many octets begin, which are taken. */
  #skip(count: number): number {
    const start = this.at;
    this.at += count;
    if (this.at > this.#bytes.length) throw new MessageError('UNDECODABLE', 'a value is cut off');
    return start;
  }

  #refuse(): never {
    throw new MessageError('UNDECODABLE', 'not MessagePack: octet c1');
  }

  /** `size`: 0, 1, 2, 3 for 8, 16, 32, 64 bit. */
  #uint(size: number): number {
    if (size === 0) return this.#bytes[this.#skip(1)]!;
    if (size === 1) return this.#view.getUint16(this.#skip(2));
    if (size === 2) return this.#view.getUint32(this.#skip(4));
    return this.#uint(2) * 2 ** 32 + this.#uint(2);
  }

  #int(size: number): number {
    if (size === 0) return this.#view.getInt8(this.#skip(1));
    if (size === 1) return this.#view.getInt16(this.#skip(2));
    if (size === 2) return this.#view.getInt32(this.#skip(4));
    return this.#int(2) * 2 ** 32 + this.#uint(2);
  }

  #octets(count: number): Uint8Array {
    const start = this.#skip(count);
    return this.#bytes.subarray(start, this.at);
  }

  #text(count: number): string {
    const start = this.#skip(count);
    if (count > SHORT_TEXT) return fromUtf8.decode(this.#bytes.subarray(start, this.at));
    let text = '';
    for (let i = start; i < this.at; i++) {
      const octet = this.#bytes[i]!;
      if (octet >= 0x80) return fromUtf8.decode(this.#bytes.subarray(start, this.at));
      text += String.fromCharCode(octet);
    }
    return text;
  }

  #list(count: number, depth: number): unknown[] {
    const inner = this.#deeper(depth);
    const list: unknown[] = [];
    // Every element takes an octet, so a count that lies ends with the octets.
    for (let i = 0; i < count; i++) list.push(this.value(inner));
    return list;
  }

  #map(count: number, depth: number): Record<string, unknown> {
    const inner = this.#deeper(depth);
    const map: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const key = this.value(inner);
      if (typeof key !== 'string') throw new MessageError('UNDECODABLE', 'a key of a dict is not a string');
      const value = this.value(inner);
      // As JSON.parse does: a property like any other.
      if (key === '__proto__')
        Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true });
      else map[key] = value;
    }
    return map;
  }

  #deeper(depth: number): number {
    if (depth >= DEPTH_MAX) throw new MessageError('TOO_DEEP', `nested deeper than ${DEPTH_MAX}`);
    return depth + 1;
  }

  #extension(count: number): unknown {
    const type = this.#int(0);
    if (type === -1 && (count === 4 || count === 8 || count === 12)) return this.#date(count);
    const octets = this.#octets(count);
    return type === 0 ? null : octets;
  }

  /** Seconds (32 bit); nanoseconds (30 bit) and seconds (34 bit); nanoseconds (32 bit) and seconds (64 bit). */
  #date(count: number): Date {
    const high = count === 4 ? 0 : this.#uint(2);
    const nanos = count === 8 ? high >>> 2 : high;
    const seconds = count === 12 ? this.#int(3) : (count === 8 ? (high & 3) * 2 ** 32 : 0) + this.#uint(2);
    return new Date(seconds * 1000 + Math.floor(nanos / 1e6));
  }
}
