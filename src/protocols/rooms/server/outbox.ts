import { headerBytes, Opcode, writeHeader } from '../../../net/websocket/frame.js';

const NOTHING = new Uint8Array(0);
// Message type, kind, and the longest length of an update there is.
const HEAD_BYTES_MAX = 2 + 5;

/**
 * The updates of one room that wait for the disk, as messages one behind the other in one buffer: an object each would be what a busy room
 * costs most.
 *
 * | type   | u8      | 0: sync   |
 * | kind   | u8      | 2: update |
 * | update | varuint length, bytes |
 */
export class Outbox {
  #bytes: Uint8Array = NOTHING;
  /** By update: its offset in the log. */
  readonly #offsets: number[] = [];
  /** By update: where its message ends. */
  readonly #ends: number[] = [];

  get count(): number {
    return this.#offsets.length;
  }

  add(offset: number, update: Uint8Array): void {
    let at = this.#ends.at(-1) ?? 0;
    this.#reserve(at + HEAD_BYTES_MAX + update.length);
    const bytes = this.#bytes;
    bytes[at++] = 0;
    bytes[at++] = 2;
    let rest = update.length;
    for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
    bytes.set(update, at);
    this.#offsets.push(offset);
    this.#ends.push(at + update.length);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(256, bytes, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  /** How many of them, from the oldest, have come up to `offset`. */
  countUpTo(offset: number): number {
    if (this.#offsets.length === 0 || this.#offsets.at(-1)! <= offset) return this.#offsets.length;
    let count = 0;
    while (this.#offsets[count]! <= offset) count += 1;
    return count;
  }

  /** The first `count` of them and `last`, a WebSocket frame each, with `prefix` in front of each message. */
  frames(count: number, prefix: Uint8Array, last: Uint8Array | undefined): Uint8Array {
    let bytes = last === undefined ? 0 : frameBytes(prefix.length + last.length);
    for (let i = 0; i < count; i++) bytes += frameBytes(prefix.length + this.#end(i) - this.#end(i - 1));
    // Own memory, not a slice of Node's pool: a slow socket that keeps it must not keep anything else.
    const frames = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (let i = 0; i < count; i++)
      at = writeFrame(frames, at, prefix, this.#bytes, this.#end(i - 1), this.#end(i));
    if (last !== undefined) writeFrame(frames, at, prefix, last, 0, last.length);
    return frames;
  }

  /** Forgets the first `count` of them. Gives the offset of the last of those. */
  drop(count: number): number {
    const offset = this.#offsets[count - 1]!;
    const dropped = this.#end(count - 1);
    this.#offsets.splice(0, count);
    this.#ends.splice(0, count);
    if (this.#ends.length === 0) {
      this.#bytes = NOTHING;
    } else {
      this.#bytes.copyWithin(0, dropped, dropped + this.#ends.at(-1)! - dropped);
      for (let i = 0; i < this.#ends.length; i++) this.#ends[i]! -= dropped;
    }
    return offset;
  }

  #end(index: number): number {
    return index < 0 ? 0 : this.#ends[index]!;
  }
}

const frameBytes = (payloadBytes: number): number => headerBytes(payloadBytes) + payloadBytes;

// Up to here byte by byte: a view costs as much as some dozen bytes.
const SHORT_BYTES = 48;

function writeFrame(
  target: Buffer,
  start: number,
  prefix: Uint8Array,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  const size = to - from;
  let at = writeHeader(target, start, Opcode.binary, prefix.length + size);
  if (prefix.length > 0) target.set(prefix, at);
  at += prefix.length;
  if (size > SHORT_BYTES) target.set(bytes.subarray(from, to), at);
  else for (let i = 0; i < size; i++) target[at + i] = bytes[from + i]!;
  return at + size;
}
