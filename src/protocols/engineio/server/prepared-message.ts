import { encodeFrame, Opcode } from '../../../net/websocket/frame.js';
import { encodePacketText } from '../messages/packet-codec.js';
import { messagePacket, type Packet, PacketType, type ProtocolVersion } from '../messages/packet.js';

/** A message for many sessions: encoded once for each form in which it leaves. Its octets must not change any more. */
export class PreparedMessage {
  readonly packet: Packet;
  #frame: Uint8Array | undefined;
  #frameV3: Uint8Array | undefined;

  constructor(data: string | Uint8Array) {
    this.packet = messagePacket(data);
  }

  /** The WebSocket frame. */
  frame(protocol: ProtocolVersion): Uint8Array {
    const { data } = this.packet;
    if (typeof data === 'string') {
      return (this.#frame ??= encodeFrame(Opcode.text, Buffer.from(encodePacketText(this.packet))));
    }
    if (protocol === 4) return (this.#frame ??= encodeFrame(Opcode.binary, data));
    return (this.#frameV3 ??= encodeFrame(Opcode.binary, Uint8Array.of(PacketType.message), data));
  }
}
