import { QueueEmpty } from './errors.js';

/** A first-in, first-out queue between tasks. Without `maxsize` it has no bound; with one, `put` waits for room. */
export class AsyncQueue<Item> {
  readonly #items: Item[] = [];
  readonly #maxsize: number;
  #getters: (() => void)[] = [];
  #putters: (() => void)[] = [];
  #joiners: (() => void)[] = [];
  #unfinished = 0;

  constructor(maxsize = 0) {
    this.#maxsize = maxsize;
  }

  qsize(): number {
    return this.#items.length;
  }

  empty(): boolean {
    return this.#items.length === 0;
  }

  full(): boolean {
    return this.#maxsize > 0 && this.#items.length >= this.#maxsize;
  }

  async put(item: Item): Promise<void> {
    while (this.full()) await new Promise<void>((resolve) => void this.#putters.push(resolve));
    this.#items.push(item);
    this.#unfinished++;
    this.#getters.shift()?.();
  }

  async get(): Promise<Item> {
    while (this.empty()) await new Promise<void>((resolve) => void this.#getters.push(resolve));
    return this.getNowait();
  }

  /** Throws QueueEmpty. */
  getNowait(): Item {
    if (this.empty()) throw new QueueEmpty('the queue is empty');
    const item = this.#items.shift()!;
    this.#putters.shift()?.();
    return item;
  }

  /** Says that an item that was got has been worked on. */
  taskDone(): void {
    if (this.#unfinished === 0) throw new Error('taskDone() was called more often than put()');
    if (--this.#unfinished === 0) for (const resolve of this.#joiners.splice(0)) resolve();
  }

  /** Resolves when every item that was put has been worked on. */
  async join(): Promise<void> {
    if (this.#unfinished > 0) await new Promise<void>((resolve) => void this.#joiners.push(resolve));
  }
}
