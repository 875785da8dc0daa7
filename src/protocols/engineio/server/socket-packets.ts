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
  return isText ? decodePacketText(decodeUtf8(data), protocol) : decodePacketBinary(data, protocol);
}

/** Valid UTF-8 from `start` on, as text. */
export function decodeUtf8(bytes: Uint8Array, start = 0): string {
  return utf8Slice.call(bytes, start, bytes.length);
}

/** Node's own slice works on any Uint8Array: making a Buffer of each message's octets first takes longer than reading them (165 ns, not 65). */
type Utf8Slice = (this: Uint8Array, start: number, end: number) => string;
const utf8Slice: Utf8Slice =
  (Buffer.prototype as { readonly utf8Slice?: Utf8Slice }).utf8Slice ??
  function utf8Slice(this: Uint8Array, start, end) {
    return Buffer.from(this.buffer, this.byteOffset, this.length).toString('utf8', start, end);
  };
