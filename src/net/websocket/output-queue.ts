import { headerBytes, type Opcode, writeHeader } from './frame.js';

// One slab serves about a thousand small messages. It is never reused: the garbage collector knows when the
// last socket has let go of it.
const SLAB_BYTES = 64 * 1024;
// What Node reads at most at a time.
const READ_BYTES = 64 * 1024;
/** From this size on a payload is written from where it is; below, copying is cheaper than another iovec. */
export const COPY_BYTES_MAX = 4096;

/**
 * Memory that the queues of all connections of a listener fill in turns. As long as one connection writes, its
 * frames lie side by side, so a turn's replies are one buffer without being joined.
 */
export class OutputArena {
  /** Where the reads of all connections land, one after the other. What is kept of it is copied. */
  readonly readMemory: Uint8Array<ArrayBuffer> = new Uint8Array(READ_BYTES);
  slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  offset = 0;
  owner: OutputQueue | undefined;

  renew(): void {
    this.slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.offset = 0;
  }
}

/** What one connection sends in this turn: frames, in order, as few buffers as possible. */
export class OutputQueue {
  readonly #arena: OutputArena;
  /** Where the open piece of the arena began; meaningful while this queue owns the arena. */
  #openStart = 0;
  #first: Uint8Array | undefined;
  #rest: Uint8Array[] | undefined;
  bytes = 0;

  constructor(arena: OutputArena) {
    this.#arena = arena;
  }

  /** Queues one message. Parts below COPY_BYTES_MAX are copied, larger ones must not change any more. */
  pushMessage(opcode: Opcode, parts: readonly Uint8Array[]): void {
    let payloadBytes = 0;
    for (const part of parts) payloadBytes += part.length;
    const arena = this.#arena;
    if (payloadBytes < COPY_BYTES_MAX) {
      let at = this.#reserve(headerBytes(payloadBytes) + payloadBytes);
      at = writeHeader(arena.slab, at, opcode, payloadBytes);
      for (const part of parts) at = copyInto(arena.slab, at, part);
      return;
    }
    // The place first: reserving may renew the slab.
    const headerAt = this.#reserve(headerBytes(payloadBytes));
    writeHeader(arena.slab, headerAt, opcode, payloadBytes);
    for (const part of parts) {
      if (part.length < COPY_BYTES_MAX) {
        const at = this.#reserve(part.length);
        copyInto(arena.slab, at, part);
      } else this.pushShared(part.buffer === arena.readMemory.buffer ? part.slice() : part);
    }
  }

  pushText(opcode: Opcode, text: string): void {
    const payloadBytes = Buffer.byteLength(text, 'utf8');
    if (payloadBytes >= COPY_BYTES_MAX) return this.pushMessage(opcode, [Buffer.from(text, 'utf8')]);
    const at = this.#reserve(headerBytes(payloadBytes) + payloadBytes);
    const slab = this.#arena.slab;
    slab.write(text, writeHeader(slab, at, opcode, payloadBytes), payloadBytes, 'utf8');
  }

  /** Queues latin1 text as it is, without a frame. */
  pushRaw(text: string): void {
    if (text.length >= COPY_BYTES_MAX) return this.pushShared(Buffer.from(text, 'latin1'));
    const at = this.#reserve(text.length);
    this.#arena.slab.write(text, at, 'latin1');
  }

  /** Queues octets that are shared with others and will not change. */
  pushShared(bytes: Uint8Array): void {
    this.#seal();
    this.bytes += bytes.length;
    this.#add(bytes);
  }

  /** All that was queued, as buffers to be written in this order. The queue is empty then. */
  take(): Uint8Array | readonly Uint8Array[] | undefined {
    this.#seal();
    const first = this.#first;
    if (first === undefined) return undefined;
    const rest = this.#rest;
    this.clear();
    return rest ?? first;
  }

  clear(): void {
    if (this.#arena.owner === this) this.#arena.owner = undefined;
    this.#first = undefined;
    this.#rest = undefined;
    this.bytes = 0;
  }

  #reserve(count: number): number {
    const arena = this.#arena;
    if (arena.owner !== this) {
      if (arena.owner !== undefined) arena.owner.#seal();
      arena.owner = this;
      this.#openStart = arena.offset;
    }
    if (arena.offset + count > SLAB_BYTES) {
      this.#seal();
      arena.renew();
      arena.owner = this;
      this.#openStart = 0;
    }
    const at = arena.offset;
    arena.offset = at + count;
    this.bytes += count;
    return at;
  }

  /** Closes the open piece, if it is this queue's. */
  #seal(): void {
    const arena = this.#arena;
    if (arena.owner !== this) return;
    arena.owner = undefined;
    if (arena.offset > this.#openStart) this.#add(arena.slab.subarray(this.#openStart, arena.offset));
  }

  #add(bytes: Uint8Array): void {
    if (this.#first === undefined) this.#first = bytes;
    else if (this.#rest === undefined) this.#rest = [this.#first, bytes];
    else this.#rest.push(bytes);
  }
}

// Below this a loop beats the call (measured).
const LOOP_BYTES_MAX = 48;

function copyInto(target: Uint8Array, at: number, source: Uint8Array): number {
  const count = source.length;
  if (count > LOOP_BYTES_MAX) target.set(source, at);
  else for (let i = 0; i < count; i++) target[at + i] = source[i]!;
  return at + count;
}
