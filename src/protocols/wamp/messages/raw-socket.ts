import { MessageError } from './message-error.js';

/*
 * RawSocket. Handshake, four octets each way:
 *
 *   7F   LLLL SSSS   00   00      client: takes messages up to 2^(9+L) octets; serializer S (1 json, 2 msgpack, 3 cbor)
 *   7F   LLLL SSSS   00   00      router: its own L, the same S
 *   7F   EEEE 0000   00   00      router: no. E: 1 serializer unsupported, 2 length unacceptable, 3 reserved octets
 *                                 used, 4 too many connections
 *
 * Frames: RRRR XTTT, then 24 bits of length, big endian, then the octets. T: 0 message, 1 PING, 2 PONG (which returns
 * the octets of the PING). X with length 0 is a frame of exactly 2^24 octets. R is 0.
 */

export const RAW_SOCKET_MAGIC = 0x7f;
export const HANDSHAKE_BYTES = 4;
const PREFIX_BYTES = 4;

export const FrameType = { message: 0, ping: 1, pong: 2 } as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export const HandshakeError = {
  serializerUnsupported: 1,
  lengthUnacceptable: 2,
  reservedBits: 3,
  tooManyConnections: 4,
} as const;
export type HandshakeError = (typeof HandshakeError)[keyof typeof HandshakeError];

export type Handshake =
  | { readonly kind: 'accepted'; readonly serializerId: number; readonly messageBytesMax: number }
  | { readonly kind: 'refused'; readonly error: number };

/** `messageBytesMax` is rounded down to a power of two from 512 to 2^24. */
export function encodeHandshake(serializerId: number, messageBytesMax: number): Uint8Array<ArrayBuffer> {
  const exponent = Math.min(24, Math.max(9, Math.floor(Math.log2(messageBytesMax))));
  return Uint8Array.of(RAW_SOCKET_MAGIC, ((exponent - 9) << 4) | serializerId, 0, 0);
}

export function encodeRefusal(error: HandshakeError): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(RAW_SOCKET_MAGIC, error << 4, 0, 0);
}

/** The first four octets of the other side. `refused` with error 3 is what a router answers to reserved octets. */
export function decodeHandshake(octets: Uint8Array): Handshake {
  const [magic, second = 0, third, fourth] = octets;
  if (magic !== RAW_SOCKET_MAGIC) throw new MessageError('UNDECODABLE', 'no RawSocket handshake');
  if (third !== 0 || fourth !== 0) return { kind: 'refused', error: HandshakeError.reservedBits };
  const serializerId = second & 15;
  if (serializerId === 0) return { kind: 'refused', error: second >> 4 };
  return { kind: 'accepted', serializerId, messageBytesMax: 2 ** (9 + (second >> 4)) };
}

/** One frame. Throws TOO_LONG for more than 2^24 octets. */
export function encodeRawFrame(type: FrameType, octets: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = octets.length;
  if (size > 2 ** 24) throw new MessageError('TOO_LONG', 'a RawSocket frame has at most 2^24 octets');
  const frame = new Uint8Array(PREFIX_BYTES + size);
  frame[0] = type | (size === 2 ** 24 ? 8 : 0);
  frame[1] = (size >> 16) & 0xff;
  frame[2] = (size >> 8) & 0xff;
  frame[3] = size & 0xff;
  frame.set(octets, PREFIX_BYTES);
  return frame;
}

/** Cuts a stream into frames; holds at most one that is not complete. */
export class RawFrameReader {
  readonly #messageBytesMax: number;
  readonly #onFrame: (type: FrameType, octets: Uint8Array) => void;
  /** What came of a frame that is not complete. */
  #parts: Uint8Array[] = [];
  #have = 0;
  #need = PREFIX_BYTES;

  /** Frames are views into chunks: good during the call of `onFrame` only. */
  constructor(messageBytesMax: number, onFrame: (type: FrameType, octets: Uint8Array) => void) {
    this.#messageBytesMax = messageBytesMax;
    this.#onFrame = onFrame;
  }

  /** Throws MessageError for what is no frame, or longer than agreed; the connection is of no use then. */
  receive(chunk: Uint8Array): void {
    if (this.#have === 0) return this.#cut(chunk);
    this.#parts.push(chunk);
    this.#have += chunk.length;
    if (this.#have < this.#need) return;
    const whole = new Uint8Array(this.#have);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#have = 0;
    this.#cut(whole);
  }

  #cut(bytes: Uint8Array): void {
    let at = 0;
    while (bytes.length - at >= PREFIX_BYTES) {
      const size = this.#frameBytes(bytes, at);
      const end = at + PREFIX_BYTES + size;
      if (end > bytes.length) return this.#keep(bytes.slice(at), PREFIX_BYTES + size);
      this.#onFrame((bytes[at]! & 7) as FrameType, bytes.subarray(at + PREFIX_BYTES, end));
      at = end;
    }
    if (at < bytes.length) this.#keep(bytes.slice(at), PREFIX_BYTES);
  }

  #keep(rest: Uint8Array, need: number): void {
    this.#parts = [rest];
    this.#have = rest.length;
    this.#need = need;
  }

  #frameBytes(bytes: Uint8Array, at: number): number {
    const first = bytes[at]!;
    if (first >> 4 !== 0) throw new MessageError('UNDECODABLE', 'reserved bits of a RawSocket frame are set');
    if ((first & 7) > FrameType.pong) throw new MessageError('UNDECODABLE', 'an unknown RawSocket frame');
    const low = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const isFull = (first & 8) !== 0;
    if (isFull && low !== 0) throw new MessageError('UNDECODABLE', 'a RawSocket length with 25 bits');
    const size = isFull ? 2 ** 24 : low;
    if (size > this.#messageBytesMax) {
      throw new MessageError('TOO_LONG', `a frame of ${size} octets, agreed on ${this.#messageBytesMax}`);
    }
    return size;
  }
}
