import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Serializer } from '../serializer/serializer.js';
import type { ChannelBindingType } from '../auth/auth-method.js';
import { TransportError } from '../errors.js';
import { EventBuffer } from './event-buffer.js';
import { channelBindingOf, tlsOptions } from './tls.node.js';
import type { Frame, OpenTransport, Transport, TransportEvents, TransportRequest } from './transport.js';

/*
 * RawSocket. Handshake, four octets each way:
 *
 *   0x7F   LLLL SSSS   0x00 0x00      L: largest message is 2^(9+L); S: serializer; S = 0 in the answer: L is an error
 *
 * Frames:
 *
 *   RRRR XTTT   length (24 bit, big endian)   payload      T: 0 message, 1 ping, 2 pong; X with length 0: 2^24 octets
 */

const MAGIC = 0x7f;
const HEAD_BYTES = 4;

/** L = 15: 16 MiB, the most there is. */
const LENGTH_CODE = 15;
const FRAME_BYTES_MAX = 2 ** 24;

const FrameType = { message: 0, ping: 1, pong: 2 } as const;

const ERRORS: Readonly<Record<number, string>> = {
  1: 'the router does not speak the serializer',
  2: 'the router does not accept the length of messages',
  3: 'the router does not know the reserved bits',
  4: 'the router has too many connections',
};

/**
 * RawSocket over TCP (`tcp: rs: tcp4: tcp6:`), TLS (`tcps: rss: tcp4s: tcp6s:`) or a Unix socket (`unix:///path`). One serializer can be
 * offered at a time: a router that does not speak the first is asked for the next one.
 */
export const openRawSocket: OpenTransport = async (request) => {
  let failure: unknown;
  for (const serializer of request.serializers) {
    try {
      return await open(request, serializer);
    } catch (error) {
      failure = error;
      if (!(error instanceof RefusedSerializer)) break;
    }
  }
  throw failure instanceof TransportError
    ? failure
    : new TransportError(`${request.url.href} cannot be opened`, failure);
};

class RefusedSerializer extends TransportError {}

async function open(request: TransportRequest, serializer: Serializer): Promise<Transport> {
  const { url, signal } = request;
  const socket = connectTo(request);
  const giveUp = (): void => void socket.destroy(new Error('given up'));
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    if (signal?.aborted === true) giveUp();
    socket.write(Uint8Array.of(MAGIC, (LENGTH_CODE << 4) | serializer.rawSocketId, 0, 0));
    const { answer, rest } = await readHandshake(socket);
    const frameBytesMax = checkHandshake(answer, serializer);
    return new RawSocketTransport(socket, serializer, frameBytesMax, rest);
  } catch (error) {
    socket.destroy();
    throw error instanceof TransportError ? error : new TransportError(`${url.href} does not answer`, error);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

function connectTo({ url, sslVerify }: TransportRequest): Socket {
  const scheme = url.protocol.slice(0, -1);
  if (scheme === 'unix') return connectTcp({ path: decodeURIComponent(url.pathname) });
  const family = scheme.includes('4') ? 4 : scheme.includes('6') ? 6 : 0;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port);
  const socket =
    scheme.endsWith('s') && scheme !== 'rs'
      ? connectTls({ host, port, family, ...tlsOptions(host, sslVerify) } as object)
      : connectTcp({ host, port, family });
  return socket.setNoDelay(true);
}

function readHandshake(socket: Socket): Promise<{ answer: Buffer; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < HEAD_BYTES) return;
      socket.pause();
      socket.off('data', onData);
      socket.removeAllListeners('error');
      socket.removeAllListeners('close');
      resolve({ answer: bytes.subarray(0, HEAD_BYTES), rest: bytes.subarray(HEAD_BYTES) });
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.once('close', () => reject(new TransportError('the connection was closed during the handshake')));
  });
}

/** The largest message that the router takes. */
function checkHandshake(answer: Buffer, serializer: Serializer): number {
  const [magic, second = 0] = answer;
  if (magic !== MAGIC) throw new TransportError('the other end does not speak RawSocket');
  const [high, low] = [second >> 4, second & 0x0f];
  if (low === 0) {
    const text = ERRORS[high] ?? `the router refused (${high})`;
    throw high === 1 ? new RefusedSerializer(text) : new TransportError(text);
  }
  if (low !== serializer.rawSocketId) throw new TransportError('the router answered with another serializer');
  return 2 ** (9 + high);
}

class RawSocketTransport implements Transport {
  readonly serializer: Serializer;
  readonly frameBytesMax: number;
  readonly #socket: Socket;
  readonly #events = new EventBuffer();
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #wantedBytes = HEAD_BYTES;
  #error: unknown;

  constructor(socket: Socket, serializer: Serializer, frameBytesMax: number, rest: Buffer) {
    this.#socket = socket;
    this.serializer = serializer;
    this.frameBytesMax = frameBytesMax;
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('error', (error) => (this.#error = error));
    socket.on('close', () => this.#events.onClose('the connection was closed', this.#error));
    // The other end has said all it will say.
    socket.on('end', () => socket.end());
    if (rest.length > 0) this.#received(rest);
    socket.resume();
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  channelBinding(type: ChannelBindingType): Uint8Array<ArrayBuffer> | undefined {
    return channelBindingOf(this.#socket, type);
  }

  attach(events: TransportEvents): void {
    this.#events.attach(events);
  }

  send(frames: readonly Frame[]): void {
    if (this.#events.isClosed) return;
    this.#socket.cork();
    for (const frame of frames)
      this.#write(FrameType.message, typeof frame === 'string' ? Buffer.from(frame) : frame);
    this.#socket.uncork();
  }

  close(): void {
    this.#socket.end();
    // Half-closed connections would stay for ever if the router did not close its half.
    this.#socket.destroySoon();
  }

  #write(type: number, payload: Uint8Array): void {
    const { length } = payload;
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    // 2^24 does not fit into 24 bits: it is 0 with another bit.
    head.writeUInt32BE(length === FRAME_BYTES_MAX ? 0x08000000 : type * 0x1000000 + length);
    this.#socket.write(head);
    this.#socket.write(payload);
  }

  #received(chunk: Buffer): void {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    // Chunks of a long frame are joined once, when it is whole.
    if (this.#pendingBytes < this.#wantedBytes) return;
    let bytes = this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending);
    while (bytes.length >= HEAD_BYTES) {
      const total = HEAD_BYTES + frameLength(bytes);
      if (bytes.length < total) break;
      this.#frame(bytes[0]!, bytes.subarray(HEAD_BYTES, total));
      bytes = bytes.subarray(total);
    }
    this.#pending = bytes.length === 0 ? [] : [bytes];
    this.#pendingBytes = bytes.length;
    this.#wantedBytes = HEAD_BYTES + (bytes.length < HEAD_BYTES ? 0 : frameLength(bytes));
  }

  #frame(first: number, payload: Buffer): void {
    if (this.#events.isClosed) return;
    const type = first & 0x07;
    if (type === FrameType.message && first >> 4 === 0) this.#events.onFrame(payload);
    else if (type === FrameType.ping) this.#write(FrameType.pong, payload);
    else if (type !== FrameType.pong)
      this.#socket.destroy(new Error(`a frame begins with 0x${first.toString(16)}`));
  }
}

function frameLength(bytes: Buffer): number {
  const isLongest = (bytes[0]! & 0x08) !== 0;
  const length = bytes.readUIntBE(1, 3);
  return isLongest && length === 0 ? FRAME_BYTES_MAX : length;
}
