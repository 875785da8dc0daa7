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
} from '../messages/packet.js';
import { PacketError } from '../messages/packet-error.js';
import { type PollingOwner, PollingTransport } from './polling-transport.js';
import type { RequestQuery } from './request-query.js';
import type { CloseReason, SessionHandler, SessionHost } from './session-host.js';
import { SessionOutput, type SessionOptions } from './session-output.js';
import { SessionTimer, type TimedSession } from './session-timer.js';
import { decodeFrame, decodeUtf8 } from './socket-packets.js';
import { Upgrade } from './upgrade.js';

const DIGIT_MESSAGE = 0x34;

/**
 * One Engine.IO session, over whichever transport it is on. It is driven by requests, frames and the timer wheel and knows no socket
 * of its own; everything that ends it goes through `#finish`, once.
 */
export class Session extends SessionOutput implements WebSocketHandler, PollingOwner, TimedSession {
  readonly #host: SessionHost;
  readonly #timer: SessionTimer;
  #handler: SessionHandler | undefined;
  #upgrade: Upgrade | undefined;

  constructor(host: SessionHost, options: SessionOptions) {
    super(options);
    this.#host = host;
    this.#timer = new SessionTimer(this, host);
  }

  get isUpgrading(): boolean {
    return this.#upgrade !== undefined;
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
    this.usePolling(polling);
    polling.hold(request, response, query);
    this.#begin(openPacket, open);
    polling.flush();
  }

  openSocket(
    socket: WebSocketConnection,
    openPacket: Packet,
    open: (session: Session) => SessionHandler,
  ): void {
    this.useSocket(socket);
    this.#begin(openPacket, open);
  }

  #begin(openPacket: Packet, open: (session: Session) => SessionHandler): void {
    this.pushPacket(openPacket);
    this.state = 'open';
    const { initialPacket } = this.#host.settings;
    if (initialPacket !== undefined) this.pushPacket(messagePacket(initialPacket));
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

  /** Ends the session: at once over WebSocket, over polling when the client has fetched what waits. `isDiscarding` drops that. */
  close(isDiscarding = false): void {
    if (this.state !== 'open' && !(isDiscarding && this.state === 'closing')) return;
    if (isDiscarding) this.polling?.takeQueue();
    if (this.state === 'open') {
      this.state = 'closing';
      this.#upgrade?.abandon();
      if (this.socket !== undefined) return this.#closeSocket('forced close', '');
      this.#timer.startClosing();
      this.polling?.send(ClosePacket);
    } else if (this.queue.length === 0) {
      this.polling?.send(ClosePacket);
    }
  }

  /** Ends the session at once. */
  terminate(reason: CloseReason, description = ''): void {
    if (this.state === 'closed') return;
    if (this.socket !== undefined) this.#closeSocket(reason, description);
    else this.#finish(reason, description);
  }

  #closeSocket(reason: CloseReason, description: string): void {
    // python-engineio tells a server's goodbye from a lost line by this packet.
    this.socket?.sendText('1');
    this.socket?.close(CloseCode.normal);
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
    this.polling?.release();
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
      this.socket?.close(CloseCode.protocolError, 'parse error');
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
    this.dropSocket();
  }

  /** A WebSocket with this session's id: the beginning of an upgrade. */
  openUpgrade(socket: WebSocketConnection): WebSocketHandler {
    const isPossible = this.polling !== undefined && this.#upgrade === undefined && this.state === 'open';
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
    const { polling } = this;
    this.#upgrade = undefined;
    this.useSocket(socket);
    polling?.answer([NoopPacket]);
    const queue = polling?.takeQueue() ?? [];
    for (const packet of queue) this.pushPacket(packet);
    this.#callHandler('upgrade', (handler) => handler.onUpgrade?.());
    if (queue.length > 0) this.#callHandler('drain', (handler) => handler.onDrain?.());
  }

  endUpgrade(): void {
    this.#upgrade = undefined;
  }

  /* Both */

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
        this.socket?.close(CloseCode.normal);
        return this.#finish('transport close', 'the client said goodbye', NoopPacket);
      default:
      // Open, upgrade and noop mean nothing here; the reference servers ignore them, too.
    }
  }

  #receivePing(packet: Packet): void {
    if (this.protocol === 4) return this.terminate('transport error', 'invalid heartbeat direction');
    if (this.state !== 'open') return;
    this.#timer.start();
    this.pushPacket({ type: PacketType.pong, data: packet.data });
    this.#callHandler('heartbeat', (handler) => handler.onHeartbeat?.());
  }

  #receivePong(): void {
    if (this.protocol === 3) return this.terminate('transport error', 'invalid heartbeat direction');
    if (this.state !== 'open' || !this.#timer.acceptPong()) return;
    this.#callHandler('heartbeat', (handler) => handler.onHeartbeat?.());
  }

  sendPing(): void {
    this.pushPacket(PingPacket);
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
    this.polling?.answer([farewell]);
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
