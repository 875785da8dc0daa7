import { checkPayload, layoutOf, readMessage, writeMessage } from '../../messages/layouts.js';
import { MessageError } from '../../messages/message-error.js';
import type { SerializerName, Wire } from '../../messages/serializer.js';
import type { Message } from '../message.js';
import { NO_ARGS, NO_KWARGS } from '../payload.js';
import type { Arguments } from '../payload.js';

/** A form of values. */
export interface ValueFormat {
  readonly name: SerializerName;
  /** Whether values are octets (binary frames), not text. */
  readonly isBinary: boolean;
  /** In the handshake of RawSocket. */
  readonly rawSocketId: number;
  /** Leaves entries of dicts out that are undefined: most options of most messages are. */
  encodeValue(value: unknown): Wire;
  decodeValue(data: Wire): unknown;
}

/** Messages to text or octets and back. `decode` throws an Error for what is no message. */
export interface Serializer extends ValueFormat {
  encode(message: Message): Wire;
  decode(data: Wire): Message;
}

/** A message is one list: its fields, then its arguments. */
export function makeSerializer(format: ValueFormat): Serializer {
  return {
    ...format,
    encode: (message) => format.encodeValue(toElements(message)),
    decode: (data) => fromElements(format.decodeValue(data)),
  };
}

function toElements(message: Message): readonly unknown[] {
  const elements = writeMessage(message);
  if (!('payload' in message)) return elements;
  const { args, kwargs } = message.payload;
  for (const _ in kwargs) return [...elements, args, kwargs];
  if (args.length > 0) elements.push(args);
  return elements;
}

function fromElements(elements: unknown): Message {
  if (!Array.isArray(elements)) throw new MessageError('BAD_FIELD', 'a message is a list');
  // Some routers (fox-wamp) write null for no arguments.
  while (elements.at(-1) === null) elements.pop();
  const layout = layoutOf(elements[0], elements.length);
  const args: unknown = elements[layout.least] ?? NO_ARGS;
  const kwargs: unknown = elements[layout.least + 1] ?? NO_KWARGS;
  if (layout.hasPayload) checkPayload(args, kwargs);
  return readMessage(layout, elements, { args, kwargs } as Arguments);
}
