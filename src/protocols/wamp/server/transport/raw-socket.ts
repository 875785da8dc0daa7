import type { Duplex } from 'node:stream';

import { channelBindingsOf } from '../../../../net/channel-bindings.js';
import type { TimerWheel, WheelTask } from '../../../../net/timer-wheel.js';
import type { Flushable, TurnFlusher } from '../../../../net/turn-flusher.js';
import { BufferJoiner } from '../../../../net/websocket/buffer-joiner.js';
import { OutputArena } from '../../../../net/websocket/output-queue.js';
import { SocketOutput } from '../../../../net/websocket/socket-output.js';
import type { RouterMessage } from '../../messages/message.js';
import { MessageError } from '../../messages/message-error.js';
import {
  decodeHandshake,
  encodeHandshake,
  encodeRawFrame,
  encodeRefusal,
  FrameType,
  HANDSHAKE_BYTES,
  HandshakeError,
  RawFrameReader,
} from '../../messages/raw-socket.js';
import type { Serializer } from '../../messages/serializer.js';
import type { Connection } from '../connection.js';
import type { Output, Sending } from '../output.js';
import type { WampRouter } from '../router.js';
import { type SharedEvent, wireBytes } from '../shared-event.js';
import { encodeOrNothing } from './encode-or-nothing.js';

/** Times in milliseconds. */
export interface RawSocketLimits {
  /** A PING leaves this often. 0 turns pings off. */
  readonly pingMs: number;
  /** A peer that was not heard for this long is dropped. 0 turns it off. */
  readonly idleMs: number;
  /** How long a peer whose connection ends may take to fetch what was sent before. */
  readonly closeDrainMs: number;
  /** More than this unsent ends the connection. */
  readonly sendHardBytes: number;
}

// As WebSockets have it.
export const rawSocketLimitsDefault: RawSocketLimits = {
  pingMs: 15_000,
  idleMs: 30_000,
  closeDrainMs: 5000,
  sendHardBytes: 16 * 1024 * 1024,
};

/** What the RawSocket connections of a listener share. */
export interface RawSocketHost {
  readonly router: WampRouter;
  readonly turns: TurnFlusher;
  readonly serializers: readonly Serializer[];
  readonly limits: RawSocketLimits;
  readonly arena: OutputArena;
  readonly joiner: BufferJoiner;
}

export function makeRawSocketHost(
  router: WampRouter,
  turns: TurnFlusher,
  serializers: readonly Serializer[],
  limits: Partial<RawSocketLimits> = {},
): RawSocketHost {
  return {
    router,
    turns,
    serializers,
    limits: { ...rawSocketLimitsDefault, ...limits },
    arena: new OutputArena(),
    joiner: new BufferJoiner(),
  };
}

/** Takes over a socket whose first octet is 7F, and that octet is still to be read. */
export function serveRawSocket(host: RawSocketHost, socket: Duplex): void {
  new RawSocketHandshake(host, socket).start();
}

/** Waits for the first four octets. */
class RawSocketHandshake implements WheelTask {
  wheelDueMs = Infinity;
  readonly #host: RawSocketHost;
  readonly #socket: Duplex;
  #octets: Buffer = Buffer.alloc(0);

  constructor(host: RawSocketHost, socket: Duplex) {
    this.#host = host;
    this.#socket = socket;
  }

  start(): void {
    const { wheel, limits } = this.#host.router.services;
    const socket = this.#socket;
    wheel.schedule(this, limits.joinMs);
    socket.on('error', ignore).on('data', this.#onData).on('close', this.#onGone).on('end', this.#onGone);
    socket.resume();
  }

  onWheelDue(): void {
    this.#socket.destroy();
  }

  readonly #onGone = (): void => {
    this.#stop();
    this.#socket.destroy();
  };

  readonly #onData = (chunk: Buffer): void => {
    this.#octets = this.#octets.length === 0 ? chunk : Buffer.concat([this.#octets, chunk]);
    if (this.#octets.length < HANDSHAKE_BYTES) return;
    this.#stop();
    const rest = this.#octets.subarray(HANDSHAKE_BYTES);
    try {
      this.#answer(rest);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#socket.destroy();
    }
  };

  #answer(rest: Uint8Array): void {
    const handshake = decodeHandshake(this.#octets);
    if (handshake.kind === 'refused') {
      // Serializer 0 is what a refusal looks like; from a client it is one that there is not.
      const error =
        handshake.error === HandshakeError.reservedBits
          ? handshake.error
          : HandshakeError.serializerUnsupported;
      return void this.#socket.end(encodeRefusal(error), () => this.#socket.destroy());
    }
    const { serializerId, messageBytesMax } = handshake;
    const serializer = this.#host.serializers.find(({ rawSocketId }) => rawSocketId === serializerId);
    if (serializer === undefined) {
      const refusal = encodeRefusal(HandshakeError.serializerUnsupported);
      return void this.#socket.end(refusal, () => this.#socket.destroy());
    }
    const own = this.#host.router.services.limits.messageBytesMax;
    this.#socket.write(encodeHandshake(serializerId, own));
    new RawSocketConnection(this.#host, this.#socket, serializer, messageBytesMax).start(rest);
  }

  #stop(): void {
    this.#host.router.services.wheel.cancel(this);
    this.#socket.off('data', this.#onData).off('close', this.#onGone).off('end', this.#onGone);
  }
}

