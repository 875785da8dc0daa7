import { BaseError } from './errors.js';

/** What a full queue does with one more value. */
export const Overflow = { dropOldest: 'drop-oldest', dropNewest: 'drop-newest', fail: 'fail' } as const;
export type Overflow = (typeof Overflow)[keyof typeof Overflow];

type End = { readonly kind: 'ended' } | { readonly kind: 'failed'; readonly error: unknown };

/** Values that one side pushes and the other takes, one after the other. Holds `limit` of them at most. */
export class AsyncQueue<Value> {
  readonly #limit: number;
  readonly #overflow: Overflow;
  readonly #takers: Deferred<Value | undefined>[] = [];
  #values: Value[] = [];
  #head = 0;
  #end: End | undefined;
  /** How many values a full queue has dropped. */
  dropped = 0;

  constructor(limit: number, overflow: Overflow = Overflow.fail) {
    this.#limit = limit;
    this.#overflow = overflow;
  }

  get size(): number {
    return this.#values.length - this.#head;
  }

  /** False if the queue is full and has failed because of that. */
  push(value: Value): boolean {
    if (this.#end !== undefined) return this.#end.kind !== 'failed';
    const taker = this.#takers.shift();
    if (taker !== undefined) taker.resolve(value);
    else if (this.size < this.#limit) this.#values.push(value);
    else return this.#full(value);
    return true;
  }

  /** The next value; `undefined` when there will be no more. Rejects when the queue has failed, after what it held. */
  async take(): Promise<Value | undefined> {
    if (this.size > 0) return this.#shift();
    if (this.#end?.kind === 'failed') throw this.#end.error;
    if (this.#end !== undefined) return undefined;
    const taker = withResolvers<Value | undefined>();
    this.#takers.push(taker);
    return await taker.promise;
  }

  end(): void {
    this.#finish({ kind: 'ended' });
  }

  fail(error: unknown): void {
    this.#finish({ kind: 'failed', error });
  }

  #finish(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    for (const taker of this.#takers.splice(0)) {
      if (end.kind === 'failed') taker.reject(end.error);
      else taker.resolve(undefined);
    }
  }

  #full(value: Value): boolean {
    this.dropped += 1;
    if (this.#overflow === Overflow.dropOldest) {
      this.#shift();
      this.#values.push(value);
    } else if (this.#overflow === Overflow.fail) {
      this.fail(new BaseError('BACKLOG_FULL', `more than ${this.#limit} values wait to be read`));
      return false;
    }
    return true;
  }

  #shift(): Value {
    const value = this.#values[this.#head]!;
    this.#head += 1;
    // Moved together now and then only: a shift of the array would cost its length each time.
    if (this.#head * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    return value;
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
