import { BaseError, InvalidArgument } from './errors.js';
import { NO_KWARGS } from './payload.js';
import type { Args, Dict, Kwargs } from './payload.js';

/** Positional and named values of a result, an invocation or an event. */
export class WampArguments<A extends Args = Args, K extends object = Kwargs> {
  readonly args: A;
  readonly kwargs: K;
  readonly details: Dict;

  constructor(args: A, kwargs: K, details: Dict = NO_KWARGS) {
    this.args = args;
    this.kwargs = kwargs;
    this.details = details;
  }

  /** How many positional values there are. */
  get length(): number {
    return this.args.length;
  }

  /** Whether there is a named value. */
  has(key: string): boolean {
    return Object.hasOwn(this.kwargs, key);
  }

  /** A positional value (by number) or a named one. Throws InvalidArgument if there is none and no fallback. */
  get(key: number | string, ...fallback: [unknown?]): unknown {
    const values: object = typeof key === 'number' ? this.args : this.kwargs;
    if (Object.hasOwn(values, key)) return (values as Kwargs)[key];
    if (fallback.length > 0) return fallback[0];
    throw new InvalidArgument([`there is no argument ${JSON.stringify(key)}`], { key });
  }

  [Symbol.iterator](): IterableIterator<unknown> {
    return this.args[Symbol.iterator]();
  }
}

/** The final result of a call; or, returned by a handler, a result with several or named values. */
export class InvocationResult<A extends Args = Args, K extends object = Kwargs> extends WampArguments<A, K> {
  /** What awaiting the call gives: the first positional value. */
  get value(): A[0] {
    return this.args[0];
  }
}

/** A progressive result; or, yielded by a handler, one with several or named values. */
export class InvocationProgress<A extends Args = Args, K extends object = Kwargs> extends WampArguments<
  A,
  K
> {
  get value(): A[0] {
    return this.args[0];
  }
}

/** `return result([1, 2], { unit: 'm' })` in a handler. */
export function result(args: Args, kwargs: Kwargs = NO_KWARGS): InvocationResult {
  return new InvocationResult(args, kwargs);
}

/** `yield progress([1, 2])` in a handler. */
export function progress(args: Args, kwargs: Kwargs = NO_KWARGS): InvocationProgress {
  return new InvocationProgress(args, kwargs);
}

export function misuse(message: string): BaseError {
  return new BaseError('MISUSE', message);
}
