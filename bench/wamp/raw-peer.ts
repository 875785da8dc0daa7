import { once } from 'node:events';
import net from 'node:net';

import type { Place } from './drive.js';

const HEAD_END = '\r\n\r\n';
const HELLO = JSON.stringify([
  1,
  'realm1',
  {
    roles: {
      caller: { features: { progressive_call_results: true } },
      callee: { features: { progressive_call_results: true, call_canceling: true } },
      publisher: {},
      subscriber: {},
    },
  },
]);

/** The least that can drive a WAMP router: a socket, a handshake, text frames out, texts in. */
export class RawPeer {
  onText: (text: string) => void = () => {};
  /** The connection is over, whoever has ended it. */
  readonly ended: Promise<void>;
  readonly #socket: net.Socket;
  #rest: Buffer = Buffer.alloc(0);
  #waiting: ((fields: unknown[]) => void) | undefined;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => void socket.on('close', () => resolve()));
  }

  /** A socket with a session on realm1. */
  static async join({ port, path }: Place): Promise<RawPeer> {
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
    await peer.expect(2, HELLO);
    return peer;
  }

  /** Sends a message and waits for the next one, which must be of that type. */
  async expect(type: number, text: string): Promise<void> {
    const answer = this.next();
    this.send([text]);
    const fields = await answer;
    if (fields[0] !== type) throw new Error(`${text} was answered with ${JSON.stringify(fields)}`);
  }

  /** The next message. */
  next(): Promise<unknown[]> {
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  /** Everything that was sent before has been handled, and all that was answered has been taken. */
  async settle(): Promise<void> {
    const { onText } = this;
    const settled = new Promise<void>((resolve) => {
      this.onText = (text) => (text.startsWith('[33,4242,') ? resolve() : onText(text));
    });
    this.send(['[32,4242,{},"com.bench.settled"]']);
    await settled;
    this.onText = onText;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  async close(): Promise<void> {
    this.#socket.end();
    await this.ended;
  }

  /** Sends messages, and waits while the router does not keep up. */
  async write(texts: readonly string[]): Promise<void> {
    if (!this.#socket.write(Buffer.concat(texts.map(encodeClientText)))) await once(this.#socket, 'drain');
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
