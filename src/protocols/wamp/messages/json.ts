import { DEPTH_MAX } from './depth.js';
import {
  checkPayload,
  checkTailCount,
  fieldsOf,
  hasPayload,
  headCount,
  isDict,
  messageFromFields,
  payloadOf,
} from './fields.js';
import type { Dict, Message } from './message.js';
import { MessageError } from './message-error.js';
import { Payload, type PayloadValues, type Tail } from './payload.js';
import type { Serializer, Wire } from './serializer.js';

/*
 * Serializer "json". A message is one JSON text. Octet strings are texts: U+0000, then base64 (spec "Binary
 * conversion of JSON strings"). Integers past 2^53 lose their last digits, as everywhere in JavaScript.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true });
const EMPTY: Tail = { count: 0, data: '' };

export const jsonSerializer: Serializer = {
  name: 'json',
  isBinary: false,
  rawSocketId: 1,
  encode: encodeJson,
  decode: decodeJson,
  encodeTail,
  decodeTail,
};

function encodeJson(message: Message): string {
  const tail = payloadOf(message).tailFor(jsonSerializer);
  const head = stringify(fieldsOf(message));
  return tail.count === 0 ? head : `${head.slice(0, -1)},${tail.data as string}]`;
}

function decodeJson(data: Wire): Message {
  const text = typeof data === 'string' ? data : decodeUtf8(data);
  // Every level takes two characters, so shorter texts cannot be too deep.
  if (text.length > 2 * DEPTH_MAX) checkDepth(text);
  let fields = parse(text);
  // Octet strings are rare: their escape is looked for, not each value.
  if (text.includes(NUL_ESCAPE)) fields = reviveBinary(fields);
  if (!Array.isArray(fields)) throw new MessageError('BAD_FIELD', 'a message is a list');
  const type: unknown = fields[0];
  const count = headCount(type);
  checkTailCount(type as number, fields.length - count);
  if (!hasPayload(type as number) || fields.length === count) {
    return messageFromFields(fields, Payload.empty);
  }
  const args: unknown = fields[count];
  const kwargs: unknown = fields[count + 1];
  checkPayload(args, kwargs);
  const tailCount = (fields.length - count) as 1 | 2;
  const sliceTail = (): Tail => ({
    count: tailCount,
    data: text.slice(tailStart(text, count), text.lastIndexOf(']')),
  });
  const values = { args: args as unknown[], kwargs: kwargs as Dict | undefined };
  return messageFromFields(fields, Payload.decoded(jsonSerializer, sliceTail, values));
}

const NUL_ESCAPE = String.raw`\u0000`;

function encodeTail(args: readonly unknown[] | undefined, kwargs: Dict | undefined): Tail {
  if (kwargs !== undefined) return { count: 2, data: `${stringify(args ?? [])},${stringify(kwargs)}` };
  return args === undefined || args.length === 0 ? EMPTY : { count: 1, data: stringify(args) };
}

function decodeTail(tail: Tail): PayloadValues {
  if (tail.count === 0) return {};
  const [args, kwargs] = reviveBinary(parse(`[${tail.data as string}]`)) as [unknown[], Dict | undefined];
  return { args, kwargs };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new MessageError('UNDECODABLE', 'not UTF-8', { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MessageError('UNDECODABLE', 'not JSON', { cause });
  }
}

function stringify(value: readonly unknown[] | Dict): string {
  try {
    return JSON.stringify(isPlain(value) ? value : replaceSpecial(value));
  } catch (cause) {
    if (cause instanceof MessageError) throw cause;
    throw new MessageError('UNENCODABLE', `no JSON for it: ${(cause as Error).message}`, { cause });
  }
}

/** Whether there is nothing in it that JSON.stringify would get wrong: octets and big integers. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'bigint') return false;
  if (typeof value !== 'object' || value === null) return true;
  if (value instanceof Uint8Array) return false;
  if (Array.isArray(value)) return value.every(isPlain);
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key])) return false;
  return true;
}

function replaceSpecial(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw new MessageError('UNENCODABLE', `JSON of JavaScript has no integer ${value}`);
  }
  if (value instanceof Uint8Array) return `\0${toBase64(value)}`;
  if (Array.isArray(value)) return value.map(replaceSpecial);
  if (!isDict(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaceSpecial(inner)]));
}

function reviveBinary(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith('\0') ? fromBase64(value.slice(1)) : value;
  if (Array.isArray(value)) return value.map(reviveBinary);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, reviveBinary(inner)]));
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  // Calls take at most some 10^5 arguments.
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  let octets: string;
  try {
    octets = atob(text);
  } catch (cause) {
    throw new MessageError('UNDECODABLE', 'an octet string is not base64', { cause });
  }
  return Uint8Array.from(octets, (octet) => octet.charCodeAt(0));
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the element after the first `count` ones begins, in a text that is known to be a JSON list. */
function tailStart(text: string, count: number): number {
  let at = text.indexOf('[') + 1;
  let depth = 0;
  let left = count;
  for (; ; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) at = stringEnd(text, at);
    else if (unit === 0x7b || unit === 0x5b) depth++;
    else if (unit === 0x7d || unit === 0x5d) depth--;
    else if (unit === 0x2c && depth === 0 && --left === 0) return at + 1;
  }
}

function checkDepth(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) at = stringEnd(text, at);
    else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > DEPTH_MAX) throw new MessageError('TOO_DEEP', `nested deeper than ${DEPTH_MAX}`);
    } else if (unit === 0x7d || unit === 0x5d) depth--;
  }
}

/** Where the closing quote of the string at `start` is. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
}
