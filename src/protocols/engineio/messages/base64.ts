import { PacketError } from './packet-error.js';

/* RFC 4648 section 4. Decoding is strict in the alphabet and lenient about missing padding, which some clients leave out. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const DIGITS = new TextEncoder().encode(ALPHABET);
const PADDING = 61;
const VALUES = new Uint8Array(256).fill(255);
for (const [value, digit] of DIGITS.entries()) VALUES[digit] = value;

const latin1 = new TextDecoder('latin1');

/** How many characters `bytes` octets become. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

export function encodeBase64(bytes: Uint8Array): string {
  const out = new Uint8Array(base64Length(bytes.length));
  let at = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const bits = (bytes[i]! << 16) | ((left > 1 ? bytes[i + 1]! : 0) << 8) | (left > 2 ? bytes[i + 2]! : 0);
    out[at++] = DIGITS[bits >>> 18]!;
    out[at++] = DIGITS[(bits >>> 12) & 63]!;
    out[at++] = left > 1 ? DIGITS[(bits >>> 6) & 63]! : PADDING;
    out[at++] = left > 2 ? DIGITS[bits & 63]! : PADDING;
  }
  return latin1.decode(out);
}

/** Throws PacketError BAD_BASE64 for anything that is no base64. */
export function decodeBase64(text: string, from = 0): Uint8Array {
  let end = text.length;
  while (end > from && text.charCodeAt(end - 1) === PADDING && text.length - end < 2) end--;
  const digits = end - from;
  if (digits % 4 === 1) throw bad();
  const out = new Uint8Array(Math.floor((digits * 3) / 4));
  let at = 0;
  let bits = 0;
  let have = 0;
  for (let i = from; i < end; i++) {
    const code = text.charCodeAt(i);
    const value = code < 256 ? VALUES[code]! : 255;
    if (value === 255) throw bad();
    bits = ((bits << 6) | value) & 0xff_ff_ff;
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out[at++] = (bits >>> have) & 0xff;
  }
  return out;
}

function bad(): PacketError {
  return new PacketError('BAD_BASE64', 'a binary packet is not valid base64');
}
