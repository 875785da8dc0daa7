import type { LogSource } from '../runtime.js';

// 4 Mi characters: who reads so slowly that this much waits for him is let go.
const WAITING_CHARACTERS_MAX = 4 * 1024 * 1024;

/** A log as it grows, one JSON line per entry, until the reader leaves or falls too far behind. */
export class LogLines implements AsyncIterableIterator<string> {
  readonly #stop: () => void;
  #waiting: string;
  #hasEnded = false;
  #wake: (() => void) | undefined;

  /** @param start lines to begin with. */
  constructor(source: LogSource, start: string, signal: AbortSignal) {
    this.#waiting = start;
    this.#stop = source.follow((entry) => this.#add(`${JSON.stringify(entry)}\n`));
    if (signal.aborted) this.#end();
    else signal.addEventListener('abort', () => this.#end(), { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    if (this.#waiting === '' && !this.#hasEnded) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#waiting === '') return { done: true, value: undefined };
    const value = this.#waiting;
    this.#waiting = '';
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<string, undefined>> {
    this.#waiting = '';
    this.#end();
    return { done: true, value: undefined };
  }

  #add(line: string): void {
    this.#waiting += line;
    if (this.#waiting.length > WAITING_CHARACTERS_MAX) this.#end();
    this.#wake?.();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stop();
    this.#wake?.();
  }
}
