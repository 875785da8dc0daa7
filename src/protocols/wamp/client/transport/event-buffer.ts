import type { Frame, TransportEvents } from './transport.js';

/** Keeps what a transport tells until somebody listens; then passes it on. Tells of closing once. */
export class EventBuffer implements TransportEvents {
  #events: TransportEvents | undefined;
  #waiting: ((events: TransportEvents) => void)[] = [];
  isClosed = false;

  attach(events: TransportEvents): void {
    this.#events = events;
    // The listener may attach another one in between: always the latest is told.
    for (const tell of this.#waiting.splice(0)) tell(this.#events);
  }

  onFrame(frame: Frame): void {
    if (this.#events === undefined) this.#waiting.push((events) => events.onFrame(frame));
    else this.#events.onFrame(frame);
  }

  onClose(reason: string, cause?: unknown): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const tell = (events: TransportEvents): void => events.onClose(reason, cause);
    // Who listens from now on is told, too.
    this.#waiting.push(tell);
    if (this.#events !== undefined) tell(this.#events);
  }
}
