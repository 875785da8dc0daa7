import type { WebSocketConnection } from '../../../net/websocket/connection.js';
import {
  decodePacketBinary,
  decodePacketText,
  encodePacketBinary,
  encodePacketText,
} from '../messages/packet-codec.js';
import { messagePacket, type Packet, PacketType, type ProtocolVersion } from '../messages/packet.js';

/* Packets in the frames of a session's WebSocket. */

const MESSAGE_BYTE = Uint8Array.of(PacketType.message);

/** How a session's frames look. */
export interface FrameFormat {
  readonly protocol: ProtocolVersion;
  /** The client takes no octets in WebSocket frames (`b64`). */
  readonly isTextOnly: boolean;
}

/** Without making a packet of it: this is what sessions mostly do. */
export function sendMessageFrame(
  socket: WebSocketConnection,
  data: string | Uint8Array,
  { protocol, isTextOnly }: FrameFormat,
): void {
  if (typeof data === 'string') socket.sendText(`4${data}`);
  else if (isTextOnly) socket.sendText(encodePacketText(messagePacket(data), protocol));
  else if (protocol === 4) socket.sendBinary(data);
  else socket.sendBinary(MESSAGE_BYTE, data);
}

export function sendPacketFrame(socket: WebSocketConnection, packet: Packet, format: FrameFormat): void {
  const { type, data } = packet;
  if (typeof data === 'string' || format.isTextOnly)
    socket.sendText(encodePacketText(packet, format.protocol));
  else socket.sendBinary(encodePacketBinary({ type, data }, format.protocol));
}

/** Throws PacketError. */
export function decodeFrame(data: Uint8Array, isText: boolean, protocol: ProtocolVersion): Packet {
  return isText
    ? decodePacketText(asBuffer(data).toString('utf8'), protocol)
    : decodePacketBinary(data, protocol);
}

export function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.length);
}
