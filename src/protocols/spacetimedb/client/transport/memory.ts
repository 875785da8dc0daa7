import type { OpenTransport, Transport, TransportEvents, TransportRequest } from './transport.js';

/*
 * A transport without a socket: frames pass through memory, in order, each in a microtask of its own, never inside
 * the call that sent it. For tests, and for clients that live in the server's process.
 */

/** The server's end of a memory link. */
export interface MemoryPeer {
  /** Sends one frame to the client. The bytes are copied. */
  send(frame: Uint8Array): void;
  close(code: number, reason: string): void;
}

/** What the server does with what the client sends. */
export interface MemoryHandler {
  onMessage(frame: Uint8Array): void;
  /** Exactly once, whoever closed. */
  onClose(code: number, reason: string): void;
}

export type MemoryAccept = (
  request: TransportRequest,
  peer: MemoryPeer,
) =>
  | { readonly kind: 'accept'; readonly protocol: string; readonly handler: MemoryHandler }
  | { readonly kind: 'reject'; readonly reason: string };

/** Connects to whatever `accept` returns, without a network. */
export function memoryTransport(accept: MemoryAccept): OpenTransport {
  return (request, events) => new MemoryTransport(accept, request, events);
}

class MemoryTransport implements Transport {
  readonly #events: TransportEvents;
  #handler: MemoryHandler | undefined;
  #isClosed = false;
  bufferedBytes = 0;

  constructor(accept: MemoryAccept, request: TransportRequest, events: TransportEvents) {
    this.#events = events;
    this.#later(() => this.#open(accept, request));
  }

  send(frame: Uint8Array): void {
    this.bufferedBytes += frame.length;
    this.#later(() => {
      this.bufferedBytes -= frame.length;
      if (!this.#isClosed) this.#handler?.onMessage(frame);
    });
  }

  close(code = 1000, reason = ''): void {
    this.#later(() => this.#close(code, reason));
  }

  #open(accept: MemoryAccept, request: TransportRequest): void {
    if (this.#isClosed) return;
    const answer = accept(request, {
      send: (frame) => {
        const copy = frame.slice();
        this.#later(() => {
          if (!this.#isClosed) this.#events.onMessage(copy);
        });
      },
      close: (code, reason) => this.#later(() => this.#close(code, reason)),
    });
    if (answer.kind === 'reject') {
      this.#close(1006, answer.reason);
      return;
    }
    this.#handler = answer.handler;
    this.#events.onOpen(answer.protocol);
  }

  #close(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handler?.onClose(code, reason);
    this.#events.onClose({ code, reason });
  }

  #later(step: () => void): void {
    queueMicrotask(step);
  }
}
