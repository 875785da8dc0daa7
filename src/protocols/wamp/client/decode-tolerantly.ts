import type { Message } from '../messages/message.js';
import type { Serializer } from '../messages/serializer.js';
import type { Frame } from './transport/transport.js';

/**
 * Decodes a message; of JSON also one with `null` where arguments could stand, which some routers (fox-wamp) write for none.
 * Throws MessageError.
 */
export function decodeTolerantly(serializer: Serializer, frame: Frame): Message {
  try {
    return serializer.decode(frame);
  } catch (error) {
    const repaired = typeof frame === 'string' ? withoutNulls(frame) : undefined;
    if (repaired === undefined) throw error;
    return serializer.decode(repaired);
  }
}

function withoutNulls(text: string): string | undefined {
  if (!text.endsWith('null]') && !text.includes(',null,')) return undefined;
  const fields: unknown = JSON.parse(text);
  if (!Array.isArray(fields)) return undefined;
  while (fields.length > 0 && fields.at(-1) === null) fields.pop();
  // No arguments, but named ones.
  if (fields.at(-2) === null) fields[fields.length - 2] = [];
  return JSON.stringify(fields);
}
