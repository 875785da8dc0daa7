import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';

import { type Packet, PACKET_NAMES, type PacketName, type ProtocolVersion } from '../../messages/packet.js';
import type { CloseReason, SessionHandler } from '../session-host.js';
import type { Session } from '../session.js';
import type { Server } from './server.js';

/** A packet as listeners see it. */
export interface PacketInfo {
  readonly type: PacketName;
  readonly data?: string | Buffer;
  readonly options?: SendOptions;
}

/** Taken for compatibility; whether answers are compressed is the server's decision. */
export interface SendOptions {
  readonly compress?: boolean;
}

/**
 * A client, as npm engine.io shows it: events `open`, `message`, `data`, `packet`, `packetCreate`, `flush`, `drain`, `heartbeat`,
 * `upgrading`, `upgrade`, `close(reason, description)`.
 */
export class Socket extends EventEmitter {
  readonly id: string;
  readonly server: Server;
  readonly request: IncomingMessage;
  readonly protocol: ProtocolVersion;
  readonly remoteAddress: string;
  upgraded = false;
  upgrading = false;
  readonly #session: Session;
  #callbacks: (() => void)[] = [];
  #sent: PacketInfo[] = [];
  #isFlushing = false;

  constructor(server: Server, session: Session, request: IncomingMessage) {
    super();
    this.id = session.id;
    this.server = server;
    this.request = request;
    this.protocol = session.protocol;
    this.remoteAddress = session.remoteAddress;
    this.#session = session;
  }

  get readyState(): 'opening' | 'open' | 'closing' | 'closed' {
    return this.#session.state;
  }

  get transport(): { readonly name: 'polling' | 'websocket'; readonly writable: boolean } {
    const { transportName, bufferedBytes } = this.#session;
    return { name: transportName, writable: bufferedBytes === 0 };
  }

  /** What waits for the client; still there in `close` listeners. */
  get writeBuffer(): readonly PacketInfo[] {
    return this.#session.queue.map(describePacket);
  }

  send(
    data: string | Uint8Array | ArrayBuffer,
    options?: SendOptions | (() => void),
    callback?: () => void,
  ): this {
    if (this.readyState !== 'open') return this;
    const done = typeof options === 'function' ? options : callback;
    const bytes = typeof data === 'string' || data instanceof Uint8Array ? data : new Uint8Array(data);
    if (done !== undefined) this.#callbacks.push(done);
    if (this.listenerCount('packetCreate') + this.listenerCount('flush') > 0) this.#note(bytes);
    this.#session.send(bytes);
    // Over WebSocket everything leaves when the turn ends; over polling when the client fetches it.
    if (this.#session.transportName === 'websocket' && !this.#isFlushing) this.#flushWithTurn();
    return this;
  }

  write(
    data: string | Uint8Array | ArrayBuffer,
    options?: SendOptions | (() => void),
    callback?: () => void,
  ): this {
    return this.send(data, options, callback);
  }

  /** Ends the connection; what was sent leaves first, unless it is to be discarded. */
  close(discard = false): void {
    this.#session.close(discard);
  }

  #note(data: string | Uint8Array): void {
    const packet: PacketInfo = { type: 'message', data: typeof data === 'string' ? data : asBuffer(data) };
    this.#sent.push(packet);
    this.emit('packetCreate', packet);
  }

  #flushWithTurn(): void {
    this.#isFlushing = true;
    this.server.turns.beforeFlush(() => {
      this.#isFlushing = false;
      this.#flushed();
    });
  }

  #flushed(): void {
    const callbacks = this.#callbacks;
    const sent = this.#sent;
    this.#callbacks = [];
    this.#sent = [];
    this.emit('flush', sent);
    this.server.emit('flush', this, sent);
    for (const callback of callbacks) callback();
    this.emit('drain');
    this.server.emit('drain', this);
  }

  /** What the session tells, as events. */
  makeHandler(): SessionHandler {
    return {
      onMessage: (data) => {
        const own = typeof data === 'string' ? data : Buffer.from(data);
        this.emit('data', own);
        this.emit('message', own);
      },
      onPacket: (packet) => {
        if (this.listenerCount('packet') > 0) this.emit('packet', describePacket(packet));
      },
      onHeartbeat: () => void this.emit('heartbeat'),
      onDrain: () => this.#flushed(),
      onUpgrading: () => {
        this.upgrading = true;
        this.emit('upgrading', { name: 'websocket' });
      },
      onUpgrade: () => {
        this.upgrading = false;
        this.upgraded = true;
        this.emit('upgrade', this.transport);
      },
      onClose: (reason, description) => this.#closed(reason, description),
    };
  }

  #closed(reason: CloseReason, description: string): void {
    this.server.forget(this);
    this.#callbacks = [];
    this.emit('close', reason === 'server shutdown' ? 'forced close' : reason, description);
  }
}

function describePacket(packet: Packet): PacketInfo {
  const type = PACKET_NAMES[packet.type];
  if (typeof packet.data !== 'string') return { type, data: asBuffer(packet.data) };
  return packet.data === '' && type !== 'message' ? { type } : { type, data: packet.data };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
