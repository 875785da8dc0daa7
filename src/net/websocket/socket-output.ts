import type { Duplex } from 'node:stream';

import { Backlog } from './backlog.js';
import type { BufferJoiner } from './buffer-joiner.js';
import { type OutputArena, OutputQueue } from './output-queue.js';

// What is joined into one write; more goes out as a vector.
const JOIN_BYTES_MAX = 64 * 1024;
// What one catch-up writes: the rest stays in packed memory.
const CATCH_UP_BYTES = 256 * 1024;

/**
 * The queue of a socket, and how it gets there: one write per turn while the peer keeps up, else into a packed
 * backlog that follows as the socket drains.
 */
export class SocketOutput extends OutputQueue {
  /** Where it goes. Changes at most once, before the first flush. */
  socket: Duplex;
  readonly #joiner: BufferJoiner;
  #backlog: Backlog | undefined;

  constructor(socket: Duplex, arena: OutputArena, joiner: BufferJoiner) {
    super(arena);
    this.socket = socket;
    this.#joiner = joiner;
  }

  /** Octets that the kernel has not taken. */
  get unsentBytes(): number {
    return this.bytes + (this.#backlog?.bytes ?? 0) + this.socket.writableLength;
  }

  /** Whether the socket has to drain before it takes more. */
  get isBehind(): boolean {
    return this.#backlog !== undefined;
  }

  /** Forgets what the socket has not been given. The socket only ever gets whole frames. */
  discard(): void {
    this.clear();
    this.#backlog = undefined;
  }

  /** Writes what was queued. */
  flush(): void {
    const output = this.take();
    if (output === undefined) return;
    const socket = this.socket;
    if (this.#backlog !== undefined || socket.writableLength > 0) {
      this.#backlog ??= new Backlog();
      if (output instanceof Uint8Array) this.#backlog.append(output);
      else for (const part of output) this.#backlog.append(part);
      this.catchUp();
    } else if (output instanceof Uint8Array) {
      socket.write(output);
    } else {
      this.#writeParts(output);
    }
  }

  /** Moves the backlog into the socket until that wants to drain first. */
  catchUp(): void {
    const backlog = this.#backlog;
    if (backlog === undefined) return;
    while (backlog.bytes > 0 && !this.socket.writableNeedDrain) {
      this.#writeParts(backlog.take(CATCH_UP_BYTES));
    }
    if (backlog.bytes === 0) this.#backlog = undefined;
  }

  #writeParts(parts: readonly Uint8Array[]): void {
    const socket = this.socket;
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    if (parts.length === 1) socket.write(parts[0]);
    else if (bytes <= JOIN_BYTES_MAX) socket.write(this.#joiner.join(parts, bytes));
    else {
      socket.cork();
      for (const part of parts) socket.write(part);
      socket.uncork();
    }
  }
}
