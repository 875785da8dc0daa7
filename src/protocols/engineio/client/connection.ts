import { decodeHandshake, type Handshake } from '../messages/handshake.js';
import { packetBytes } from '../messages/packet-codec.js';
import {
  ClosePacket,
  type Packet,
  PacketType,
  PROBE,
  type TransportName,
  UpgradePacket,
} from '../messages/packet.js';
import { encodePayload, isPollable } from '../messages/payload.js';
import { type Address, requestUrl } from './address.js';
import { ConnectionError, ContentTooLongError } from './errors.js';
import type { Link } from './platform.js';
import { PollingChannel } from './polling-channel.js';
import { type DisconnectReason, reason } from './reason.js';
import { SocketChannel } from './socket-channel.js';

export interface ConnectionOptions {
  readonly link: Link;
  readonly address: Address;
  readonly transports: readonly TransportName[];
  readonly headers: Readonly<Record<string, string>>;
  readonly requestMs: number;
  readonly timestampRequests: boolean;
}

export interface ConnectionSink {
  onMessage(data: string | Uint8Array): void;
  onLost(why: DisconnectReason, details: string): void;
  onNotice(text: string): void;
}

/** One session with a server, over whichever transport. Used once. */
export class Connection {
  handshake: Handshake | undefined;
  transportName: TransportName = 'polling';
  readonly #options: ConnectionOptions;
  readonly #sink: ConnectionSink;
  readonly #queue: Packet[] = [];
  readonly #abort = new AbortController();
  #queueBytes = 0;
  #polling: PollingChannel | undefined;
  #socket: SocketChannel | undefined;
  #isOver = false;
  #isStarted = false;
  #heardMs = 0;
  #heartbeat: ReturnType<typeof setTimeout> | undefined;
  #drained: (() => void)[] = [];

  constructor(options: ConnectionOptions, sink: ConnectionSink) {
    this.#options = options;
    this.#sink = sink;
  }

  get bufferedBytes(): number {
    return this.#queueBytes + (this.#polling?.postingBytes ?? 0) + (this.#socket?.bufferedBytes ?? 0);
  }

  /** Shakes hands over the first transport; nothing is delivered before `start`. Throws ConnectionError. */
  async open(): Promise<Handshake> {
    const [first] = this.#options.transports;
    this.transportName = first ?? 'polling';
    const packets = first === 'websocket' ? [await this.#openSocket()] : await this.#openPolling();
    const [open, ...rest] = packets;
    if (open?.type !== PacketType.open || typeof open.data !== 'string') {
      throw new ConnectionError('OPEN packet not returned by server');
    }
    try {
      this.handshake = decodeHandshake(open.data);
    } catch (error) {
      throw new ConnectionError('Unexpected response from server', undefined, { cause: error });
    }
    this.#early = rest;
    return this.handshake;
  }

  #early: Packet[] = [];

  async #openPolling(): Promise<Packet[]> {
    const { link, address, headers, requestMs } = this.#options;
    this.#polling = new PollingChannel({ link, address, headers, requestMs, stamp: () => this.#stamp() });
    this.#abort.signal.addEventListener('abort', () => this.#polling?.close());
    return this.#polling.open();
  }

  async #openSocket(sid?: string): Promise<Packet> {
    const channel = await this.#connectSocket(sid);
    this.#socket = channel;
    return channel.next(this.#options.requestMs);
  }

  #connectSocket(sid: string | undefined): Promise<SocketChannel> {
    const { link, address, headers, requestMs } = this.#options;
    const url = requestUrl(address, 'websocket', sid, this.#stamp());
    return SocketChannel.open(link.openWebSocket(url, headers), requestMs, this.#abort.signal);
  }

  #stamp(): number | undefined {
    return this.#options.timestampRequests ? Date.now() / 1000 : undefined;
  }

