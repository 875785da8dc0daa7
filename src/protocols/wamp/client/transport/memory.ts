import { EventBuffer } from './event-buffer.js';
import type { Frame, OpenTransport, Transport, TransportEvents } from './transport.js';
import type { Serializer } from '../serializer/serializer.js';

/* A transport without a network, for tests and for clients that live in the router's process. */

/** The router's end of a link. */
export interface MemoryPeer {
  send(frame: Frame): void;
  close(): void;
}

/** What the router does with what the client sends. */
export interface MemoryHandler {
  onFrame(frame: Frame): void;
  /** Exactly once, whoever closed. */
  onClose(): void;
}

export type MemoryAccept = (serializer: Serializer, peer: MemoryPeer) => MemoryHandler;

/** Connects to what `accept` makes of it. Frames pass in order, each in a microtask of its own; the first serializer is used. */
export function memoryTransport(accept: MemoryAccept): OpenTransport {
  return async ({ serializers }) => new MemoryTransport(accept, serializers[0]!);
}

class MemoryTransport implements Transport {
  readonly serializer: Serializer;
  readonly #events = new EventBuffer();
  readonly #handler: MemoryHandler;
  bufferedBytes = 0;

  constructor(accept: MemoryAccept, serializer: Serializer) {
    this.serializer = serializer;
    this.#handler = accept(serializer, {
      send: (frame) => queueMicrotask(() => this.#received(frame)),
      close: () => this.close(),
    });
  }

  attach(events: TransportEvents): void {
    this.#events.attach(events);
  }

  send(frames: readonly Frame[]): void {
    for (const frame of frames) {
      this.bufferedBytes += frame.length;
      queueMicrotask(() => {
        this.bufferedBytes -= frame.length;
        if (!this.#events.isClosed) this.#handler.onFrame(frame);
      });
    }
  }

  close(): void {
    queueMicrotask(() => {
      if (this.#events.isClosed) return;
      this.#events.onClose('the link was closed');
      this.#handler.onClose();
    });
  }

  #received(frame: Frame): void {
    if (!this.#events.isClosed) this.#events.onFrame(frame);
  }
}
