import type { IncomingMessage, ServerResponse } from 'node:http';

import type { WheelTask } from '../../../net/timer-wheel.js';
import { CloseCode } from '../../../net/websocket/close-code.js';
import type { WebSocketConnection, WebSocketHandler } from '../../../net/websocket/connection.js';
import {
  decodePacketBinary,
  decodePacketText,
  encodePacketBinary,
  encodePacketText,
  packetBytes,
} from '../messages/packet-codec.js';
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
import { countFitting, encodePayload, isPollable } from '../messages/payload.js';
import type { PollingChannel } from './polling-channel.js';
import type { PreparedMessage } from './prepared-message.js';
import { decodePost, readPost } from './read-post.js';
import type { RequestQuery } from './request-query.js';
import type { CloseReason, SessionHandler, SessionHost } from './session-host.js';
import { type RefusalCode, RefusalCode as Code } from './refusal.js';
import { Upgrade } from './upgrade.js';

export type SessionState = 'opening' | 'open' | 'closing' | 'closed';

export interface SessionOptions {
  readonly id: string;
  readonly protocol: ProtocolVersion;
  readonly remoteAddress: string;
  /** The client takes no octets in WebSocket frames (`b64`). */
  readonly isTextOnly: boolean;
}

/** What a request of an existing session is to be answered with, other than by the session itself. */
export type RequestVerdict = { readonly code: RefusalCode; readonly name: string } | undefined;

const DIGIT_MESSAGE = 0x34;
const MESSAGE_BYTE = Uint8Array.of(PacketType.message);

/**
 * One Engine.IO session, over whichever transport it is on. It is driven by requests, frames and the timer wheel and knows no socket
 * of its own; everything that ends it goes through `#finish`, once.
 */
export class Session implements WheelTask, WebSocketHandler {
  readonly id: string;
  readonly protocol: ProtocolVersion;
  readonly remoteAddress: string;
  wheelDueMs = Infinity;
  state: SessionState = 'opening';
  readonly #host: SessionHost;
  readonly #isTextOnly: boolean;
  #handler: SessionHandler | undefined;
  #socket: WebSocketConnection | undefined;
  #polling: PollingChannel | undefined;
  #upgrade: Upgrade | undefined;
  #queue: Packet[] = NOTHING;
  #queueBytes = 0;
  #isFlushQueued = false;
  #isPinged = false;
  #isHeard = false;

  constructor(host: SessionHost, options: SessionOptions) {
    this.#host = host;
    this.id = options.id;
    this.protocol = options.protocol;
    this.remoteAddress = options.remoteAddress;
    this.#isTextOnly = options.isTextOnly;
  }

  get transportName(): TransportName {
    return this.#polling === undefined ? 'websocket' : 'polling';
  }

  get isUpgrading(): boolean {
    return this.#upgrade !== undefined;
  }

  /** Packets that wait for the client to fetch them; still there after the end. */
  get queue(): readonly Packet[] {
    return this.#queue;
  }

  /** Octets that have not left. */
  get bufferedBytes(): number {
    return this.#queueBytes + (this.#socket?.bufferedBytes ?? 0);
  }

