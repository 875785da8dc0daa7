/** Two-way stream of whole messages between a client and a room. */
export interface Channel {
  /** Which room it leads to. */
  readonly id: string;
  /** Sends one message; a promise means that the next one should wait for it. */
  send(message: Uint8Array): void | Promise<void>;
  /** What the other side sends. Ends with the channel; throws when it broke. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;
  close(): void | Promise<void>;
}

/** Messages that came and were not taken yet, as an async iterator. */
export class Inbox implements AsyncIterator<Uint8Array> {
  readonly #messages: Uint8Array[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;
  #error: unknown;

  push(message: Uint8Array): void {
    if (this.#isOver) return;
    this.#messages.push(message);
    this.#wake?.();
  }

  end(error?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const value = this.#messages.shift();
      if (value !== undefined) return { done: false, value };
      if (this.#isOver) {
        if (this.#error === undefined) return { done: true, value: undefined };
        throw this.#error;
      }
      await new Promise<void>((resolve) => void (this.#wake = resolve));
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Two channels, each the other's end. Messages are handed over without a copy. */
export function channelPair(id: string): readonly [Channel, Channel] {
  const inboxes = [new Inbox(), new Inbox()] as const;
  const close = (): void => {
    for (const inbox of inboxes) inbox.end();
  };
  const end = (own: Inbox, other: Inbox): Channel => ({
    id,
    send: (message) => other.push(message),
    [Symbol.asyncIterator]: () => own,
    close,
  });
  return [end(inboxes[0], inboxes[1]), end(inboxes[1], inboxes[0])];
}
