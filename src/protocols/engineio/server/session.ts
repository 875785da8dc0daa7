import type { IncomingMessage, ServerResponse } from 'node:http';

import { CloseCode } from '../../../net/websocket/close-code.js';
import type { WebSocketConnection, WebSocketHandler } from '../../../net/websocket/connection.js';
import {
  ClosePacket,
  messagePacket,
  NoopPacket,
  type Packet,
  PacketType,
  PingPacket,
  type ProtocolVersion,
  type TransportName,
} from '../messages/packet.js';
import { PacketError } from '../messages/packet-error.js';
import { type PollingOwner, PollingTransport } from './polling-transport.js';
import type { PreparedMessage } from './prepared-message.js';
import type { RequestQuery } from './request-query.js';
import type { CloseReason, SessionHandler, SessionHost, SessionState } from './session-host.js';
import { SessionTimer, type TimedSession } from './session-timer.js';
import {
  decodeFrame,
  decodeUtf8,
  type FrameFormat,
  sendMessageFrame,
  sendPacketFrame,
} from './socket-packets.js';
import { Upgrade } from './upgrade.js';

export interface SessionOptions {
  readonly id: string;
  readonly protocol: ProtocolVersion;
  /** The client's, for sessions that begin over polling. */
  readonly remoteAddress: string | undefined;
  /** The client takes no octets in WebSocket frames (`b64`). */
  readonly isTextOnly: boolean;
}

const DIGIT_MESSAGE = 0x34;

/**
 * One Engine.IO session, over whichever transport it is on. It is driven by requests, frames and the timer wheel and knows no socket
 * of its own; everything that ends it goes through `#finish`, once.
 */
export class Session implements WebSocketHandler, PollingOwner, TimedSession, FrameFormat {
  readonly id: string;
  readonly protocol: ProtocolVersion;
  readonly isTextOnly: boolean;
  state: SessionState = 'opening';
  readonly #host: SessionHost;
  readonly #timer: SessionTimer;
  #handler: SessionHandler | undefined;
  #socket: WebSocketConnection | undefined;
  #polling: PollingTransport | undefined;
  #upgrade: Upgrade | undefined;
  #remoteAddress: string | undefined;

