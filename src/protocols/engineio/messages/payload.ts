import { decodePacketText, encodePacketText, packetBytes } from './packet-codec.js';
import type { Packet } from './packet.js';
import { PacketError } from './packet-error.js';

/*
 * A polling payload of protocol 4, UTF-8:
 *
 *   packet (0x1E packet)*
 *
 * There is no escape: text that holds 0x1E cannot travel over polling, which the encoder says instead of splitting a message in two.
 */

export const SEPARATOR = '\u001e';

/** Throws PacketError SEPARATOR_IN_TEXT. */
export function encodePayload(packets: readonly Packet[]): string {
  let payload = '';
  for (const packet of packets) {
    checkPollable(packet);
    payload += payload === '' ? encodePacketText(packet) : SEPARATOR + encodePacketText(packet);
  }
  return payload;
}

/** Whether the packet can travel in a payload of protocol 4. */
export function isPollable(packet: Packet): boolean {
  return typeof packet.data !== 'string' || !packet.data.includes(SEPARATOR);
}

function checkPollable(packet: Packet): void {
  if (isPollable(packet)) return;
  throw new PacketError(
    'SEPARATOR_IN_TEXT',
    'text with the character U+001E cannot be sent over polling: send it as bytes, or over WebSocket',
  );
}

/** Throws PacketError. `packetsMax` bounds what a small payload can cost. */
export function decodePayload(payload: string, packetsMax = Infinity): Packet[] {
  const packets: Packet[] = [];
  let from = 0;
  for (;;) {
    const mark = payload.indexOf(SEPARATOR, from);
    const end = mark < 0 ? payload.length : mark;
    if (packets.length >= packetsMax) {
      throw new PacketError('TOO_MANY_PACKETS', `more than ${packetsMax} packets in one payload`);
    }
    packets.push(decodePacketText(payload.slice(from, end)));
    if (mark < 0) return packets;
    from = mark + 1;
  }
}

export interface PayloadLimits {
  readonly bytesMax: number;
  readonly packetsMax: number;
}

/** How many packets from `from` on fit into one payload: at least one, whatever its size. */
export function countFitting(packets: readonly Packet[], limits: PayloadLimits, from = 0): number {
  let bytes = 0;
  let count = 0;
  while (from + count < packets.length && count < limits.packetsMax) {
    bytes += packetBytes(packets[from + count]!) + (count === 0 ? 0 : 1);
    if (bytes > limits.bytesMax && count > 0) break;
    count++;
  }
  return count;
}
