import { InvocationProgress, InvocationResult } from './results.js';

/**
 * Turns the meaning of the last yield around: each value is held back one step, so that the last one is the result. For handlers
 * that were written that way.
 *
 *     client.register('com.app.report', lastYieldIsResult(async function* () { yield part; yield total; }))
 */
export function lastYieldIsResult<I>(
  handler: (invocation: I) => AsyncIterable<unknown> | Iterable<unknown>,
): (invocation: I) => AsyncGenerator<unknown, unknown> {
  return async function* heldBack(invocation) {
    let last: { readonly value: unknown } | undefined;
    for await (const value of handler(invocation)) {
      if (last !== undefined) yield last.value;
      last = undefined;
      if (value instanceof InvocationProgress || value instanceof InvocationResult) yield value;
      else last = { value };
    }
    return last?.value;
  };
}
