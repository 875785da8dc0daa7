import net from 'node:net';

const HEAD_END = '\r\n\r\n';

/** The least that can drive a WAMP router: a socket, a handshake, text frames out, texts in. */
export class RawPeer {
  onText: (text: string) => void = () => {};
  readonly #socket: net.Socket;
  #rest: Buffer = Buffer.alloc(0);
  #waiting: ((fields: unknown[]) => void) | undefined;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
  }

  /** A socket with a session on realm1. */
  static async join(port: number, path: string): Promise<RawPeer> {
    const peer = await new Promise<RawPeer>((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
      socket.on('error', reject);
      const peer = new RawPeer(socket);
      let head = '';
      const onHead = (chunk: Buffer): void => {
        head += chunk.toString('latin1');
        const end = head.indexOf(HEAD_END);
        if (end < 0) return;
        if (!head.startsWith('HTTP/1.1 101 ')) reject(new Error(head));
        socket.off('data', onHead).on('data', (more) => peer.#receive(more));
        peer.#receive(Buffer.from(head.slice(end + 4), 'latin1'));
        resolve(peer);
      };
      socket.on('data', onHead).write(upgradeRequest(path));
    });
    const welcome = await peer.ask(
      `[1,"realm1",{"roles":{"caller":{},"callee":{},"publisher":{},"subscriber":{}}}]`,
    );
    if (welcome[0] !== 2) throw new Error(JSON.stringify(welcome));
    return peer;
  }

  /** Sends a message and waits for the next one. */
  ask(text: string): Promise<unknown[]> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.send([text]);
    });
  }

  /** Sends messages with one write. */
  send(texts: readonly string[]): void {
    this.#socket.write(Buffer.concat(texts.map(encodeClientText)));
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      if (bytes.length < at + 2) break;
      let size = bytes[at + 1]! & 127;
      let body = at + 2;
      if (size === 126) {
        if (bytes.length < at + 4) break;
        size = bytes.readUInt16BE(at + 2);
        body = at + 4;
      }
      if (bytes.length < body + size) break;
      if ((bytes[at]! & 15) === 1) this.#take(bytes.toString('latin1', body, body + size));
      at = body + size;
    }
    this.#rest = bytes.subarray(at);
  }

  #take(text: string): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return this.onText(text);
    this.#waiting = undefined;
    waiting(JSON.parse(text) as unknown[]);
  }
}

/** A masked text frame; the mask is zero, which costs a server as much as any other. */
function encodeClientText(text: string): Buffer {
  const size = text.length;
  const header =
    size < 126 ? Buffer.of(0x81, 0x80 | size) : Buffer.of(0x81, 0x80 | 126, size >> 8, size & 255);
  return Buffer.concat([header, Buffer.alloc(4), Buffer.from(text, 'latin1')]);
}

function upgradeRequest(path: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: wamp.2.json',
    `Sec-WebSocket-Version: 13${HEAD_END}`,
  ].join('\r\n');
}