  /** Begins over a GET that waits. The open packet and what `open` sends leave in one answer. */
  openPolling(channel: PollingChannel, openPacket: Packet, open: (session: Session) => SessionHandler): void {
    this.#polling = channel;
    this.#begin(openPacket, open);
    this.#flushPoll();
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
    const { initialPacket, pingIntervalMs, pingTimeoutMs } = this.#host.settings;
    if (initialPacket !== undefined) this.#sendPacket(messagePacket(initialPacket));
    // Clients of protocol 3 ping, so the first one is theirs.
    this.#host.wheel.schedule(this, this.protocol === 4 ? pingIntervalMs : pingIntervalMs + pingTimeoutMs);
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
    const socket = this.#socket;
    if (socket === undefined) this.#enqueueMessage(messagePacket(data));
    else if (typeof data === 'string') socket.sendText(`4${data}`);
    else if (this.#isTextOnly) socket.sendText(encodePacketText(messagePacket(data), this.protocol));
    else if (this.protocol === 4) socket.sendBinary(data);
    else socket.sendBinary(MESSAGE_BYTE, data);
  }

  /** Sends a message that goes to many. */
  sendPrepared(message: PreparedMessage): void {
    if (this.state !== 'open') return;
    const { packet } = message;
    if (this.#socket === undefined) this.#enqueueMessage(packet);
    else if (this.#isTextOnly && typeof packet.data !== 'string') this.send(packet.data);
    else this.#socket.sendFrame(message.frame(this.protocol));
  }

  /** Sends any packet, as the reference servers let applications do. */
  sendPacket(packet: Packet): void {
    if (this.state === 'open') this.#sendPacket(packet);
  }

  /** Ends the session: at once over WebSocket, over polling when the client has fetched what waits. `isDiscarding` drops that. */
  close(isDiscarding = false): void {
    if (this.state !== 'open' && !(isDiscarding && this.state === 'closing')) return;
    if (isDiscarding) this.#dropQueue();
    if (this.state === 'open') {
      this.state = 'closing';
      this.#upgrade?.abandon();
      if (this.#socket !== undefined) return this.#closeSocket('forced close', '');
      this.#host.wheel.schedule(this, this.#host.settings.closeTimeoutMs);
      this.#enqueue(ClosePacket);
    } else if (this.#queue.length === 0) {
      this.#enqueue(ClosePacket);
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

  /** A GET. The session answers it, now or later, unless it returns a refusal. */
  receivePoll(request: IncomingMessage, response: ServerResponse, query: RequestQuery): RequestVerdict {
    const channel = this.#polling;
    if (channel === undefined) return { code: Code.badRequest, name: 'TRANSPORT_MISMATCH' };
    if (channel.isWaiting) {
      this.#finish('transport error', 'overlap from client');
      return { code: Code.badRequest, name: 'OVERLAP' };
    }
    channel.hold(request, response, query, () => this.#finish('transport error', 'the client ended a poll'));
    if (this.#queue.length > 0) this.#flushPoll();
    else if (this.#upgrade?.wantsPolls === false && this.#upgrade.holdPoll() === 'answer') this.releasePoll();
    return undefined;
  }

  /** A POST. The session answers it with `respond`, unless it returns a refusal. */
  receivePost(
    request: IncomingMessage,
    query: RequestQuery,
    respond: (status: number, body: string) => void,
  ): RequestVerdict {
    const channel = this.#polling;
    if (channel === undefined) return { code: Code.badRequest, name: 'TRANSPORT_MISMATCH' };
    if (channel.isPosting) {
      this.#finish('transport error', 'overlap from client');
      return { code: Code.badRequest, name: 'OVERLAP' };
    }
    channel.isPosting = true;
    readPost(request, this.#host.settings.maxPayloadBytes, (outcome) => {
      channel.isPosting = false;
      if (outcome.kind === 'aborted') this.#finish('transport error', 'the client ended a POST');
      else if (outcome.kind === 'too large') respond(413, 'the payload is too large');
      else this.#acceptPost(request, outcome.bytes, query.jsonp !== undefined, respond);
    });
    return undefined;
  }

  #acceptPost(
    request: IncomingMessage,
    bytes: Buffer,
    isJsonp: boolean,
    respond: (status: number, body: string) => void,
  ): void {
    let packets: readonly Packet[];
    try {
      packets = decodePost(bytes, this.protocol, request.headers['content-type'], isJsonp);
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      respond(400, error.message);
      this.#finish('parse error', error.message);
      return;
    }
    for (const packet of packets) this.#receiveSafely(packet);
    if (this.state === 'open') this.#callHandler('turn', (handler) => handler.onTurnEnd?.());
    respond(200, 'ok');
  }

  /** Lets a waiting GET go with nothing, so that the client can stop polling. */
  releasePoll(): void {
    if (this.#queue.length > 0) this.#flushPoll();
    else this.#polling?.answer([NoopPacket], this.id);
  }

  #enqueueMessage(packet: Packet): void {
    if (this.protocol === 4 && !isPollable(packet)) encodePayload([packet]);
    this.#enqueue(packet);
  }

  #enqueue(packet: Packet): void {
    if (this.#queue === NOTHING) this.#queue = [];
    this.#queue.push(packet);
    this.#queueBytes += packetBytes(packet);
    if (this.#queueBytes > this.#host.settings.queueBytesMax) {
      return this.#finish('transport error', 'the client does not fetch what it is sent');
    }
    if (this.#isFlushQueued || this.#polling?.isWaiting !== true || this.state === 'opening') return;
    this.#isFlushQueued = true;
    this.#host.turns.beforeFlush(() => {
      this.#isFlushQueued = false;
      this.#flushPoll();
    });
  }

  #flushPoll(): void {
    const channel = this.#polling;
    const count = this.#queue.length;
    if (channel === undefined || !channel.isWaiting || count === 0 || this.state === 'closed') return;
    const fitting = countFitting(this.#queue, channel.limits);
    const packets = fitting === count ? this.#queue : this.#queue.splice(0, fitting);
    if (fitting === count) this.#dropQueue();
    else for (const packet of packets) this.#queueBytes -= packetBytes(packet);
    channel.answer(packets, this.id);
    if (this.#queue.length > 0) return;
    this.#callHandler('drain', (handler) => handler.onDrain?.());
    if (this.state === 'closing') this.#finish('forced close', '');
  }

  #dropQueue(): void {
    this.#queue = NOTHING;
    this.#queueBytes = 0;
  }

  /* WebSocket */

  onMessage(data: Uint8Array, isText: boolean): void {
    this.#isHeard = true;
    if (isText && data[0] === DIGIT_MESSAGE) {
      if (this.state !== 'open') return;
      const text = asBuffer(data).toString('utf8', 1);
      this.#handler?.onPacket?.({ type: PacketType.message, data: text });
      this.#handler?.onMessage(text);
      return;
    }
    let packet: Packet;
    try {
      packet = isText
        ? decodePacketText(asBuffer(data).toString('utf8'), this.protocol)
        : decodePacketBinary(data, this.protocol);
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
    const channel = this.#polling;
    this.#upgrade = undefined;
    this.#polling = undefined;
    this.#socket = socket;
    channel?.answer([NoopPacket], this.id);
    const queue = this.#queue;
    this.#dropQueue();
    for (const packet of queue) this.#sendPacket(packet);
    this.#callHandler('upgrade', (handler) => handler.onUpgrade?.());
    if (queue.length > 0) this.#callHandler('drain', (handler) => handler.onDrain?.());
  }

  endUpgrade(): void {
    this.#upgrade = undefined;
  }

  /* Both */

  #sendPacket(packet: Packet): void {
    const socket = this.#socket;
    const { data } = packet;
    if (socket === undefined) this.#enqueue(packet);
    else if (typeof data === 'string' || this.#isTextOnly)
      socket.sendText(encodePacketText(packet, this.protocol));
    else socket.sendBinary(encodePacketBinary({ ...packet, data }, this.protocol));
  }

  #receiveSafely(packet: Packet): void {
    try {
      this.#receive(packet);
    } catch (error) {
      this.#host.onError(error, 'message');
      this.terminate('transport error', 'internal error');
    }
  }

  #receive(packet: Packet): void {
    if (this.state === 'closed') return;
    this.#isHeard = true;
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
    if (this.protocol === 4) {
      return this.terminate('transport error', 'invalid heartbeat direction');
    }
    if (this.state !== 'open') return;
    const { pingIntervalMs, pingTimeoutMs } = this.#host.settings;
    this.#host.wheel.schedule(this, pingIntervalMs + pingTimeoutMs);
    this.#sendPacket({ type: PacketType.pong, data: packet.data });
    this.#callHandler('heartbeat', (handler) => handler.onHeartbeat?.());
  }

  #receivePong(): void {
    if (this.protocol === 3) return this.terminate('transport error', 'invalid heartbeat direction');
    if (!this.#isPinged || this.state !== 'open') return;
    this.#isPinged = false;
    this.#host.wheel.schedule(this, this.#host.settings.pingIntervalMs);
    this.#callHandler('heartbeat', (handler) => handler.onHeartbeat?.());
  }

  /** Time for a ping, or the end of patience. */
  onWheelDue(): void {
    if (this.state === 'closing') return this.#finish('forced close', 'the client did not fetch the rest');
    const { pingIntervalMs, pingTimeoutMs } = this.#host.settings;
    if (this.protocol === 3) return this.terminate('ping timeout');
    if (!this.#isPinged) {
      this.#isPinged = true;
      this.#isHeard = false;
      this.#host.wheel.schedule(this, pingTimeoutMs);
      this.#sendPacket(PingPacket);
    } else if (this.#isHeard) {
      // Whoever talks is alive; only his pong is late.
      this.#isPinged = false;
      this.#host.wheel.schedule(this, pingIntervalMs);
    } else this.terminate('ping timeout');
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
    this.#host.wheel.cancel(this);
    this.#host.forget(this);
    this.#upgrade?.abandon();
    this.#polling?.answer([farewell], this.id);
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

// Shared by all sessions with nothing queued; never changed.
const NOTHING: Packet[] = [];

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.length);
}
