import type { Frame, TransportEvents } from './transport.js';

/** Keeps what a transport tells until somebody listens; then passes it on. Tells of closing once. */
export class EventBuffer implements TransportEvents {
  #events: TransportEvents | undefined;
  #waiting: Frame[] = [];
  #closed: { readonly reason: string; readonly cause: unknown } | undefined;

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  attach(events: TransportEvents): void {
    this.#events = events;
    const waiting = this.#waiting;
    this.#waiting = [];
    // The listener may attach another one in between: always the latest is told.
    for (const frame of waiting) this.onFrame(frame);
    if (this.#closed !== undefined) this.#events.onClose(this.#closed.reason, this.#closed.cause);
  }

  onFrame(frame: Frame): void {
    if (this.#events === undefined) this.#waiting.push(frame);
    else this.#events.onFrame(frame);
  }

  onClose(reason: string, cause?: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = { reason, cause };
    this.#events?.onClose(reason, cause);
  }
}