  /** Delivers what comes from now on. */
  start(): void {
    const { pingIntervalMs, pingTimeoutMs, maxPayloadBytes, sid } = this.handshake!;
    this.#isStarted = true;
    this.#heard();
    this.#watchHeartbeat();
    for (const packet of this.#early) this.#receive(packet);
    const polling = this.#polling;
    if (this.#socket !== undefined) this.#attachSocket(this.#socket);
    else if (polling !== undefined) {
      polling.onPacket = (packet) => this.#receive(packet);
      polling.onFailure = (why) => this.#lose(reason.TRANSPORT_ERROR, why);
      polling.onPosted = () => this.#recount();
      // A server may hold a poll until it gives up on the session.
      polling.start(sid, pingIntervalMs + pingTimeoutMs + this.#options.requestMs, maxPayloadBytes);
    }
    this.#flush();
  }

  #attachSocket(socket: SocketChannel): void {
    socket.onPacket = (packet) => this.#receive(packet);
    socket.onClose = (why) => this.#lose(reason.TRANSPORT_ERROR, why);
    socket.start();
  }

  /** Moves to WebSocket if both sides want it. Whatever goes wrong, polling goes on. */
  upgrade(): Promise<void> {
    return (this.#upgrading ??= this.#upgrade());
  }

  #upgrading: Promise<void> | undefined;

  async #upgrade(): Promise<void> {
    const polling = this.#polling;
    const isWanted = this.#options.transports.includes('websocket') && this.transportName === 'polling';
    if (!isWanted || polling === undefined || this.#isOver || !this.handshake!.upgrades.includes('websocket'))
      return;
    let socket: SocketChannel | undefined;
    try {
      socket = await this.#connectSocket(this.handshake!.sid);
      socket.send({ type: PacketType.ping, data: PROBE });
      const answer = await socket.next(this.#options.requestMs);
      if (answer.type !== PacketType.pong || answer.data !== PROBE)
        throw new ConnectionError('the probe was not answered');
      // The server lets go of the GET that waits; nothing is under way when the last word is spoken.
      await inTime(polling.pause(), this.#options.requestMs);
    } catch (error) {
      socket?.close();
      polling.resume();
      this.#flush();
      if (!this.#isOver)
        this.#sink.onNotice(`the upgrade to WebSocket failed, polling goes on: ${String(error)}`);
      return;
    }
    if (this.#isOver) return socket.close();
    socket.send(UpgradePacket);
    this.#socket = socket;
    this.#polling = undefined;
    this.transportName = 'websocket';
    this.#attachSocket(socket);
    this.#flush();
  }

  /** Queues a message. Throws ContentTooLongError, and PacketError for text that cannot travel over polling. */
  send(packet: Packet): void {
    const bytes = this.#socket === undefined ? packetBytes(packet) : socketBytes(packet);
    const bytesMax = this.handshake?.maxPayloadBytes;
    if (bytesMax !== undefined && bytes > bytesMax) throw new ContentTooLongError(bytes, bytesMax);
    if (this.#socket === undefined && !isPollable(packet)) encodePayload([packet]);
    this.#queue.push(packet);
    this.#queueBytes += bytes;
    this.#flush();
  }

  #flush(): void {
    if (!this.#isStarted || this.#isOver) return;
    if (this.#socket === undefined) {
      void this.#polling?.flush(this.#queue).then(() => this.#recount());
      return;
    }
    for (const packet of this.#queue.splice(0)) this.#socket.send(packet);
    this.#recount();
  }

  #recount(): void {
    this.#queueBytes = this.#queue.reduce((sum, packet) => sum + packetBytes(packet), 0);
    if (!this.#isSending) for (const resolve of this.#drained.splice(0)) resolve();
  }

  get #isSending(): boolean {
    return this.#queueBytes > 0 || (this.#polling?.postingBytes ?? 0) > 0;
  }

  /** Resolves when everything that was sent has been handed to the WebSocket or answered by the server, or will never be. */
  async drain(): Promise<void> {
    if (this.#isSending && !this.#isOver)
      await new Promise<void>((resolve) => void this.#drained.push(resolve));
  }

  /** Sends what is queued and a goodbye; at most for as long as a request may take. */
  async flushAndClose(): Promise<void> {
    if (this.#isOver) return;
    await inTime(this.#sayGoodbye(), this.#options.requestMs).catch(() => {});
    this.drop();
  }

  async #sayGoodbye(): Promise<void> {
    // In the middle of it neither transport may be used.
    await this.#upgrading;
    if (this.#socket === undefined) return this.#polling?.flushAndClose(this.#queue);
    this.#flush();
    this.#socket.send(ClosePacket);
  }

  /** Ends everything at once; nothing is told to the sink any more. */
  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#heartbeat);
    this.#abort.abort();
    this.#socket?.close();
    this.#polling?.close();
    this.#options.link.close();
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #lose(why: DisconnectReason, details: string): void {
    if (this.#isOver) return;
    this.drop();
    this.#sink.onLost(why, details);
  }

  #receive(packet: Packet): void {
    if (this.#isOver) return;
    this.#heard();
    if (packet.type === PacketType.message) this.#sink.onMessage(packet.data);
    else if (packet.type === PacketType.ping) {
      this.#queue.push({ type: PacketType.pong, data: packet.data });
      this.#flush();
    } else if (packet.type === PacketType.close)
      this.#lose(reason.SERVER_DISCONNECT, 'the server closed the session');
    // Open, pong, upgrade and noop mean nothing here. Some servers send a noop after the upgrade.
  }

  #heard(): void {
    this.#heardMs = performance.now();
  }

  /** A connection without a ping for that long is dead. Compares times when the timer fires: laptops sleep. */
  #watchHeartbeat(): void {
    const { pingIntervalMs, pingTimeoutMs } = this.handshake!;
    const patienceMs = pingIntervalMs + pingTimeoutMs;
    const check = (): void => {
      const leftMs = this.#heardMs + patienceMs - performance.now();
      if (leftMs > 0) this.#heartbeat = setTimeout(check, leftMs + 1);
      else this.#lose(reason.TRANSPORT_ERROR, 'the server was not heard for too long');
    };
    check();
  }
}

function socketBytes(packet: Packet): number {
  return typeof packet.data === 'string' ? packetBytes(packet) : packet.data.length;
}

/** Rejects when `work` takes too long. */
async function inTime(work: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConnectionError('the server took too long')), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