class RawSocketConnection implements Output, Flushable, WheelTask {
  wheelDueMs = Infinity;
  readonly #host: RawSocketHost;
  readonly #socket: Duplex;
  readonly #serializer: Serializer;
  /** Longest message that the peer takes. */
  readonly #peerBytesMax: number;
  readonly #queue: SocketOutput;
  readonly #reader: RawFrameReader;
  readonly #connection: Connection;
  readonly #wheel: TimerWheel;
  #isQueued = false;
  #isEnding = false;
  #isGone = false;
  #heardMs: number;

  constructor(host: RawSocketHost, socket: Duplex, serializer: Serializer, peerBytesMax: number) {
    this.#host = host;
    this.#socket = socket;
    this.#serializer = serializer;
    this.#peerBytesMax = peerBytesMax;
    this.#queue = new SocketOutput(socket, host.arena, host.joiner);
    this.#wheel = host.router.services.wheel;
    this.#heardMs = this.#wheel.nowMs;
    const ownBytesMax = 2 ** (9 + (encodeHandshake(0, host.router.services.limits.messageBytesMax)[1]! >> 4));
    this.#reader = new RawFrameReader(ownBytesMax, (type, octets) => this.#onFrame(type, octets));
    const peer = (socket as { readonly remoteAddress?: string }).remoteAddress ?? 'unix';
    const channelBindings = channelBindingsOf(socket);
    const info = { type: 'rawsocket', serializer: serializer.name, peer, channelBindings } as const;
    this.#connection = host.router.connect(this, info);
  }

  /** `rest` is what had come behind the handshake. */
  start(rest: Uint8Array): void {
    const socket = this.#socket;
    this.#scheduleHeartbeat();
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#onGone());
    if (rest.length > 0) this.#receive(rest);
  }

  get queuedBytes(): number {
    return this.#queue.unsentBytes;
  }

  send(message: RouterMessage): Sending {
    const wire = encodeOrNothing(this.#serializer, message);
    if (wire === undefined) return 'unencodable';
    const octets = wireBytes(wire);
    if (octets.length > this.#peerBytesMax) return 'tooLong';
    this.#push(encodeRawFrame(FrameType.message, octets));
    return 'sent';
  }

  sendEvent(event: SharedEvent): void {
    const frame = event.rawFrameFor(this.#serializer);
    if (frame !== undefined && frame.length - 4 <= this.#peerBytesMax) this.#push(frame);
  }

  end(): void {
    this.#isEnding = true;
    this.#wheel.schedule(this, this.#host.limits.closeDrainMs);
    this.#requestFlush();
  }

  flushTurn(): void {
    this.#isQueued = false;
    if (this.#isGone) return;
    this.#queue.flush();
    if (this.#isEnding && !this.#queue.isBehind) this.#socket.end(() => this.#socket.destroy());
    else if (this.queuedBytes > this.#host.limits.sendHardBytes) this.#socket.destroy();
  }

  onWheelDue(nowMs: number): void {
    const { idleMs } = this.#host.limits;
    // The goodbye of a peer that does not read is not waited for either.
    if (this.#isEnding || (idleMs > 0 && nowMs - this.#heardMs >= idleMs)) return void this.#socket.destroy();
    this.#push(encodeRawFrame(FrameType.ping, new Uint8Array(0)));
    this.#scheduleHeartbeat();
  }

  #scheduleHeartbeat(): void {
    const { pingMs } = this.#host.limits;
    if (pingMs > 0) this.#wheel.schedule(this, pingMs);
  }

  #receive(chunk: Uint8Array): void {
    this.#heardMs = this.#wheel.nowMs;
    try {
      this.#reader.receive(chunk);
    } catch (error) {
      if (!(error instanceof MessageError)) {
        this.#host.router.services.onError(error, 'rawsocket');
        return void this.#socket.destroy();
      }
      // Where the next frame begins is not known any more.
      this.#connection.receiveGarbage(error);
      this.#socket.pause();
    }
  }

  #onFrame(type: FrameType, octets: Uint8Array): void {
    if (this.#isEnding) return;
    if (type === FrameType.ping) return this.#push(encodeRawFrame(FrameType.pong, octets));
    if (type === FrameType.pong) return;
    let message;
    try {
      // Payloads of binary messages may be kept, and the chunk may not.
      message = this.#serializer.decode(this.#serializer.isBinary ? octets.slice() : octets);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      return this.#connection.receiveGarbage(error);
    }
    this.#connection.receive(message, octets.length);
  }

  #push(frame: Uint8Array): void {
    if (this.#isGone) return;
    this.#queue.pushShared(frame);
    this.#requestFlush();
  }

  #requestFlush(): void {
    if (this.#isQueued || this.#isGone) return;
    this.#isQueued = true;
    this.#host.turns.add(this);
  }

  #onDrain(): void {
    if (this.#isGone) return;
    // Somebody who reads is alive.
    this.#heardMs = this.#wheel.nowMs;
    if (this.#queue.isBehind) this.#queue.catchUp();
    if (this.#isEnding) this.#requestFlush();
  }

  #onGone(): void {
    this.#isGone = true;
    this.#wheel.cancel(this);
    this.#queue.discard();
    this.#connection.lose();
  }
}

function ignore(): void {}
