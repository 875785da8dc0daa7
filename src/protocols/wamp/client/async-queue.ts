import { BaseError } from './errors.js';

/** What a full queue does with one more value. */
export const Overflow = { dropOldest: 'drop-oldest', dropNewest: 'drop-newest', fail: 'fail' } as const;
export type Overflow = (typeof Overflow)[keyof typeof Overflow];

/** A place in the queue: filled, waited for, or both. */
interface Slot<Value> extends Deferred<Value | undefined> {
  next?: Slot<Value>;
}

/** Values that one side pushes and the other takes, one after the other. Holds `limit` of them at most. */
export class AsyncQueue<Value> {
  readonly #limit: number;
  readonly #overflow: Overflow;
  /** The next one to be taken, and the next one to be filled. Either may be ahead of the other. */
  #taken: Slot<Value> = withResolvers();
  #filled = this.#taken;
  #end: 'ended' | 'failed' | undefined;
  /** How many values wait; less than none if so many takers do. */
  #size = 0;
  /** How many values a full queue has dropped. */
  dropped = 0;

  constructor(limit: number, overflow: Overflow = Overflow.fail) {
    this.#limit = limit;
    this.#overflow = overflow;
  }

  /** False if the queue is full and has failed because of that. */
  push(value: Value): boolean {
    if (this.#end !== undefined) return this.#end === 'ended';
    if (this.#size >= this.#limit) {
      this.dropped += 1;
      if (this.#overflow === Overflow.dropNewest) return true;
      if (this.#overflow === Overflow.fail) {
        this.fail(new BaseError('BACKLOG_FULL', `more than ${this.#limit} values wait to be read`));
        return false;
      }
      void this.take();
    }
    this.#size += 1;
    this.#filled.resolve(value);
    this.#filled = this.#filled.next ??= withResolvers();
    return true;
  }

  /** The next value; `undefined` when there will be no more. Rejects when the queue has failed, after what it held. */
  async take(): Promise<Value | undefined> {
    const slot = this.#taken;
    if (this.#end === undefined || slot !== this.#filled) {
      this.#size -= 1;
      this.#taken = slot.next ??= withResolvers();
    }
    return await slot.promise;
  }

  /** `take`, for iterators. */
  async next(): Promise<IteratorResult<Value, undefined>> {
    const value = await this.take();
    return value === undefined ? { done: true, value: undefined } : { done: false, value };
  }

  end(): void {
    this.#finish('ended', undefined);
  }

  fail(error: unknown): void {
    this.#finish('failed', error);
  }

  #finish(end: 'ended' | 'failed', error: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    // All who wait are told; who comes later finds the last one.
    for (let slot: Slot<Value> | undefined = this.#filled; slot !== undefined; slot = slot.next) {
      this.#filled = slot;
      slot.promise.catch(() => {});
      if (end === 'failed') slot.reject(error);
      else slot.resolve(undefined);
    }
  }
}

/** What `Promise.withResolvers` returns, which Node has since 22. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

export function withResolvers<Value>(): Deferred<Value> {
  let resolve!: (value: Value) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
