import { attempt } from '../attempt.js';

/** Callbacks of one kind. One that throws, or whose promise rejects, is reported and keeps nobody else from being called. */
export class CallbackList<A extends readonly unknown[]> {
  // Replaced, never changed: who is registered while the others are called waits for the next time.
  #callbacks: readonly ((...args: A) => unknown)[] = [];

  add(callback: (...args: A) => unknown): void {
    if (typeof callback !== 'function') throw new TypeError('a callback is a function');
    this.#callbacks = [...this.#callbacks, callback];
  }

  /** Takes out what was added, as often as it was. */
  remove(callback: (...args: A) => unknown): void {
    this.#callbacks = this.#callbacks.filter((other) => other !== callback);
  }

  get size(): number {
    return this.#callbacks.length;
  }

  /** @param isOpen asked before each: what a callback closes, calls no more. */
  call(args: A, onThrow: (error: unknown) => void, isOpen: () => boolean): void {
    for (const callback of this.#callbacks) {
      if (!isOpen()) return;
      runCallback(() => callback(...args), onThrow);
    }
  }
}

/** Calls an application's function, which may be asynchronous; nobody waits for it. */
export function runCallback(call: () => unknown, onThrow: (error: unknown) => void): void {
  attempt(() => {
    const result = call();
    if (result instanceof Promise) result.catch(onThrow);
  }, onThrow);
}
