import type * as queue from './async-queue.js';
import type * as errors from './errors.js';
import type { Args } from './payload.js';
import type * as results from './results.js';

/*
 * What answers calls (`invocations.ts` and what it imports) is loaded with the first registration. It imports nothing that a page has
 * already, but is handed it, once: bundlers would cut what is imported by both out into a file of its own.
 */

export let AsyncQueue: typeof queue.AsyncQueue;
export type AsyncQueue<Value> = queue.AsyncQueue<Value>;
export let Interrupt: typeof errors.Interrupt;
export type Interrupt = errors.Interrupt;
export let InvocationProgress: typeof results.InvocationProgress;
export let InvocationResult: typeof results.InvocationResult;
export let WampArguments: typeof results.WampArguments;
export type WampArguments<A extends Args, K extends object> = results.WampArguments<A, K>;
export let WampError: typeof errors.WampError;
export type WampError = errors.WampError;
export let misuse: typeof results.misuse;

/** In the order in which they stand above. */
export type InvocationParts = readonly [
  typeof AsyncQueue,
  typeof Interrupt,
  typeof InvocationProgress,
  typeof InvocationResult,
  typeof WampArguments,
  typeof WampError,
  typeof misuse,
];

export function takeParts(parts: InvocationParts): void {
  [AsyncQueue, Interrupt, InvocationProgress, InvocationResult, WampArguments, WampError, misuse] = parts;
}
