import type { Invocation } from './invocation.js';
import { Interrupt, InvocationProgress, InvocationResult, WampArguments } from './invocation-parts.js';
import type { Link } from './link.js';
import type * as Uris from '../messages/uris.js';
import type { Arguments } from './payload.js';

/*
 * What handlers do with an invocation:
 *
 *   return / resolve with a value     the result: nothing for undefined, an InvocationResult as it is, else one value
 *   throw / reject                    ERROR, by the client's error map
 *   generators: yield a value         progress, for callers who want it
 *               yield InvocationResult  the result, at once; the generator is ended
 *               return a value        the result
 *
 * An interrupted generator has the Interrupt thrown into it at its next yield; it may still return something.
 */

const CANCELED: typeof Uris.canceled = 'wamp.error.canceled';
const RUNTIME_ERROR: typeof Uris.runtimeError = 'wamp.error.runtime_error';

type AnyGenerator = Generator<unknown, unknown> | AsyncGenerator<unknown, unknown>;

/** Runs a handler and answers with what comes of it: at once, if it does. Never throws. */
export function runHandler(
  link: Link,
  invocation: Invocation,
  handler: (invocation: Invocation) => unknown,
): void {
  const failed = (error: unknown): void => answerError(link, invocation, error);
  const finished = (value: unknown): void => {
    if (invocation.done) return;
    const { args, kwargs } = toArguments(value);
    invocation.sendResult(args, { kwargs });
  };
  try {
    const returned = handler(invocation);
    const handled = isGenerator(returned) ? runGenerator(invocation, returned) : returned;
    if (isThenable(handled)) void Promise.resolve(handled).then(finished).catch(failed);
    else finished(handled);
  } catch (error) {
    failed(error);
  }
}

async function runGenerator(invocation: Invocation, generator: AnyGenerator): Promise<unknown> {
  let step = await generator.next();
  while (step.done !== true) {
    const value = step.value;
    if (value instanceof InvocationResult) {
      await generator.return(value);
      return value;
    }
    const { interrupt } = invocation;
    if (interrupt !== undefined) step = await generator.throw(interrupt);
    else {
      sendProgress(invocation, value);
      step = await generator.next();
    }
  }
  return step.value;
}

function sendProgress(invocation: Invocation, value: unknown): void {
  if (!invocation.maySendProgress || invocation.done) return;
  const { args, kwargs } = toArguments(value);
  const options = value instanceof InvocationProgress ? value.details : undefined;
  invocation.sendProgress(args, { kwargs, options });
}

function answerError(link: Link, invocation: Invocation, error: unknown): void {
  if (invocation.done) return;
  const isInterrupt = error instanceof Interrupt || (invocation.interrupt !== undefined && isAbort(error));
  if (isInterrupt) {
    invocation.sendError(CANCELED);
    return;
  }
  const { uri, args, kwargs, details } = link.errorMap.exceptionToInvocationError(error);
  invocation.sendError(uri, args, { kwargs, options: details });
  // What nobody has foreseen should not only be known to the caller.
  if (uri === RUNTIME_ERROR) link.onError(error);
}

/** What the platform's own functions throw when their signal is aborted. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** What a handler returned or yielded, as arguments: nothing, what it made itself, or one value. */
function toArguments(value: unknown): Arguments {
  if (value instanceof WampArguments) return value;
  return { args: value === undefined ? [] : [value], kwargs: {} };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Promise<unknown>>).then === 'function'
  );
}

function isGenerator(value: unknown): value is AnyGenerator {
  if (typeof value !== 'object' || value === null) return false;
  const { next, [Symbol.asyncIterator]: iterate = (value as Partial<Generator>)[Symbol.iterator] } =
    value as Partial<AsyncGenerator>;
  return typeof next === 'function' && iterate !== undefined;
}
