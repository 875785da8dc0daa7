import type { Timer } from '../../../base/clock.js';
import * as MessageType from '../messages/message-type.js';
import type { Message, Result } from './message.js';
import * as Uris from '../messages/uris.js';
import { AsyncQueue, withResolvers } from './async-queue.js';
import { callDict } from './call-options.js';
import type { CallOptions } from './call-options.js';
import type { Caller, TrackedCall } from './caller.js';
import { BaseError, WampError, isSessionLoss } from './errors.js';
import type { Request } from './outbox.js';
import { encodePayload } from './payload.js';
import type { Args, Arguments, Dict, Kwargs } from './payload.js';
import { CancelMode } from './policies.js';
import { InvocationProgress, InvocationResult, misuse } from './results.js';

/** 10,000: a slow reader of progress should be told, not fill the memory. */
const PROGRESS_LIMIT = 10_000;

export interface CallInit {
  readonly procedure: string;
  readonly args: Args;
  readonly options: CallOptions<unknown>;
  /** Whether more CALLs with the same id follow. */
  readonly isOpenEnded: boolean;
}

/**
 * A call under way. Awaiting it gives the first positional value of the result, `result()` all of it, iterating the progressive
 * results before that; a call that is iterated must be awaited for its result, too.
 *
 *     const sum = await client.call('com.app.add', [1, 2]);
 *
 *     const report = client.call('com.app.report', [2026]);
 *     for await (const part of report) show(part.value);
 *     const total = await report;
 */
