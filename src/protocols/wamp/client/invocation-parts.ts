import type { AsyncQueue } from './async-queue.js';
import type { Interrupt, WampError } from './errors.js';
import type { InvocationProgress, InvocationResult, WampArguments, misuse } from './results.js';

/*
 * What answers calls (`invocations.ts` and what it imports) is loaded with the first registration. It imports nothing that a page has
 * already, but is handed it, once: bundlers would cut what is imported by both out into a file of its own.
 */
export interface InvocationParts {
  readonly AsyncQueue: typeof AsyncQueue;
  readonly Interrupt: typeof Interrupt;
  readonly InvocationProgress: typeof InvocationProgress;
  readonly InvocationResult: typeof InvocationResult;
  readonly WampArguments: typeof WampArguments;
  readonly WampError: typeof WampError;
  readonly misuse: typeof misuse;
}

export let parts: InvocationParts;

export function takeParts(given: InvocationParts): void {
  parts = given;
}
