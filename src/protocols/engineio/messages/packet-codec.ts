import { base64Length, decodeBase64, encodeBase64 } from './base64.js';
import { type Packet, PacketType, packetTypeOf, type ProtocolVersion } from './packet.js';
import { PacketError } from './packet-error.js';

/*
 * One packet:
 *
 *   where                  text                  octets, v4               octets, v3
 *   WebSocket text frame   digit, text           `b`, base64              `b`, digit, base64
 *   WebSocket binary       -                     the octets (a message)   type (1 byte, 0-6), the octets
 *   polling                as a text frame       `b`, base64              see payload-v3.ts
 */

const BASE64_MARK = 'b';
const BASE64_CODE = 98;

/** As text: what a WebSocket text frame or a part of a polling payload holds. */
export function encodePacketText(packet: Packet, protocol: ProtocolVersion = 4): string {
  const { type, data } = packet;
  if (typeof data === 'string') return String(type) + data;
  const mark = protocol === 4 ? BASE64_MARK : BASE64_MARK + String(type);
  return mark + encodeBase64(data);
}

/** Throws PacketError. */
export function decodePacketText(text: string, protocol: ProtocolVersion = 4): Packet {
  if (text.length === 0) throw new PacketError('EMPTY_PACKET', 'a packet is empty');
  const first = text.charCodeAt(0);
  if (first === BASE64_CODE) return decodeBase64Packet(text, protocol);
  return { type: typeAt(text, 0), data: text.length === 1 ? '' : text.slice(1) };
}

function decodeBase64Packet(text: string, protocol: ProtocolVersion): Packet {
  if (protocol === 4) return { type: PacketType.message, data: decodeBase64(text, 1) };
  return { type: typeAt(text, 1), data: decodeBase64(text, 2) };
}

function typeAt(text: string, at: number): PacketType {
  const type = packetTypeOf(text.charCodeAt(at));
  if (type === undefined) throw unknownType(text.charAt(at));
  return type;
}

/** The content of a WebSocket binary frame. */
export function encodePacketBinary(
  packet: Packet & { data: Uint8Array },
  protocol: ProtocolVersion,
): Uint8Array {
  if (protocol === 4) return packet.data;
  const bytes = new Uint8Array(1 + packet.data.length);
  bytes[0] = packet.type;
  bytes.set(packet.data, 1);
  return bytes;
}

/** `bytes` stays the caller's: the packet's data is a view of it. Throws PacketError. */
export function decodePacketBinary(bytes: Uint8Array, protocol: ProtocolVersion): Packet {
  if (protocol === 4) return { type: PacketType.message, data: bytes };
  const type = bytes[0];
  if (type === undefined) throw new PacketError('EMPTY_PACKET', 'a packet is empty');
  if (type > 6) throw unknownType(String(type));
  return { type: type as PacketType, data: bytes.subarray(1) };
}

function unknownType(digit: string): PacketError {
  return new PacketError('UNKNOWN_TYPE', `there is no packet type ${JSON.stringify(digit)}`);
}

/** Octets of the UTF-8 form; a lone surrogate counts as the three octets of U+FFFD. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    else if (code >= 0xd800 && code <= 0xdbff && isLowSurrogate(text.charCodeAt(i + 1))) {
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** Octets that a packet takes in a polling payload of protocol 4, without the separator. */
export function packetBytes(packet: Packet): number {
  return 1 + (typeof packet.data === 'string' ? utf8Length(packet.data) : base64Length(packet.data.length));
}
