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
  /** What those are told who take what will not come. */
  #end: Promise<undefined> | undefined;
  /** How many values wait; less than none if so many takers do. */
  #size = 0;
  /** How many values a full queue has dropped. */
  dropped = 0;

  constructor(limit: number, overflow: Overflow = 'fail') {
    this.#limit = limit;
    this.#overflow = overflow;
  }

  /** Returns why the queue has failed, if it did because it is full. */
  push(value: Value): BaseError | undefined {
    if (this.#end !== undefined) return undefined;
    if (this.#size >= this.#limit) {
      this.dropped += 1;
      if (this.#overflow === 'drop-newest') return undefined;
      if (this.#overflow === 'fail') {
        const error = new BaseError('BACKLOG_FULL', `more than ${this.#limit} wait`);
        this.fail(error);
        return error;
      }
      void this.take();
    }
    this.#size += 1;
    this.#filled.resolve(value);
    this.#filled = this.#filled.next ??= withResolvers();
    return undefined;
  }

  /** The next value; `undefined` when there will be no more. Rejects when the queue has failed, after what it held. */
  take(): Promise<Value | undefined> {
    const slot = this.#taken;
    if (this.#end === undefined || slot !== this.#filled) {
      this.#size -= 1;
      this.#taken = slot.next ??= withResolvers();
    }
    return slot.promise;
  }

  /** `take`, for iterators. */
  async next(): Promise<IteratorResult<Value, undefined>> {
    const value = await this.take();
    return { done: value === undefined, value } as IteratorResult<Value, undefined>;
  }

  /** No more values will come. */
  end(end: Promise<undefined> = Promise.resolve(undefined)): void {
    end.catch(() => {});
    this.#end ??= end;
    // All who wait are told; who comes later finds the last one.
    for (let slot: Slot<Value> | undefined = this.#filled; slot !== undefined; slot = slot.next) {
      this.#filled = slot;
      slot.resolve(this.#end);
      slot.promise.catch(() => {});
    }
  }

  fail(error: unknown): void {
    this.end(Promise.reject(error));
  }
}

/** What `Promise.withResolvers` returns, which Node has since 22. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value | PromiseLike<Value>) => void;
  readonly reject: (error: unknown) => void;
}

export function withResolvers<Value>(): Deferred<Value> {
  let resolve!: Deferred<Value>['resolve'];
  let reject!: Deferred<Value>['reject'];
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
