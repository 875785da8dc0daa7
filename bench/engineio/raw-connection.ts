import net from 'node:net';

// All sockets share it: what comes is counted, not kept.
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);
const HEAD_END = '\r\n\r\n';

/** A socket to a server, and whoever wants its octets at the moment. They are good during the call only. */
export class RawConnection {
  onBytes: (bytes: Buffer) => void = () => {};
  onEnd: (error: Error) => void = () => {};
  readonly #socket: net.Socket;

  private constructor(port: number, connected: (connection: RawConnection) => void) {
    const callback = (count: number, buffer: Uint8Array): boolean => {
      this.onBytes(buffer.subarray(0, count) as Buffer);
      return true;
    };
    const options = { port, host: '127.0.0.1', noDelay: true, onread: { buffer: readBuffer, callback } };
    this.#socket = net.connect(options, () => connected(this));
    this.#socket.on('error', (error) => this.onEnd(error));
    this.#socket.on('close', () => this.onEnd(new Error('the server closed the connection')));
  }

  static connect(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const made = new RawConnection(port, resolve);
      made.onEnd = reject;
    });
  }

  /** An Engine.IO session over WebSocket, its open packet read. */
  static async openWebSocket(port: number, query = ''): Promise<RawConnection> {
    const connection = await RawConnection.connect(port);
    await new Promise<void>((resolve, reject) => {
      let text = '';
      connection.onEnd = reject;
      connection.onBytes = (bytes) => {
        text += bytes.toString('latin1');
        const end = text.indexOf(HEAD_END);
        if (end < 0) return;
        if (!text.startsWith('HTTP/1.1 101 ')) return reject(new Error(text));
        // The open packet ends in the only `}` there is.
        if (text.indexOf('}', end) >= 0) resolve();
      };
      connection.write(upgradeRequest(query));
    });
    return connection;
  }

  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  destroy(): void {
    this.onEnd = () => {};
    this.#socket.destroy();
  }
}

function upgradeRequest(query: string): string {
  return [
    `GET /engine.io/?EIO=4&transport=websocket${query} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Sec-WebSocket-Version: 13${HEAD_END}`,
  ].join('\r\n');
}

/** `count` masked text frames, each with a message packet of `payloadBytes` letters, one behind the other. */
export function messageFrames(count: number, payloadBytes: number): Buffer {
  const frames: Buffer[] = [];
  for (let i = 0; i < count; i++) {
    const packet = Buffer.from(`4${String(i).padStart(payloadBytes, 'x')}`);
    const header =
      packet.length < 126
        ? Buffer.of(0x81, 0x80 | packet.length)
        : Buffer.of(0x81, 0x80 | 126, packet.length >> 8, packet.length & 0xff);
    const key = Buffer.of(i & 0xff, 0x5a, (i >> 8) & 0xff, 0xc3);
    frames.push(header, key, Buffer.from(packet.map((octet, at) => octet ^ key[at & 3]!)));
  }
  return Buffer.concat(frames);
}

/** One request after another over a kept connection. */
export class RawHttp {
  readonly #connection: RawConnection;
  #text = '';
  #resolve: (body: string) => void = () => {};

  constructor(connection: RawConnection) {
    this.#connection = connection;
    connection.onBytes = (bytes) => this.#take(bytes.toString('latin1'));
  }

  get(query: string): Promise<string> {
    return this.#send(`GET /engine.io/?EIO=4&transport=polling${query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  }

  post(query: string, body: string): Promise<string> {
    const head = `POST /engine.io/?EIO=4&transport=polling${query} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
    return this.#send(
      `${head}Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  }

  #send(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#connection.onEnd = reject;
      this.#connection.write(request);
    });
  }

  #take(text: string): void {
    this.#text += text;
    const end = this.#text.indexOf(HEAD_END);
    if (end < 0) return;
    const length = /content-length: (\d+)/i.exec(this.#text);
    const behind = end + HEAD_END.length + Number(length?.[1]);
    if (this.#text.length < behind) return;
    if (!this.#text.startsWith('HTTP/1.1 200 ')) throw new Error(this.#text);
    const body = this.#text.slice(end + HEAD_END.length, behind);
    this.#text = this.#text.slice(behind);
    this.#resolve(body);
  }
}
