import { MessageError } from './message-error.js';

/** A big integer as a number. Throws MessageError UNENCODABLE for what is past 2^53, and for what is none. */
export function safeInteger(value: unknown): number {
  const number = typeof value === 'bigint' ? Number(value) : NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new MessageError('UNENCODABLE', `no form for a ${typeof value} like this`);
}
