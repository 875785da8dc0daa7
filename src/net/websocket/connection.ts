import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import type { WebSocketLimits } from '../net-limits.js';
import type { TimerWheel, WheelTask } from '../timer-wheel.js';
import type { Flushable, TurnFlusher } from '../turn-flusher.js';
import type { BufferJoiner } from './buffer-joiner.js';
import { CloseCode, cutReason } from './close-code.js';
import { Opcode } from './frame.js';
import { FrameReceiver, type FrameSink } from './frame-receiver.js';
import type { OutputArena } from './output-queue.js';
import { readIntoShared } from './shared-read.js';
import { SocketOutput } from './socket-output.js';

/** What an application protocol sees of a WebSocket. Everything sent after the end is silently dropped. */
export interface WebSocketConnection {
  /** The subprotocol that was agreed on; empty if none. */
  readonly protocol: string;
  /** Costs a call to the system the first time. Empty if that is after the end. */
  readonly remoteAddress: string;
  /** Octets that the peer's kernel has not taken yet. */
  readonly bufferedBytes: number;
  /** From the handshake until either side closes. */
  readonly isOpen: boolean;
  /** One message made of the parts. Leaves when the turn ends. Parts of 4 KiB and more must not change any more. */
  sendBinary(...parts: Uint8Array[]): void;
  sendText(text: string): void;
  /** A frame from `encodeFrame`, which any number of connections may share. It must not change any more. */
  sendFrame(frame: Uint8Array): void;
  /** Sends what is queued, then a close frame; the socket ends when the peer has answered or was given up. */
  close(code?: number, reason?: string): void;
  /** Ends the socket at once. */
  destroy(): void;
}

/** An application protocol's half. What it throws closes its own connection with 1011. */
export interface WebSocketHandler {
  /** The view is good during the call only (it may be sent). If `isText`, it is valid UTF-8. */
  onMessage(data: Uint8Array, isText: boolean): void;
  /** All messages of a chunk were delivered, nothing was written yet: the place to join replies. */
  onTurnEnd?(): void;
  /** The peer has caught up after `onOverflow`. */
  onDrain?(): void;
  /** More than `sendSoftBytes` wait for the peer: send less, or drop and resynchronise after `onDrain`. */
  onOverflow?(): void;
  /** Once, when the socket is gone: the peer's code, or ours if it sent none, or 1006. */
  onClose(code: number, reason: string): void;
}

/** What connections of one listener share. */
export interface ConnectionHost {
  readonly turns: TurnFlusher;
  readonly wheel: TimerWheel;
  readonly arena: OutputArena;
  readonly joiner: BufferJoiner;
  readonly connections: Set<ServerConnection>;
  /** Counts `successor` among the listener's sockets in place of `former`, until `untrack`. */
  track(former: Socket, successor: Socket): void;
  /** The socket is closed. */
  untrack(socket: Duplex): void;
  onError(error: unknown, where: string): void;
}

const kConnection = Symbol('connection');
type OwnedSocket = Duplex & { [kConnection]?: ServerConnection; remoteAddress?: string | undefined };

const State = { open: 0, closing: 1, ended: 2 } as const;
type State = (typeof State)[keyof typeof State];

export class ServerConnection implements WebSocketConnection, FrameSink, Flushable, WheelTask {
  readonly protocol: string;
  wheelDueMs = Infinity;

  #socket: OwnedSocket;
  readonly #host: ConnectionHost;
  readonly #limits: WebSocketLimits;
  readonly #receiver: FrameReceiver;
  readonly #output: SocketOutput;
  #handler: WebSocketHandler | undefined;
  #state: State = State.open;
  #isQueued = false;
  #isOverflowing = false;
  #isPaused = false;
  #isDelivering = false;
  #hasPeerClosed = false;
  #isPongDue = false;
  #closeCode: number = CloseCode.abnormal;
  #closeReason = '';
  #closingSinceMs = 0;
  #heardMs: number;
  #pingedMs: number;
  #messageSinceMs = Infinity;

