import { decodePacketText, encodePacketText } from '../messages/packet-codec.js';
import { messagePacket, type Packet } from '../messages/packet.js';
import { ConnectionError } from './errors.js';
import type { SocketLike } from './platform.js';

/** Packets over a WebSocket, from its handshake on. */
export class SocketChannel {
  onPacket: (packet: Packet) => void = () => {};
  onClose: (why: string) => void = () => {};
  readonly #socket: SocketLike;
  #isClosed = false;
  #early: Packet[] | undefined = [];

  private constructor(socket: SocketLike) {
    this.#socket = socket;
  }

  /** Throws ConnectionError when the handshake fails or takes too long. */
  static async open(socket: SocketLike, timeoutMs: number, signal: AbortSignal): Promise<SocketChannel> {
    const channel = new SocketChannel(socket);
    socket.binaryType = 'arraybuffer';
    await new Promise<void>((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const fail = (text: string): void => {
        clearTimeout(timer);
        channel.close();
        reject(new ConnectionError(text));
      };
      timer = setTimeout(() => fail('the WebSocket handshake took too long'), timeoutMs);
      signal.addEventListener('abort', () => fail('the connection was given up'), { once: true });
      socket.onopen = () => {
        clearTimeout(timer);
        resolve();
      };
      socket.onerror = () => fail('the WebSocket could not be opened');
      socket.onclose = () => fail('the WebSocket could not be opened');
      socket.onmessage = ({ data }) => channel.#receive(data);
    });
    socket.onerror = () => {};
    socket.onclose = ({ code }) => channel.#end(`the WebSocket was closed (${code})`);
    return channel;
  }

  /** Begins to deliver, what came meanwhile first. */
  start(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const packet of early) this.onPacket(packet);
  }

  /** The next packet, before `start`. */
  async next(timeoutMs: number): Promise<Packet> {
    const early = this.#early ?? [];
    if (early.length === 0) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new ConnectionError('the server did not answer')), timeoutMs);
        const settle = (): void => {
          clearTimeout(timer);
          resolve();
        };
        this.#wake = settle;
        this.onClose = settle;
      });
      this.#wake = undefined;
      this.onClose = () => {};
    }
    const packet = early.shift();
    if (packet === undefined) throw new ConnectionError('the WebSocket was closed');
    return packet;
  }

  #wake: (() => void) | undefined;

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(packet: Packet): void {
    if (this.#isClosed) return;
    this.#socket.send(
      typeof packet.data === 'string' ? encodePacketText(packet) : (packet.data as Uint8Array<ArrayBuffer>),
    );
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close(1000);
  }

  #receive(data: unknown): void {
    let packet: Packet;
    try {
      packet =
        typeof data === 'string'
          ? decodePacketText(data)
          : messagePacket(new Uint8Array(data as ArrayBuffer));
    } catch {
      this.#socket.close(1000);
      return this.#end('the server sent what is no packet');
    }
    if (this.#early === undefined) this.onPacket(packet);
    else {
      this.#early.push(packet);
      this.#wake?.();
    }
  }

  #end(why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClose(why);
  }
}
