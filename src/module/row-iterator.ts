/**
 * Rows one after the other. Iterable, and with the methods of the platform's iterator helpers, which Node 20 lacks;
 * each can be gone through once.
 *
 * @example
 * const names = ctx.db.user.iter().filter((user) => user.online).map((user) => user.name).toArray();
 */
export class RowIterator<T> implements IterableIterator<T> {
  readonly #source: Iterator<T>;

  constructor(source: Iterable<T>) {
    this.#source = source[Symbol.iterator]();
  }

  next(): IteratorResult<T> {
    return this.#source.next();
  }

  return(value?: unknown): IteratorResult<T> {
    this.#source.return?.();
    return { done: true, value };
  }

  [Symbol.iterator](): this {
    return this;
  }

  map<U>(change: (value: T, index: number) => U): RowIterator<U> {
    return new RowIterator(mapped(this, change));
  }

  filter(keep: (value: T, index: number) => boolean): RowIterator<T> {
    return new RowIterator(kept(this, keep));
  }

  flatMap<U>(change: (value: T, index: number) => Iterable<U>): RowIterator<U> {
    return new RowIterator(flattened(this, change));
  }

  take(limit: number): RowIterator<T> {
    return new RowIterator(taken(this, limit));
  }

  drop(count: number): RowIterator<T> {
    return this.filter((_value, index) => index >= count);
  }

  toArray(): T[] {
    return [...this];
  }

  forEach(visit: (value: T, index: number) => void): void {
    let index = 0;
    for (const value of this) visit(value, index++);
  }

  some(test: (value: T, index: number) => boolean): boolean {
    return !this.filter(test).next().done;
  }

  every(test: (value: T, index: number) => boolean): boolean {
    return !this.some((value, index) => !test(value, index));
  }

  find(test: (value: T, index: number) => boolean): T | undefined {
    const found = this.filter(test).next();
    return found.done ? undefined : found.value;
  }

  reduce<A>(add: (sum: A, value: T, index: number) => A, start: A): A {
    let sum = start;
    this.forEach((value, index) => (sum = add(sum, value, index)));
    return sum;
  }
}

function* mapped<T, U>(source: Iterable<T>, change: (value: T, index: number) => U): Generator<U> {
  let index = 0;
  for (const value of source) yield change(value, index++);
}

function* kept<T>(source: Iterable<T>, keep: (value: T, index: number) => boolean): Generator<T> {
  let index = 0;
  for (const value of source) if (keep(value, index++)) yield value;
}

function* flattened<T, U>(
  source: Iterable<T>,
  change: (value: T, index: number) => Iterable<U>,
): Generator<U> {
  let index = 0;
  for (const value of source) yield* change(value, index++);
}

function* taken<T>(source: Iterable<T>, limit: number): Generator<T> {
  if (limit <= 0) return;
  let left = limit;
  for (const value of source) {
    yield value;
    left -= 1;
    if (left <= 0) return;
  }
}
