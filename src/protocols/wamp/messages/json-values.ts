import { MessageError } from './message-error.js';
import { safeInteger } from './safe-integer.js';
import type { Wire } from './serializer.js';

/*
 * Values in JSON. Octet strings are texts: U+0000, then base64 (spec "Binary conversion of JSON strings"). Integers past
 * 2^53 lose their last digits, as everywhere in JavaScript.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Throws MessageError UNENCODABLE for what has no form. */
export function encodeJson(value: unknown): string {
  try {
    return JSON.stringify(value, isPlain(value) ? undefined : replaceSpecial);
  } catch (cause) {
    throw new MessageError('UNENCODABLE', 'no JSON for it', { cause });
  }
}

/** The value in a text, or in octets that have to be UTF-8. Throws MessageError UNDECODABLE. */
export function decodeJson(data: Wire): unknown {
  try {
    const text = typeof data === 'string' ? data : utf8.decode(data);
    // Octet strings are rare: their escape is looked for, not each value.
    return JSON.parse(text, text.includes('\\u0000') ? reviveOctets : undefined);
  } catch (cause) {
    throw new MessageError('UNDECODABLE', 'not JSON', { cause });
  }
}

/** Whether there is nothing in it that JSON.stringify would get wrong: octets and big integers. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint';
  if (Array.isArray(value)) return value.every(isPlain);
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key])) return false;
  return !(value instanceof Uint8Array);
}

function replaceSpecial(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  // Not `value`, which is what a Buffer makes of itself for JSON.
  const original = this[key];
  if (original instanceof Uint8Array) return `\0${toBase64(original)}`;
  return typeof original === 'bigint' ? safeInteger(original) : value;
}

function reviveOctets(_key: string, value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith('\0')) return value;
  return Uint8Array.from(atob(value.slice(1)), (octet) => octet.charCodeAt(0));
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const octet of bytes) text += String.fromCharCode(octet);
  return btoa(text);
}
