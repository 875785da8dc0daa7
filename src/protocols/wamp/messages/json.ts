import { DEPTH_MAX } from './depth.js';
import { fieldsOf, messageFromFields, payloadOf } from './fields.js';
import { decodeJson, encodeJson } from './json-values.js';
import { checkPayload, layoutOf } from './layouts.js';
import type { Dict, Message } from './message.js';
import { MessageError } from './message-error.js';
import { Payload, type PayloadValues, type Tail } from './payload.js';
import type { Serializer, Wire } from './serializer.js';

/* Serializer "json". A message is one JSON text. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const utf8 = new TextDecoder('utf-8', { fatal: true });
const EMPTY: Tail = { count: 0, data: '' };

export const jsonSerializer: Serializer = {
  name: 'json',
  isBinary: false,
  rawSocketId: 1,
  encode,
  decode,
  encodeTail,
  decodeTail,
};

function encode(message: Message): string {
  const tail = payloadOf(message).tailFor(jsonSerializer);
  const head = encodeJson(fieldsOf(message));
  return tail.count === 0 ? head : `${head.slice(0, -1)},${tail.data as string}]`;
}

function decode(data: Wire): Message {
  const text = typeof data === 'string' ? data : decodeUtf8(data);
  // Every level takes two characters, so shorter texts cannot be too deep.
  if (text.length > 2 * DEPTH_MAX) checkDepth(text);
  const elements = decodeJson(text);
  if (!Array.isArray(elements)) throw new MessageError('BAD_FIELD', 'a message is a list');
  const { hasPayload, least } = layoutOf(elements[0], elements.length);
  if (!hasPayload || elements.length === least) return messageFromFields(elements, Payload.empty);
  const args: unknown = elements[least];
  const kwargs: unknown = elements[least + 1];
  checkPayload(args, kwargs);
  const tailCount = (elements.length - least) as 1 | 2;
  const sliceTail = (): Tail => ({
    count: tailCount,
    data: text.slice(tailStart(text, least), text.lastIndexOf(']')),
  });
  const values = { args: args as unknown[], kwargs: kwargs as Dict | undefined };
  return messageFromFields(elements, Payload.decoded(jsonSerializer, sliceTail, values));
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new MessageError('UNDECODABLE', 'not UTF-8', { cause });
  }
}

function encodeTail(args: readonly unknown[] | undefined, kwargs: Dict | undefined): Tail {
  if (kwargs !== undefined) return { count: 2, data: `${encodeJson(args ?? [])},${encodeJson(kwargs)}` };
  return args === undefined || args.length === 0 ? EMPTY : { count: 1, data: encodeJson(args) };
}

function decodeTail(tail: Tail): PayloadValues {
  if (tail.count === 0) return {};
  const [args, kwargs] = decodeJson(`[${tail.data as string}]`) as [unknown[], Dict | undefined];
  return { args, kwargs };
}

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