  constructor(host: SessionHost, options: SessionOptions) {
    this.#host = host;
    this.id = options.id;
    this.protocol = options.protocol;
    this.#remoteAddress = options.remoteAddress;
    this.isTextOnly = options.isTextOnly;
    this.#timer = new SessionTimer(this, host);
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

  get isUpgrading(): boolean {
    return this.#upgrade !== undefined;
  }

  /** Packets that wait for the client to fetch them; still there after the end. */
  get queue(): readonly Packet[] {
    return this.#polling?.queue ?? NOTHING;
  }

  /** Octets that have not left. */
  get bufferedBytes(): number {
    return (this.#polling?.queueBytes ?? 0) + (this.#socket?.bufferedBytes ?? 0);
  }

  /** Begins over a GET that waits. The open packet and what `open` sends leave in one answer. */
  openPolling(
    request: IncomingMessage,
    response: ServerResponse,
    query: RequestQuery,
    openPacket: Packet,
    open: (session: Session) => SessionHandler,
  ): void {
    const polling = new PollingTransport(this, this.#host, request.headers['user-agent']);
    this.#polling = polling;
    polling.hold(request, response, query);
    this.#begin(openPacket, open);
    polling.flush();
  }

  openSocket(
    socket: WebSocketConnection,
    openPacket: Packet,
    open: (session: Session) => SessionHandler,
  ): void {
    this.#socket = socket;
    this.#begin(openPacket, open);
  }

  #begin(openPacket: Packet, open: (session: Session) => SessionHandler): void {
    this.#sendPacket(openPacket);
    this.state = 'open';
    const { initialPacket } = this.#host.settings;
    if (initialPacket !== undefined) this.#sendPacket(messagePacket(initialPacket));
    this.#timer.start();
    try {
      this.#handler = open(this);
    } catch (error) {
      this.#host.onError(error, 'open');
      this.close(true);
    }
    // Ended by its own beginning: the handler that came of it hears so.
    if (this.#isClosed()) this.#tellEnd('forced close', '');
  }

  #isClosed(): boolean {
    return this.state === 'closed';
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
    if (this.state === 'open') this.#sendPacket(packet);
  }

  /** Ends the session: at once over WebSocket, over polling when the client has fetched what waits. `isDiscarding` drops that. */
  close(isDiscarding = false): void {
    if (this.state !== 'open' && !(isDiscarding && this.state === 'closing')) return;
    if (isDiscarding) this.#polling?.takeQueue();
    if (this.state === 'open') {
      this.state = 'closing';
      this.#upgrade?.abandon();
      if (this.#socket !== undefined) return this.#closeSocket('forced close', '');
      this.#timer.startClosing();
      this.#polling?.send(ClosePacket);
    } else if (this.queue.length === 0) {
      this.#polling?.send(ClosePacket);
    }
  }

  /** Ends the session at once. */
  terminate(reason: CloseReason, description = ''): void {
    if (this.state === 'closed') return;
    if (this.#socket !== undefined) this.#closeSocket(reason, description);
    else this.#finish(reason, description);
  }

  #closeSocket(reason: CloseReason, description: string): void {
    // python-engineio tells a server's goodbye from a lost line by this packet.
    this.#socket?.sendText('1');
    this.#socket?.close(CloseCode.normal);
    this.#finish(reason, description);
  }

  /* Polling */

  receivePacket(packet: Packet): void {
    try {
      this.#receive(packet);
    } catch (error) {
      this.#host.onError(error, 'message');
      this.terminate('transport error', 'internal error');
    }
  }

  endPost(): void {
    if (this.state === 'open') this.#callHandler('turn', (handler) => handler.onTurnEnd?.());
  }

  onPollHeld(): void {
    const upgrade = this.#upgrade;
    if (upgrade?.wantsPolls === false && upgrade.holdPoll() === 'answer') this.releasePoll();
  }

  onFetched(): void {
    this.onDrain();
    if (this.state === 'closing') this.#finish('forced close', '');
  }

  fail(reason: CloseReason, description: string): void {
    this.#finish(reason, description);
  }

  /** Lets a GET that waits go, so that the client can stop polling. */
  releasePoll(): void {
    this.#polling?.release();
  }

  /* WebSocket */

  onMessage(data: Uint8Array, isText: boolean): void {
    this.#timer.isHeard = true;
    if (isText && data[0] === DIGIT_MESSAGE) {
      if (this.state !== 'open') return;
      const text = decodeUtf8(data, 1);
      this.#handler?.onPacket?.({ type: PacketType.message, data: text });
      this.#handler?.onMessage(text);
      return;
    }
    let packet: Packet;
    try {
      packet = decodeFrame(data, isText, this.protocol);
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      this.#socket?.close(CloseCode.protocolError, 'parse error');
      this.#finish('parse error', error.message);
      return;
    }
    this.#receive(packet);
  }

  onTurnEnd(): void {
    if (this.state === 'open') this.#handler?.onTurnEnd?.();
  }

  onOverflow(): void {
    this.#callHandler('overflow', (handler) => handler.onOverflow?.());
  }

  onDrain(): void {
    this.#callHandler('drain', (handler) => handler.onDrain?.());
  }

  onClose(code: number, reason: string): void {
    const isError = code === CloseCode.protocolError || (code >= 1007 && code <= 1015);
    this.#finish(isError ? 'transport error' : 'transport close', reason === '' ? `code ${code}` : reason);
    this.#socket = undefined;
  }

  /** A WebSocket with this session's id: the beginning of an upgrade. */
  openUpgrade(socket: WebSocketConnection): WebSocketHandler {
    const isPossible = this.#polling !== undefined && this.#upgrade === undefined && this.state === 'open';
    const upgrade = new Upgrade(this, socket, this.#host, isPossible);
    if (isPossible) this.#upgrade = upgrade;
    return upgrade;
  }

  /** The client's probe has come: it will now stop polling. */
  beginUpgrade(): void {
    this.#callHandler('upgrading', (handler) => handler.onUpgrading?.());
    this.releasePoll();
  }

  completeUpgrade(socket: WebSocketConnection): void {
    const polling = this.#polling;
    this.#upgrade = undefined;
    this.#polling = undefined;
    this.#socket = socket;
    polling?.answer([NoopPacket]);
    const queue = polling?.takeQueue() ?? NOTHING;
    for (const packet of queue) this.#sendPacket(packet);
    this.#callHandler('upgrade', (handler) => handler.onUpgrade?.());
    if (queue.length > 0) this.#callHandler('drain', (handler) => handler.onDrain?.());
  }

  endUpgrade(): void {
    this.#upgrade = undefined;
  }

  /* Both */

  #sendPacket(packet: Packet): void {
    if (this.#socket === undefined) this.#polling?.send(packet);
    else sendPacketFrame(this.#socket, packet, this);
  }

  #receive(packet: Packet): void {
    if (this.state === 'closed') return;
    this.#timer.isHeard = true;
    this.#handler?.onPacket?.(packet);
    switch (packet.type) {
      case PacketType.message:
        if (this.state === 'open') this.#handler?.onMessage(packet.data);
        return;
      case PacketType.ping:
        return this.#receivePing(packet);
      case PacketType.pong:
        return this.#receivePong();
      case PacketType.close:
        this.#socket?.close(CloseCode.normal);
        return this.#finish('transport close', 'the client said goodbye', NoopPacket);
      default:
      // Open, upgrade and noop mean nothing here; the reference servers ignore them, too.
    }
  }

  #receivePing(packet: Packet): void {
    if (this.protocol === 4) return this.terminate('transport error', 'invalid heartbeat direction');
    if (this.state !== 'open') return;
    this.#timer.start();
    this.#sendPacket({ type: PacketType.pong, data: packet.data });
    this.#callHandler('heartbeat', (handler) => handler.onHeartbeat?.());
  }

  #receivePong(): void {
    if (this.protocol === 3) return this.terminate('transport error', 'invalid heartbeat direction');
    if (this.state !== 'open' || !this.#timer.acceptPong()) return;
    this.#callHandler('heartbeat', (handler) => handler.onHeartbeat?.());
  }

  sendPing(): void {
    this.#sendPacket(PingPacket);
  }

  onPingTimeout(): void {
    this.terminate('ping timeout');
  }

  onCloseTimeout(): void {
    this.#finish('forced close', 'the client did not fetch the rest');
  }

  #callHandler(where: string, call: (handler: SessionHandler) => void): void {
    if (this.#handler === undefined) return;
    try {
      call(this.#handler);
    } catch (error) {
      this.#host.onError(error, where);
      this.terminate('transport error', 'internal error');
    }
  }

  /** The one way to the end; a GET that waits hears `farewell`. */
  #finish(reason: CloseReason, description: string, farewell: Packet = ClosePacket): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#timer.stop();
    this.#host.forget(this);
    this.#upgrade?.abandon();
    this.#polling?.answer([farewell]);
    this.#tellEnd(reason, description);
  }

  #tellEnd(reason: CloseReason, description: string): void {
    const handler = this.#handler;
    this.#handler = undefined;
    try {
      handler?.onClose(reason, description);
    } catch (error) {
      this.#host.onError(error, 'close');
    }
  }
}

const NOTHING: readonly Packet[] = [];