  constructor(socket: Duplex, protocol: string, host: ConnectionHost, limits: WebSocketLimits) {
    this.#socket = socket;
    this.protocol = protocol;
    this.#host = host;
    this.#limits = limits;
    this.#receiver = new FrameReceiver(this, limits);
    this.#output = new SocketOutput(socket, host.arena, host.joiner);
    this.#heardMs = this.#pingedMs = host.wheel.nowMs;
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  get isOpen(): boolean {
    return this.#state === State.open;
  }

  get bufferedBytes(): number {
    return this.#output.unsentBytes;
  }

  /** Takes the socket over. `head` is what had come behind the request. */
  start(handler: WebSocketHandler, head: Uint8Array): void {
    this.#handler = handler;
    const socket = this.#socket;
    this.#listenTo(socket);
    socket.on('data', onSocketData);
    this.#host.connections.add(this);
    this.#scheduleHeartbeat();
    if (head.length > 0) this.receive(head);
  }

  /**
   * Has reads land in memory that all connections share, where that can be. Done when the first chunk has come: who never
   * says anything is not worth a second socket.
   */
  readIntoShared(): void {
    if (this.#state !== State.open || this.#isPaused || this.#socket.writableLength > 0) return;
    const former = this.#socket;
    const adopted = readIntoShared(former, this.#host.arena.readMemory, this);
    if (adopted === undefined) return;
    former.removeAllListeners('close').removeAllListeners('end').removeAllListeners('drain');
    this.#socket = this.#output.socket = adopted.successor;
    this.#listenTo(adopted.successor);
    this.#host.track(former as Socket, adopted.successor);
    if (adopted.early !== undefined) this.receive(adopted.early);
  }

  #listenTo(socket: OwnedSocket): void {
    socket[kConnection] = this;
    socket.on('end', onSocketEnd);
    socket.on('drain', onSocketDrain);
    socket.on('close', onSocketClose);
  }

  /** Gives the socket back before `start`, with nothing written. */
  abandon(): void {
    this.#state = State.ended;
    this.#output.discard();
  }

  /** Queues latin1 text that is no frame: the answer to the handshake. */
  sendRaw(text: string): void {
    this.#output.pushRaw(text);
    this.#requestFlush();
  }

  sendBinary(...parts: Uint8Array[]): void {
    if (!this.#canSend()) return;
    this.#output.pushMessage(Opcode.binary, parts);
    this.#requestFlush();
  }

  sendText(text: string): void {
    if (!this.#canSend()) return;
    this.#output.pushText(Opcode.text, text);
    this.#requestFlush();
  }

  sendFrame(frame: Uint8Array): void {
    if (!this.#canSend()) return;
    this.#output.pushShared(frame);
    this.#requestFlush();
  }

  close(code: number = CloseCode.normal, reason = ''): void {
    if (this.#state !== State.open) return;
    this.#closeCode = code;
    this.#closeReason = reason;
    this.#sendClose(code, reason);
  }

  destroy(): void {
    if (this.#state === State.ended) return;
    this.#state = State.ended;
    this.#receiver.stop();
    this.#output.discard();
    this.#socket.destroy();
  }

  /** The next chunk of the stream. */
  receive(chunk: Uint8Array): void {
    const nowMs = this.#host.wheel.nowMs;
    this.#heardMs = nowMs;
    if (this.#state === State.ended) return;
    this.#isDelivering = false;
    try {
      this.#receiver.receive(chunk);
      if (this.#isDelivering) this.#handler?.onTurnEnd?.();
    } catch (error) {
      this.#failHandler(error, 'message');
    }
    this.#watchMessage(nowMs);
  }

  onMessage(data: Uint8Array, isText: boolean): void {
    // After our close frame nothing is delivered any more; what the peer had under way is of no use.
    if (this.#state !== State.open) return;
    this.#isDelivering = true;
    this.#messageSinceMs = Infinity;
    this.#handler!.onMessage(data, isText);
  }

  onPing(data: Uint8Array): void {
    if (!this.#canSend()) return;
    this.#output.pushMessage(Opcode.pong, [data]);
    this.#requestFlush();
  }

  onPong(): void {
    this.#isPongDue = false;
  }

  onCloseFrame(code: number, reason: string): void {
    this.#hasPeerClosed = true;
    this.#closeCode = code;
    this.#closeReason = reason;
    if (this.#state === State.open) this.#sendClose(code === CloseCode.none ? undefined : code, '');
    else this.#requestFlush();
  }

  onViolation(code: number, reason: string): void {
    // Nothing that comes after a violation can be understood, a close frame included.
    this.#hasPeerClosed = true;
    this.#receiver.stop();
    this.close(code, reason);
    this.#requestFlush();
  }

  flushTurn(): void {
    this.#isQueued = false;
    if (this.#state === State.ended) return;
    this.#output.flush();
    this.#checkOverflow();
    if (this.#state === State.closing && this.#hasPeerClosed && !this.#output.isBehind) this.#socket.end();
  }

  onDrained(): void {
    if (this.#state === State.ended) return;
    // Somebody who reads is alive, even if we do not read him.
    this.#heardMs = this.#host.wheel.nowMs;
    if (this.#output.isBehind) {
      this.#output.catchUp();
      if (!this.#output.isBehind) this.#requestFlush();
    }
    if (this.#isOverflowing && this.bufferedBytes <= this.#limits.sendSoftBytes / 2) this.#endOverflow();
  }

  onPeerEnd(): void {
    if (this.#state === State.ended) return;
    // Half a WebSocket is none: without a close frame this is 1006, whatever is still queued may leave.
    if (this.#output.unsentBytes === 0) return this.destroy();
    this.#hasPeerClosed = true;
    this.#receiver.stop();
    if (this.#state === State.open) this.#beginClosing();
    this.#requestFlush();
  }

  onSocketGone(): void {
    this.#state = State.ended;
    this.#host.wheel.cancel(this);
    this.#host.connections.delete(this);
    this.#host.untrack(this.#socket);
    this.#receiver.stop();
    this.#output.discard();
    const handler = this.#handler;
    this.#handler = undefined;
    try {
      handler?.onClose(this.#closeCode, this.#closeReason);
    } catch (error) {
      this.#host.onError(error, 'close');
    }
  }

  /** Heartbeat, or the end of patience with a closing peer. */
  onWheelDue(nowMs: number): void {
    if (this.#state === State.closing) return this.#checkClosing(nowMs);
    const { pingMs, idleMs, messageMs } = this.#limits;
    if (idleMs > 0 && nowMs - this.#heardMs >= idleMs) return this.destroy();
    if (nowMs - this.#messageSinceMs >= messageMs) {
      return this.onViolation(CloseCode.policyViolation, `message not complete within ${messageMs} ms`);
    }
    if (pingMs > 0 && nowMs - this.#pingedMs >= pingMs) {
      this.#pingedMs = nowMs;
      if (!this.#isPongDue) {
        this.#isPongDue = true;
        this.#output.pushMessage(Opcode.ping, []);
        this.#requestFlush();
      }
    }
    this.#scheduleHeartbeat();
  }

  #scheduleHeartbeat(): void {
    const { pingMs, idleMs, messageMs } = this.#limits;
    const dueMs = Math.min(
      pingMs > 0 ? this.#pingedMs + pingMs : Infinity,
      idleMs > 0 ? this.#heardMs + idleMs : Infinity,
      this.#messageSinceMs + messageMs,
    );
    if (dueMs < Infinity) this.#host.wheel.schedule(this, dueMs - this.#host.wheel.nowMs);
  }

  /** Notes since when an unfinished message is under way. */
  #watchMessage(nowMs: number): void {
    if (!this.#receiver.isMidMessage) {
      this.#messageSinceMs = Infinity;
    } else if (this.#messageSinceMs === Infinity && this.#state === State.open) {
      this.#messageSinceMs = nowMs;
      if (this.wheelDueMs > nowMs + this.#limits.messageMs) this.#scheduleHeartbeat();
    }
  }

  #checkClosing(nowMs: number): void {
    const isSending = this.bufferedBytes > 0 && nowMs - this.#closingSinceMs < this.#limits.closeDrainMs;
    if (isSending) this.#host.wheel.schedule(this, this.#limits.closeHandshakeMs);
    else this.destroy();
  }

  /** Whether a message may be queued; closes a peer that reads too slowly. */
  #canSend(): boolean {
    if (this.#state !== State.open) return false;
    const { sendSoftBytes, sendHardBytes } = this.#limits;
    // A turn that sends a lot is not a slow reader: first see what the kernel takes. Nor may a flood of requests
    // in one turn pile up answers, so what is read stops here and the handler hears of it when the turn ends.
    if (this.#output.bytes > sendSoftBytes) {
      this.#output.flush();
      if (this.bufferedBytes > sendSoftBytes) this.#pauseReading();
    }
    if (this.#output.unsentBytes <= sendHardBytes) return true;
    // What the socket has not begun to write can be taken back: the close frame follows whole frames.
    this.#output.discard();
    this.close(CloseCode.tryAgainLater, 'the peer reads too slowly');
    return false;
  }

  #sendClose(code: number | undefined, reason: string): void {
    const payload = code === undefined ? [] : [Uint8Array.of(code >>> 8, code & 0xff), cutReason(reason)];
    this.#output.pushMessage(Opcode.close, payload);
    this.#beginClosing();
    this.#requestFlush();
  }

  #beginClosing(): void {
    this.#state = State.closing;
    this.#closingSinceMs = this.#host.wheel.nowMs;
    this.#host.wheel.schedule(this, this.#limits.closeHandshakeMs);
    // A close frame cannot be seen by a socket that is not read.
    this.#resumeReading();
  }

  #requestFlush(): void {
    if (this.#isQueued) return;
    this.#isQueued = true;
    this.#host.turns.add(this);
  }

  #checkOverflow(): void {
    if (this.#state !== State.open || this.#isOverflowing) return;
    if (this.bufferedBytes > this.#limits.sendSoftBytes) {
      this.#isOverflowing = true;
      this.#pauseReading();
      this.#callHandler('overflow', (handler) => handler.onOverflow?.());
    } else {
      this.#resumeReading();
    }
  }

  #endOverflow(): void {
    this.#isOverflowing = false;
    this.#resumeReading();
    if (this.#state === State.open) this.#callHandler('drain', (handler) => handler.onDrain?.());
  }

  /** The peer's requests wait in its own kernel meanwhile. */
  #pauseReading(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  #resumeReading(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  #callHandler(where: string, call: (handler: WebSocketHandler) => void): void {
    if (this.#handler === undefined) return;
    try {
      call(this.#handler);
    } catch (error) {
      this.#failHandler(error, where);
    }
  }

  #failHandler(error: unknown, where: string): void {
    this.#host.onError(error, where);
    // The rest of the chunk is lost, so nothing more can be read.
    this.onViolation(CloseCode.internalError, 'internal error');
  }
}

function onSocketData(this: OwnedSocket, chunk: Uint8Array): void {
  const connection = this[kConnection]!;
  connection.receive(chunk);
  connection.readIntoShared();
}

function onSocketEnd(this: OwnedSocket): void {
  this[kConnection]!.onPeerEnd();
}

function onSocketDrain(this: OwnedSocket): void {
  this[kConnection]!.onDrained();
}

function onSocketClose(this: OwnedSocket): void {
  this[kConnection]!.onSocketGone();
}
