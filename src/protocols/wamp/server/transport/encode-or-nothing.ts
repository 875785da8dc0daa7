import type { RouterMessage } from '../../messages/message.js';
import { MessageError } from '../../messages/message-error.js';
import type { Serializer, Wire } from '../../messages/serializer.js';

/** The message as octets or text; nothing if a value of its payload has no form. */
export function encodeOrNothing(serializer: Serializer, message: RouterMessage): Wire | undefined {
  try {
    return serializer.encode(message);
  } catch (error) {
    if (error instanceof MessageError) return undefined;
    throw error;
  }
}
