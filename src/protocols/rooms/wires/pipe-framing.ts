import { WireError } from '../../../base/wire-error.js';

/*
 * Messages in a byte stream.
 *
 * `length`: u32 big-endian length, message.
 * `wiredb`: message, then the separator E2 A4 83 79 F0 4D 64 34; the stop marker 50 83 DA F4 C6 2F 92 D6 ends the stream. It has no
 * lengths, so a message that holds a marker, or is longer than 64 KiB, cannot be sent: sending one throws.
 */

export type PipeFraming = 'length' | 'wiredb';

const SEPARATOR = Buffer.from('e2a48379f04d6434', 'hex');
const STOP = Buffer.from('5083daf4c62f92d6', 'hex');
// wiredb reads no more.
const WIREDB_BYTES_MAX = 65_536;
// As a frame over WebSocket.
const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;

export function encodePipeMessage(message: Uint8Array, framing: PipeFraming): Uint8Array {
  if (framing === 'length') {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(message.length);
    return Buffer.concat([header, message]);
  }
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
  if (bytes.length > WIREDB_BYTES_MAX || bytes.includes(SEPARATOR) || bytes.includes(STOP))
    throw new WireError(
      'BAD_LENGTH',
      "wiredb's pipe cannot carry this message; both ends can use framing 'length'",
    );
  return Buffer.concat([bytes, SEPARATOR]);
}

/** What is written last. wiredb's reader does not notice the end of a stream: without its marker it reads nothing for ever. */
export function endOfPipe(framing: PipeFraming): Uint8Array {
  return framing === 'wiredb' ? STOP : new Uint8Array(0);
}

/** Cuts a stream into messages. */
export class PipeDecoder {
  readonly #framing: PipeFraming;
  #rest: Buffer = Buffer.alloc(0);
  isStopped = false;

  constructor(framing: PipeFraming) {
    this.#framing = framing;
  }

  /** The messages that are complete with this chunk. Throws WireError for one that is too long. */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const messages: Uint8Array[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) messages.push(next);
    return messages;
  }

  #next(): Uint8Array | undefined {
    if (this.isStopped) return undefined;
    return this.#framing === 'length' ? this.#nextByLength() : this.#nextBySeparator();
  }

  #nextByLength(): Uint8Array | undefined {
    if (this.#rest.length < 4) return undefined;
    const length = this.#rest.readUInt32BE();
    if (length > MESSAGE_BYTES_MAX) throw new WireError('BAD_LENGTH', `a message of ${length} bytes`);
    if (this.#rest.length < 4 + length) return undefined;
    return this.#take(4, 4 + length, 4 + length);
  }

  #nextBySeparator(): Uint8Array | undefined {
    const at = this.#rest.indexOf(SEPARATOR);
    const stop = this.#rest.indexOf(STOP);
    if (stop >= 0 && (at < 0 || stop < at)) {
      this.isStopped = true;
      return undefined;
    }
    if (at >= 0) return this.#take(0, at, at + SEPARATOR.length);
    if (this.#rest.length > MESSAGE_BYTES_MAX) throw new WireError('BAD_LENGTH', 'a message without an end');
    return undefined;
  }

  #take(from: number, to: number, next: number): Uint8Array {
    const message = Uint8Array.prototype.slice.call(this.#rest, from, to);
    this.#rest = this.#rest.subarray(next);
    return message;
  }
}
