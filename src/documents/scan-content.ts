import type { VarReader } from '../base/var-reader.js';
import { WireError } from '../base/wire-error.js';

/*
 * The content of an item, by the kind in its info byte, and how many clocks it takes.
 *
 * |  1 | deleted | length                                                     | length        |
 * |  2 | JSON    | count, count x varstring of JSON or "undefined"            | count         |
 * |  3 | binary  | varbytes                                                   | 1             |
 * |  4 | string  | varstring                                                  | UTF-16 units  |
 * |  5 | embed   | varstring of JSON                                          | 1             |
 * |  6 | format  | varstring key, varstring of JSON                           | 1             |
 * |  7 | type    | 0 array, 1 map, 2 text, 3 element + name, 4 fragment, 5 hook + name, 6 xml text | 1 |
 * |  8 | any     | count, count x any                                         | count         |
 * |  9 | doc     | varstring guid, any (an object)                            | 1             |
 *
 * any: u8 127 undefined, 126 null, 125 varint, 124 f32, 123 f64, 122 i64, 121 false, 120 true, 119 varstring,
 *      118 count x (varstring, any), 117 count x any, 116 varbytes
 */

// What is nested deeper would overflow the stack of whoever reads it; editors nest a few dozen levels.
const DEPTH_MAX = 100;

/** Moves past a content and gives its length in clocks. */
export function skipContent(reader: VarReader, kind: number): number {
  switch (kind) {
    case 1:
      return reader.readVarUint();
    case 2:
      return skipJsonList(reader);
    case 3:
      reader.readVarBytes();
      return 1;
    case 4:
      return skipString(reader);
    case 5:
      checkJson(reader.readVarString());
      return 1;
    case 6:
      reader.readVarString();
      checkJson(reader.readVarString());
      return 1;
    case 7:
      return skipType(reader);
    case 8:
      return skipAnyList(reader, 0);
    case 9:
      return skipDoc(reader);
    default:
      throw new WireError('BAD_TAG', `there is no content of kind ${kind}`);
  }
}

/** UTF-16 units of a varstring. Most are one ASCII character, so nothing is decoded for those. */
function skipString(reader: VarReader): number {
  const start = reader.offset;
  const length = reader.readVarUint();
  const from = reader.offset;
  reader.skip(length);
  for (let i = from; i < reader.offset; i++) {
    if (reader.bytes[i]! < 0x80) continue;
    reader.offset = start;
    return reader.readVarString().length;
  }
  return length;
}

function skipJsonList(reader: VarReader): number {
  const count = reader.readVarUint();
  for (let i = 0; i < count; i++) {
    const text = reader.readVarString();
    if (text !== 'undefined') checkJson(text);
  }
  return count;
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new WireError('BAD_VALUE', 'a value is not JSON');
  }
}

function skipType(reader: VarReader): number {
  const type = reader.readVarUint();
  if (type > 6) throw new WireError('BAD_TAG', `there is no shared type ${type}`);
  if (type === 3 || type === 5) reader.readVarString();
  return 1;
}

function skipDoc(reader: VarReader): number {
  reader.readVarString();
  const tag = reader.readU8();
  if (tag !== 118) throw new WireError('BAD_TAG', 'the options of a subdocument are an object');
  skipAnyObject(reader, 0);
  return 1;
}

function skipAnyList(reader: VarReader, depth: number): number {
  const count = reader.readVarUint();
  for (let i = 0; i < count; i++) skipAny(reader, depth);
  return count;
}

function skipAnyObject(reader: VarReader, depth: number): void {
  const count = reader.readVarUint();
  for (let i = 0; i < count; i++) {
    reader.readVarString();
    skipAny(reader, depth);
  }
}

function skipAny(reader: VarReader, depth: number): void {
  if (depth > DEPTH_MAX) throw new WireError('TOO_DEEP', `values nest ${DEPTH_MAX} deep at most`);
  const tag = reader.readU8();
  switch (tag) {
    case 127:
    case 126:
    case 121:
    case 120:
      return;
    case 125:
      return skipVarInt(reader);
    case 124:
      return reader.skip(4);
    case 123:
    case 122:
      return reader.skip(8);
    case 119:
      return void reader.readVarString();
    case 118:
      return skipAnyObject(reader, depth + 1);
    case 117:
      return void skipAnyList(reader, depth + 1);
    case 116:
      return void reader.readVarBytes();
    default:
      throw new WireError('BAD_TAG', `there is no value of kind ${tag}`);
  }
}

/** Seven bits a byte, but the first has six and a sign. */
function skipVarInt(reader: VarReader): void {
  let byte = reader.readU8();
  let magnitude = byte & 0x3f;
  let factor = 64;
  while (byte >= 0x80) {
    if (factor > 2 ** 55) throw new WireError('OUT_OF_RANGE', 'an integer is too long');
    byte = reader.readU8();
    magnitude += (byte & 0x7f) * factor;
    factor *= 128;
    if (magnitude > Number.MAX_SAFE_INTEGER) throw new WireError('OUT_OF_RANGE', 'an integer is above 2^53');
  }
}
