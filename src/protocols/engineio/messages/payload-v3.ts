import { encodePacketText, decodePacketText } from './packet-codec.js';
import { type Packet, packetTypeOf, type PacketType } from './packet.js';
import { PacketError } from './packet-error.js';

/*
 * Polling payloads of protocol 3.
 *
 *   text:    (length ":" packet)*           length: decimal, UTF-16 code units of the packet
 *   octets:  (kind digits 0xFF packet)*     kind: 0 text, 1 octets; digits: the length in decimal, one octet 0-9 each;
 *                                           a text packet is its digit and UTF-8, an octet packet its type (0-6) and data
 *
 * Octets go as `b`, digit, base64 in the text form; the second form is for clients that can read it, and only if a packet has octets.
 */

// A length of more digits is larger than any payload.
const LENGTH_DIGITS_MAX = 10;
const END_OF_LENGTH = 0xff;

export function encodePayloadV3(packets: readonly Packet[]): string {
  // A payload without packets is `0:`, as the reference writes it.
  if (packets.length === 0) return '0:';
  let payload = '';
  for (const packet of packets) {
    const text = encodePacketText(packet, 3);
    payload += `${text.length}:${text}`;
  }
  return payload;
}

/** Throws PacketError. */
export function decodePayloadV3(payload: string, packetsMax = Infinity): Packet[] {
  const packets: Packet[] = [];
  let at = 0;
  while (at < payload.length) {
    const colon = payload.indexOf(':', at);
    const digits = colon < 0 ? '' : payload.slice(at, colon);
    if (digits.length > LENGTH_DIGITS_MAX || !/^\d+$/.test(digits)) throw badLength();
    const end = colon + 1 + Number(digits);
    if (end > payload.length) throw badLength();
    if (packets.length >= packetsMax) throw tooMany(packetsMax);
    if (end > colon + 1) packets.push(decodePacketText(payload.slice(colon + 1, end), 3));
    at = end;
  }
  if (payload.length === 0) throw new PacketError('EMPTY_PACKET', 'a payload is empty');
  return packets;
}

export function hasBinary(packets: readonly Packet[]): boolean {
  return packets.some(({ data }) => typeof data !== 'string');
}

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeBinaryPayloadV3(packets: readonly Packet[]): Uint8Array {
  const parts = packets.map(encodeBinaryPart);
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function encodeBinaryPart({ type, data }: Packet): Uint8Array {
  const isText = typeof data === 'string';
  const body = isText ? utf8.encode(String(type) + data) : data;
  const bytes = body.length + (isText ? 0 : 1);
  const length = String(bytes);
  const out = new Uint8Array(1 + length.length + 1 + bytes);
  out[0] = isText ? 0 : 1;
  for (let i = 0; i < length.length; i++) out[1 + i] = length.charCodeAt(i) - 48;
  out[1 + length.length] = END_OF_LENGTH;
  let at = 2 + length.length;
  if (!isText) out[at++] = type;
  out.set(body, at);
  return out;
}

/** Throws PacketError. Octets in the packets are views of `bytes`. */
export function decodeBinaryPayloadV3(bytes: Uint8Array, packetsMax = Infinity): Packet[] {
  const packets: Packet[] = [];
  let at = 0;
  while (at < bytes.length) {
    const kind = bytes[at]!;
    if (kind > 1) throw badLength();
    const { length, end } = readLength(bytes, at + 1);
    if (length < 1 || end + length > bytes.length) throw badLength();
    if (packets.length >= packetsMax) throw tooMany(packetsMax);
    const body = bytes.subarray(end, end + length);
    packets.push(kind === 0 ? decodePacketText(decodeUtf8(body), 3) : decodeOctets(body));
    at = end + length;
  }
  if (bytes.length === 0) throw new PacketError('EMPTY_PACKET', 'a payload is empty');
  return packets;
}

function readLength(bytes: Uint8Array, from: number): { length: number; end: number } {
  let length = 0;
  for (let at = from; at < bytes.length && at - from <= LENGTH_DIGITS_MAX; at++) {
    const digit = bytes[at]!;
    if (digit === END_OF_LENGTH) return { length: at === from ? 0 : length, end: at + 1 };
    if (digit > 9) break;
    length = length * 10 + digit;
  }
  throw badLength();
}

function decodeOctets(body: Uint8Array): Packet {
  // Some senders write the digit's character, most the number itself.
  const type = body[0]! <= 6 ? (body[0] as PacketType) : packetTypeOf(body[0]!);
  if (type === undefined) throw new PacketError('UNKNOWN_TYPE', `there is no packet type ${body[0]!}`);
  return { type, data: body.subarray(1) };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new PacketError('BAD_UTF8', 'a payload is not valid UTF-8');
  }
}

function badLength(): PacketError {
  return new PacketError('BAD_LENGTH', 'a payload of protocol 3 has a length that is none');
}

function tooMany(packetsMax: number): PacketError {
  return new PacketError('TOO_MANY_PACKETS', `more than ${packetsMax} packets in one payload`);
}
