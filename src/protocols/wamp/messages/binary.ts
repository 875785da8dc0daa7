import { fieldsOf, messageFromFields, payloadOf } from './fields.js';
import { checkPayload, layoutOf } from './layouts.js';
import type { Dict, Message } from './message.js';
import { MessageError } from './message-error.js';
import { Payload, type PayloadValues, type Tail } from './payload.js';
import type { Serializer, SerializerName, Wire } from './serializer.js';

/** What differs between the binary serializers. */
export interface BinaryFormat {
  readonly name: SerializerName;
  readonly rawSocketId: number;
  /** Octets of a list's header for fewer than 16 elements. */
  readonly listHeader: number;
  /** Walks over the value at `at` without decoding it; returns its end. Throws MessageError if it is not well formed. */
  readonly skip: (bytes: Uint8Array, at: number, depth: number) => number;
  /** The list that `bytes` is: where its first element begins, and how many there are (-1: up to a break octet). */
  openList(bytes: Uint8Array): { readonly at: number; readonly count: number };
  encodeValue(value: unknown): Uint8Array;
  /** One value and nothing behind it. */
  decodeValue(bytes: Uint8Array): unknown;
}

// Lists up to 15 elements have one octet for a header, in both formats.
const BREAK = 0xff;
const NOTHING = new Uint8Array(0);

/** A serializer over a binary format: decodes the head of a message, and leaves the payload as it is. */
export function makeBinarySerializer(format: BinaryFormat): Serializer {
  const { skip, listHeader } = format;
  const EMPTY: Tail = { count: 0, data: NOTHING };

  /** Ends of the elements of a message; the first entry is where the first one begins. */
  function splitMessage(bytes: Uint8Array): number[] {
    const { at, count } = format.openList(bytes);
    const bounds = [at];
    let end = at;
    for (let i = 0; count < 0 ? bytes[end] !== BREAK : i < count; i++) {
      // No message has more; the rest need not be looked at.
      if (i >= 7) throw new MessageError('BAD_FIELD', 'a message has at most seven elements');
      end = skip(bytes, end, 1);
      bounds.push(end);
    }
    if (end + (count < 0 ? 1 : 0) !== bytes.length) {
      throw new MessageError('UNDECODABLE', 'octets behind the message');
    }
    return bounds;
  }

  function decodeList(bytes: Uint8Array, from: number, to: number, count: number): unknown[] {
    const list = new Uint8Array(to - from + 1);
    list[0] = listHeader | count;
    list.set(bytes.subarray(from, to), 1);
    return decodeGuarded(list) as unknown[];
  }

  function decodeGuarded(bytes: Uint8Array): unknown {
    try {
      return format.decodeValue(bytes);
    } catch (cause) {
      if (cause instanceof MessageError) throw cause;
      throw new MessageError('UNDECODABLE', `not ${format.name}: ${(cause as Error).message}`, { cause });
    }
  }

  function encodeGuarded(value: unknown): Uint8Array {
    try {
      return format.encodeValue(value);
    } catch (cause) {
      if (cause instanceof MessageError) throw cause;
      throw new MessageError('UNENCODABLE', `no ${format.name} for it: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  function decode(data: Wire): Message {
    if (typeof data === 'string') throw new MessageError('UNDECODABLE', `${format.name} is octets, not text`);
    const bounds = splitMessage(data);
    const elements = bounds.length - 1;
    if (elements === 0) throw new MessageError('BAD_FIELD', 'an empty message');
    const [type] = decodeList(data, bounds[0]!, bounds[1]!, 1);
    const { hasPayload, least } = layoutOf(type, elements);
    const isTail = hasPayload && elements > least;
    const headEnd = isTail ? least : elements;
    const fields = decodeList(data, bounds[0]!, bounds[headEnd]!, headEnd);
    if (!isTail) return messageFromFields(fields, Payload.empty);
    const tail: Tail = {
      count: (elements - least) as 1 | 2,
      data: data.subarray(bounds[least], bounds[elements]),
    };
    return messageFromFields(fields, Payload.decoded(serializer, tail));
  }

  function encode(message: Message): Uint8Array {
    const { count, data } = payloadOf(message).tailFor(serializer);
    const head = encodeGuarded(fieldsOf(message));
    if (count === 0) return head;
    const tail = data as Uint8Array;
    const bytes = new Uint8Array(head.length + tail.length);
    bytes.set(head);
    bytes[0] = head[0]! + count;
    bytes.set(tail, head.length);
    return bytes;
  }

  function encodeTail(args: readonly unknown[] | undefined, kwargs: Dict | undefined): Tail {
    if (kwargs !== undefined) return { count: 2, data: encodeGuarded([args ?? [], kwargs]).subarray(1) };
    if (args === undefined || args.length === 0) return EMPTY;
    return { count: 1, data: encodeGuarded(args) };
  }

  function decodeTail({ count, data }: Tail): PayloadValues {
    if (count === 0) return {};
    const bytes = data as Uint8Array;
    const [args, kwargs] = decodeList(bytes, 0, bytes.length, count);
    checkPayload(args, kwargs);
    return { args: args as unknown[], kwargs: kwargs as Dict | undefined };
  }

  const { name, rawSocketId } = format;
  const serializer: Serializer = {
    name,
    isBinary: true,
    rawSocketId,
    encode,
    decode,
    encodeTail,
    decodeTail,
  };
  return serializer;
}

/** `at + count`, if that many octets are there. */
export function advance(bytes: Uint8Array, at: number, count: number): number {
  const end = at + count;
  if (end > bytes.length)
    throw new MessageError('UNDECODABLE', `ends ${end - bytes.length} octets too early`);
  return end;
}
