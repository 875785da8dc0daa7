import net from 'node:net';

// All sockets share it: replies are counted, not kept.
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
const HEAD_END = '\r\n\r\n';

/** The least that can drive a WebSocket server: a socket, a handshake, and a count of octets. */
export class RawWebSocket {
  onBytes: (count: number) => void = () => {};
  readonly #socket: net.Socket;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
  }

  static open(port: number, path: string): Promise<RawWebSocket> {
    return new Promise((resolve, reject) => {
      let head = '';
      let client: RawWebSocket | undefined;
      const callback = (count: number, buffer: Uint8Array): boolean => {
        if (client !== undefined) {
          client.onBytes(count);
          return true;
        }
        head += Buffer.from(buffer.subarray(0, count)).toString('latin1');
        if (!head.includes(HEAD_END)) return true;
        if (!head.startsWith('HTTP/1.1 101 ') || !head.endsWith(HEAD_END)) reject(new Error(head));
        client = new RawWebSocket(socket);
        resolve(client);
        return true;
      };
      const options = { port, host: '127.0.0.1', noDelay: true, onread: { buffer: readBuffer, callback } };
      const socket = net.connect(options, () => void socket.write(upgradeRequest(path)));
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the server closed the connection')));
    });
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }
}

function upgradeRequest(path: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Sec-WebSocket-Version: 13${HEAD_END}`,
  ].join('\r\n');
}

/** `count` masked binary frames of the same size, each with a payload of its own, one behind the other. */
export function clientFrames(count: number, payloadBytes: number): Buffer {
  const frames: Buffer[] = [];
  for (let i = 0; i < count; i++) {
    const header =
      payloadBytes < 126
        ? Buffer.of(0x82, 0x80 | payloadBytes)
        : Buffer.of(0x82, 0x80 | 126, payloadBytes >> 8, payloadBytes & 0xff);
    const key = Buffer.of(i & 0xff, 0x5a, (i >> 8) & 0xff, 0xc3);
    const payload = Buffer.alloc(payloadBytes, i).map((octet, at) => octet ^ key[at & 3]!);
    frames.push(header, key, Buffer.from(payload));
  }
  return Buffer.concat(frames);
}