export class Call<Value = unknown, Progress extends Args = Args>
  implements PromiseLike<Value>, AsyncIterable<InvocationProgress<Progress>>, Request, TrackedCall
{
  readonly procedure: string;
  /** Known once the CALL has left: at the end of the task that made it. */
  requestId: number | undefined;

  readonly #caller: Caller;
  readonly #init: CallInit;
  readonly #answer = withResolvers<Value>();
  #final: InvocationResult | undefined;
  #state: 'waiting' | 'sent' | 'done' = 'waiting';
  #receiveProgress: boolean | undefined;
  #onProgress: ((progress: InvocationProgress<Progress>) => void) | undefined;
  #progress: AsyncQueue<InvocationProgress<Progress>> | undefined;
  #cancelReason: { readonly error: unknown } | undefined;
  #timer: Timer | undefined;
  #onAbort: (() => void) | undefined;

  constructor(caller: Caller, init: CallInit) {
    this.#caller = caller;
    this.#init = init;
    this.procedure = init.procedure;
    this.#receiveProgress = init.options.receiveProgress;
    this.#watch(init.options.signal);
    const { callTimeoutMs = 0 } = init.options;
    if (callTimeoutMs > 0) this.#timer = caller.startTimeout(this, callTimeoutMs);
  }

  /** Whether the result, or an error, is there. */
  get done(): boolean {
    return this.#state === 'done';
  }

  get cancelled(): boolean {
    return this.#cancelReason !== undefined;
  }

  get wantsProgress(): boolean {
    return this.#receiveProgress === true;
  }

  /** The whole result. */
  async result(): Promise<InvocationResult> {
    await this.#answer.promise;
    return this.#final!;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a call is awaited as if it were its result.
  then<A = Value, B = never>(
    onResult?: ((value: Value) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#answer.promise.then(onResult, onError);
  }

  catch<B = never>(onError: (error: unknown) => B | PromiseLike<B>): Promise<Value | B> {
    return this.#answer.promise.catch(onError);
  }

  finally(onDone: () => void): Promise<Value> {
    return this.#answer.promise.finally(onDone);
  }

  /** Has each progressive result handed to `handler`, as soon as it comes. There can be one handler. */
  onProgress(handler: (progress: InvocationProgress<Progress>) => void): this {
    if (this.#onProgress !== undefined) throw misuse('the call has a progress handler');
    this.#wantProgress();
    this.#onProgress = handler;
    return this;
  }

  /** The next progressive result; `undefined` when the result is there. Rejects if the call has failed. */
  async nextProgress(): Promise<InvocationProgress<Progress> | undefined> {
    return await this.#queue().take();
  }

  [Symbol.asyncIterator](): AsyncIterator<InvocationProgress<Progress>> {
    const queue = this.#queue();
    return {
      next: async () => {
        const value = await queue.take();
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      return: async () => {
        // Who leaves the loop early does not want the rest.
        this.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  /**
   * Tells the router that the result is not wanted any more. The call rejects when the router says so (or with its result, if the
   * callee was quicker); at once when the router cannot cancel.
   */
  cancel(mode?: CancelMode, options: { readonly options?: Dict; readonly reason?: unknown } = {}): void {
    if (this.done || this.cancelled) return;
    this.#cancelReason = {
      error: options.reason ?? new WampError(Uris.canceled, ['the call was cancelled']),
    };
    // It is not an accident: nobody has to catch it.
    this.#answer.promise.catch(() => {});
    const wanted = mode ?? this.#init.options.cancelMode ?? CancelMode.killNoWait;
    const isTold = this.#state === 'sent' && this.#caller.cancel(this, wanted, options.options);
    if (!isTold) this.#fail(this.#cancelReason.error);
  }

  /* What follows is for the client. */

  get isWithdrawn(): boolean {
    return this.done;
  }

  /** CALL. What asks for progress must be known by now. */
  toMessage(request: number): Message {
    const { procedure, args, options, isOpenEnded } = this.#init;
    return {
      type: MessageType.call,
      request,
      options: callDict(options, this.#receiveProgress === true, isOpenEnded),
      procedure,
      payload: encodePayload(args, options.kwargs as Kwargs | undefined, options.passThru),
    };
  }

  sent(requestId: number): void {
    this.requestId = requestId;
    this.#state = 'sent';
    this.#caller.sent(this);
  }

  expire(): void {
    const error = new WampError(Uris.timeout, ['the call was not answered in time']);
    this.cancel(CancelMode.killNoWait, { reason: error });
    this.#fail(error);
  }

  refused(error: Error): void {
    this.#fail(error);
  }

  received({ details }: Result, payload: Arguments): void {
    if (details['progress'] === true) this.#receivedProgress(payload, details);
    else this.#succeed(new InvocationResult(payload.args, payload.kwargs, details));
  }

  failed(error: Error): void {
    const isCancelled = error instanceof WampError && error.uri === Uris.canceled;
    this.#fail(isCancelled && this.#cancelReason !== undefined ? this.#cancelReason.error : error);
  }

  #watch(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    this.#onAbort = () => this.cancel(undefined, { reason: signal.reason });
    // In a turn of its own, so that who made the call can look at it before it fails.
    if (signal.aborted) queueMicrotask(this.#onAbort);
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  #wantProgress(): void {
    if (this.#receiveProgress === false) throw misuse('the call was made with receiveProgress: false');
    if (this.#receiveProgress === undefined && this.#state !== 'waiting') {
      throw misuse('the call has left without asking for progress: pass receiveProgress: true');
    }
    this.#receiveProgress = true;
  }

  #queue(): AsyncQueue<InvocationProgress<Progress>> {
    if (this.#progress !== undefined) return this.#progress;
    this.#wantProgress();
    this.#progress = new AsyncQueue(this.#init.options.progressLimit ?? PROGRESS_LIMIT);
    // Reading progress is looking at the call: a failure shows there.
    this.#answer.promise.then(
      () => this.#progress?.end(),
      (error: unknown) => this.#progress?.fail(error),
    );
    return this.#progress;
  }

  #receivedProgress(payload: Arguments, details: Dict): void {
    const progress = new InvocationProgress(payload.args as Progress, payload.kwargs, details);
    if (this.#onProgress !== undefined) {
      this.#caller.guard(() => this.#onProgress?.(progress));
      return;
    }
    if (this.#receiveProgress !== true) return;
    if (this.#queue().push(progress)) return;
    const error = new BaseError('BACKLOG_FULL', 'too many progressive results wait to be read');
    this.cancel(undefined, { reason: error });
    this.#fail(error);
  }

  #succeed(final: InvocationResult): void {
    if (this.done) return;
    this.#final = final;
    this.#finish();
    this.#answer.resolve(final.value as Value);
  }

  #fail(error: unknown): void {
    if (this.done) return;
    this.#finish();
    // The client's state tells it, too: a call that nobody waits for must not end the process.
    if (isSessionLoss(error)) this.#answer.promise.catch(() => {});
    this.#answer.reject(error);
  }

  #finish(): void {
    this.#state = 'done';
    this.#timer?.cancel();
    if (this.#onAbort !== undefined) this.#init.options.signal?.removeEventListener('abort', this.#onAbort);
    if (this.requestId !== undefined) this.#caller.forget(this);
  }
}
