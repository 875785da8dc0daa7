import { AsyncQueue } from './async-queue.js';
import type { Overflow } from './async-queue.js';
import type { AnyClient } from './client.js';
import { EVENTS_WAITING_MAX } from './limits.js';
import type { Subscription } from './subscriber.js';

export interface EventBufferOptions {
  /** How many events may wait to be read. 1,000 unless given. */
  readonly buffer?: number | undefined;
  /** What one event more does. `drop-oldest` unless given. */
  readonly overflow?: Overflow | undefined;
}

/** Events of a topic, to be read at the reader's own pace. Leaving the loop, or disposing of it, ends the subscription. */
export class EventStream<Event> implements AsyncIterableIterator<Event> {
  readonly #queue: AsyncQueue<Event>;
  readonly #subscription: Promise<Subscription>;
  readonly #stopListening: () => void;

  constructor(
    client: AnyClient,
    { buffer = EVENTS_WAITING_MAX, overflow = 'drop-oldest' }: EventBufferOptions,
    subscribe: (push: (event: Event) => void) => Promise<Subscription>,
  ) {
    this.#queue = new AsyncQueue(buffer, overflow);
    this.#subscription = subscribe((event) => void this.#queue.push(event));
    this.#subscription.catch((error: unknown) => this.#queue.fail(error));
    this.#stopListening = client.on('state', (state) => {
      if (state === 'closed') this.end();
    });
  }

  /** Events that found the buffer full. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  /** Resolves when the router has confirmed the subscription. */
  ready(): Promise<Subscription> {
    return this.#subscription;
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    return this.#queue.next();
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    this.end();
    const subscription = await this.#subscription.catch(() => undefined);
    await subscription?.unsubscribe();
    return { done: true, value: undefined };
  }

  /** No more events will come. */
  end(): void {
    this.#queue.end();
    this.#stopListening();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
