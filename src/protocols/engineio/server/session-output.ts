import type { WebSocketConnection } from '../../../net/websocket/connection.js';
import { messagePacket, type Packet, type ProtocolVersion, type TransportName } from '../messages/packet.js';
import type { PollingTransport } from './polling-transport.js';
import type { PreparedMessage } from './prepared-message.js';
import type { SessionState } from './session-host.js';
import { type FrameFormat, sendMessageFrame, sendPacketFrame } from './socket-packets.js';

export interface SessionOptions {
  readonly id: string;
  readonly protocol: ProtocolVersion;
  /** The client's, for sessions that begin over polling. */
  readonly remoteAddress: string | undefined;
  /** The client takes no octets in WebSocket frames (`b64`). */
  readonly isTextOnly: boolean;
}

/**
 * The sending half of a session: frames of its WebSocket, or packets that wait for the client to fetch them. Sessions inherit it instead
 * of having one, since thousands of them lie idle and each object would count.
 */
export abstract class SessionOutput implements FrameFormat {
  readonly id: string;
  readonly protocol: ProtocolVersion;
  readonly isTextOnly: boolean;
  state: SessionState = 'opening';
  #socket: WebSocketConnection | undefined;
  #polling: PollingTransport | undefined;
  #remoteAddress: string | undefined;

  constructor({ id, protocol, remoteAddress, isTextOnly }: SessionOptions) {
    this.id = id;
    this.protocol = protocol;
    this.#remoteAddress = remoteAddress;
    this.isTextOnly = isTextOnly;
  }

  /** Costs a call to the system the first time. Empty if that is after the end. */
  get remoteAddress(): string {
    return (this.#remoteAddress ??= this.#socket?.remoteAddress ?? '');
  }

  get transportName(): TransportName {
    return this.#polling === undefined ? 'websocket' : 'polling';
  }

  /** Undefined once the session is on WebSocket. */
  get polling(): PollingTransport | undefined {
    return this.#polling;
  }

  /** Undefined as long as the session is on polling. */
  protected get socket(): WebSocketConnection | undefined {
    return this.#socket;
  }

  protected usePolling(polling: PollingTransport): void {
    this.#polling = polling;
  }

  protected useSocket(socket: WebSocketConnection): void {
    this.#polling = undefined;
    this.#socket = socket;
  }

  /** It has ended, and is not to be kept for as long as somebody has the session. */
  protected dropSocket(): void {
    this.#socket = undefined;
  }

  /** Packets that wait for the client to fetch them; still there after the end. */
  get queue(): readonly Packet[] {
    return this.#polling?.queue ?? NOTHING;
  }

  /** Octets that have not left. */
  get bufferedBytes(): number {
    return (this.#polling?.queueBytes ?? 0) + (this.#socket?.bufferedBytes ?? 0);
  }

  /** Dropped once the session closes. Throws PacketError for text that cannot travel over polling. */
  send(data: string | Uint8Array): void {
    if (this.state !== 'open') return;
    if (this.#socket === undefined) this.#polling?.sendMessage(messagePacket(data));
    else sendMessageFrame(this.#socket, data, this);
  }

  /** Sends a message that goes to many. */
  sendPrepared(message: PreparedMessage): void {
    if (this.state !== 'open') return;
    const { packet } = message;
    if (this.#socket === undefined) this.#polling?.sendMessage(packet);
    else if (this.isTextOnly && typeof packet.data !== 'string') this.send(packet.data);
    else this.#socket.sendFrame(message.frame(this.protocol));
  }

  /** Sends any packet, as the reference servers let applications do. */
  sendPacket(packet: Packet): void {
    if (this.state === 'open') this.pushPacket(packet);
  }

  /** Sends it whatever the session's state. */
  protected pushPacket(packet: Packet): void {
    if (this.#socket === undefined) this.#polling?.send(packet);
    else sendPacketFrame(this.#socket, packet, this);
  }
}

const NOTHING: readonly Packet[] = [];
