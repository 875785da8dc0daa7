import { once } from 'node:events';
import net, { type Socket } from 'node:net';

/** A frame as the server sent it. */
export interface ReceivedFrame {
  readonly isFinal: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

export interface FrameOptions {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly isFinal?: boolean;
  readonly reserved?: number;
  readonly isMasked?: boolean;
  /** A length to claim instead of the true one. */
  readonly claim?: bigint;
  /** 7, 16 or 64 bits for the length, whatever it needs. */
  readonly lengthBits?: 7 | 16 | 64;
  readonly key?: number;
}

/** Builds a client frame, as wrong as wanted. */
export function clientFrame(options: FrameOptions): Buffer {
  const payload = Buffer.from(options.payload ?? '');
  const length = options.claim ?? BigInt(payload.length);
  const bits = options.lengthBits ?? (length < 126n ? 7 : length < 65_536n ? 16 : 64);
  const mask = options.isMasked === false ? 0 : 0x80;
  const first = (options.isFinal === false ? 0 : 0x80) | ((options.reserved ?? 0) << 4) | options.opcode;
  const header = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10);
  header[0] = first;
  header[1] = mask | (bits === 7 ? Number(length) : bits === 16 ? 126 : 127);
  if (bits === 16) header.writeUInt16BE(Number(length), 2);
  if (bits === 64) header.writeBigUInt64BE(length, 2);
  if (mask === 0) return Buffer.concat([header, payload]);
  const key = Buffer.alloc(4);
  key.writeUInt32BE(options.key ?? 0x37fa213d);
  return Buffer.concat([header, key, payload.map((octet, i) => octet ^ key[i & 3]!)]);
}

/** Splits what a server sent into frames; the rest is what is not complete yet. */
export function parseServerFrames(bytes: Buffer): { frames: ReceivedFrame[]; rest: Buffer } {
  const frames: ReceivedFrame[] = [];
  let at = 0;
  for (;;) {
    if (bytes.length - at < 2) break;
    const isMasked = (bytes[at + 1]! & 0x80) !== 0;
    if (isMasked) throw new Error('a server frame must not be masked');
    let length = bytes[at + 1]! & 0x7f;
    let start = at + 2;
    if (length === 126) {
      if (bytes.length - at < 4) break;
      length = bytes.readUInt16BE(at + 2);
      start = at + 4;
    } else if (length === 127) {
      if (bytes.length - at < 10) break;
      length = Number(bytes.readBigUInt64BE(at + 2));
      start = at + 10;
    }
    if (bytes.length < start + length) break;
    frames.push({
      isFinal: (bytes[at]! & 0x80) !== 0,
      opcode: bytes[at]! & 0x0f,
      payload: bytes.subarray(start, start + length),
    });
    at = start + length;
  }
  return { frames, rest: bytes.subarray(at) };
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** A socket that sends any octets and keeps all that comes. */
export class RawClient {
  readonly socket: Socket;
  readonly frames: ReceivedFrame[] = [];
  /** The head of the HTTP answer, once it is complete. */
  head = '';
  received = Buffer.alloc(0);
  isEnded = false;
  isClosed = false;
  #isUpgraded = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('end', () => {
      this.isEnded = true;
      this.#wake();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return RawClient.over(net.connect(port, host));
  }

  static async over(socket: Socket, event = 'connect'): Promise<RawClient> {
    await once(socket, event);
    return new RawClient(socket);
  }

  /** Connects and shakes hands; throws unless the answer is 101. */
  static async open(port: number, path = '/', headers: readonly string[] = []): Promise<RawClient> {
    const client = await RawClient.connect(port);
    await client.upgrade(path, headers);
    return client;
  }

  async upgrade(path = '/', headers: readonly string[] = []): Promise<void> {
    this.send(upgradeRequest(path, headers));
    await this.until(() => this.head !== '');
    if (!this.head.startsWith('HTTP/1.1 101 ')) throw new Error(this.head + this.received.toString());
  }

  send(...parts: (Uint8Array | string)[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
  }

  sendFrame(options: FrameOptions): void {
    this.send(clientFrame(options));
  }

  /** Resolves when the condition holds; it is looked at after everything that happens to the socket. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.isClosed) throw new Error(`the socket closed; frames: ${JSON.stringify(this.frames)}`);
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }

  async nextFrames(count: number): Promise<ReceivedFrame[]> {
    await this.until(() => this.frames.length >= count);
    return this.frames.splice(0, count);
  }

  /** Resolves with the code of the close frame when the server has ended the connection; 1006 without one. */
  async closeCode(): Promise<number> {
    await this.until(() => this.isEnded || this.isClosed).catch(() => {});
    const frame = this.frames.find(({ opcode }) => opcode === 8);
    if (frame === undefined) return 1006;
    return frame.payload.length < 2 ? 1005 : frame.payload.readUInt16BE(0);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    if (this.head === '') this.#takeHead();
    if (this.#isUpgraded) {
      const { frames, rest } = parseServerFrames(this.received);
      this.frames.push(...frames);
      this.received = Buffer.from(rest);
    }
    this.#wake();
  }

  #takeHead(): void {
    const end = this.received.indexOf('\r\n\r\n');
    if (end < 0) return;
    this.head = this.received.toString('latin1', 0, end + 4);
    this.received = this.received.subarray(end + 4);
    this.#isUpgraded = this.head.startsWith('HTTP/1.1 101 ');
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

export function upgradeRequest(path: string, headers: readonly string[] = []): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Upgrade: websocket',
    'Connection: keep-alive, Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    ...headers,
    '\r\n',
  ].join('\r\n');
}
