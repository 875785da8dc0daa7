import type { Timer } from '../../../base/clock.js';
import * as MessageType from '../messages/message-type.js';
import { PROGRESS_WAITING_MAX } from './limits.js';
import type { Message, Result, ProtocolUri } from './message.js';
import { AsyncQueue, withResolvers } from './async-queue.js';
import { callDict } from './call-options.js';
import type { CallOptions } from './call-options.js';
import { WampError } from './errors.js';
import type { Link } from './link.js';
import { onAbort } from './on-abort.js';
import { encodePayload } from './payload.js';
import type { Args, Dict, Kwargs } from './payload.js';
import type { CancelMode } from './policies.js';
import { rejectAnswer } from './request.js';
import type { Answer, Request, Sending } from './request.js';
import { InvocationProgress, InvocationResult, misuse } from './results.js';
import type { Session } from './session.js';

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
  implements PromiseLike<Value>, AsyncIterable<InvocationProgress<Progress>>, Request, Sending
{
  readonly procedure: string;
  /** Known once the CALL has left: at the end of the task that made it. */
  requestId: number | undefined;
  readonly expects: typeof MessageType.result = MessageType.result;

  readonly #link: Link;
  readonly #args: Args;
  readonly #options: CallOptions<unknown>;
  readonly #answer = withResolvers<Value>();
  #final: InvocationResult | undefined;
  #isDone = false;
  /** Through which the CALL has left. */
  #session: Session | undefined;
  #receiveProgress: boolean | undefined;
  #onProgress: ((progress: InvocationProgress<Progress>) => void) | undefined;
  #progress: AsyncQueue<InvocationProgress<Progress>> | undefined;
  /** What it fails with when the router agrees. */
  #cancelReason: unknown;
  #timer: Timer | undefined;
  #stopListening: (() => void) | undefined;

  constructor(link: Link, procedure: string, args: Args, options: CallOptions<unknown>) {
    this.#link = link;
    this.procedure = procedure;
    this.#args = args;
    this.#options = options;
    this.#receiveProgress = options.receiveProgress;
    const { signal, callTimeoutMs = 0 } = options;
    if (signal !== undefined) {
      const cancel = (): void => this.cancel(undefined, { reason: signal.reason });
      // In a turn of its own, so that who made the call can look at it before it fails.
      if (signal.aborted) queueMicrotask(cancel);
      else this.#stopListening = onAbort(signal, cancel);
    }
    // Watches the clock for routers that do not.
    const { session } = link;
    if (callTimeoutMs > 0 && !(session.isOpen && session.hasFeature('dealer', 'call_timeout'))) {
      const late = new WampError('wamp.error.timeout' satisfies ProtocolUri, ['no answer in time']);
      this.#timer = link.clock.startTimer(callTimeoutMs, () => this.#giveUp(late, 'killnowait'));
    }
  }

  /** Whether the result, or an error, is there. */
  get done(): boolean {
    return this.#isDone;
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
    if (this.#onProgress !== undefined) throw misuse('there is a progress handler');
    this.#wantProgress();
    this.#onProgress = handler;
    return this;
  }

  /** The next progressive result; `undefined` when the result is there. Rejects if the call has failed. */
  nextProgress(): Promise<InvocationProgress<Progress> | undefined> {
    return this.#queue().take();
  }

  [Symbol.asyncIterator](): AsyncIterator<InvocationProgress<Progress>, undefined> {
    const queue = this.#queue();
    return {
      next: () => queue.next(),
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
    if (this.#isDone || this.cancelled) return;
    const error = options.reason ?? new WampError('wamp.error.canceled' satisfies ProtocolUri, ['cancelled']);
    this.#cancelReason = error;
    // It is not an accident: nobody has to catch it.
    this.#answer.promise.catch(() => {});
    const session = this.#session;
    session?.send({
      type: MessageType.cancel,
      request: this.requestId!,
      options: { mode: mode ?? this.#options.cancelMode ?? 'killnowait', ...options.options },
    });
    const { call_canceling: isTold, call_cancelling: isToldBritish } = session?.getFeatures('dealer') ?? {};
    if (isTold !== true && isToldBritish !== true) this.#fail(error);
  }

  /* What follows is for the client. */

  /** CALL. What asks for progress must be known by now. `isOpenEnded`: more of them follow, with the same id. */
  toMessage(
    request: number,
    args: Args = this.#args,
    kwargs = this.#options.kwargs as Kwargs | undefined,
    isOpenEnded = false,
  ): Message | undefined {
    if (this.#isDone) return undefined;
    return {
      type: MessageType.call,
      request,
      options: callDict(this.#options, this.wantsProgress, isOpenEnded),
      procedure: this.procedure,
      payload: encodePayload(args, kwargs, this.#options.passThru),
    };
  }

  sent(requestId: number, session: Session): void {
    this.requestId = requestId;
    this.#session = session;
    session.pending.set(requestId, this);
  }

  answered(answer: Answer): void {
    const { details, payload } = answer as Result;
    try {
      const { args, kwargs } = this.#link.read(payload, details);
      if (details['progress'] === true) {
        this.#receivedProgress(new InvocationProgress(args as Progress, kwargs, details));
      } else {
        this.#finish();
        this.#final = new InvocationResult(args, kwargs, details);
        this.#answer.resolve(args[0] as Value);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  failed(error: Error): void {
    const isCancelled =
      error instanceof WampError && error.uri === ('wamp.error.canceled' satisfies ProtocolUri);
    this.#fail(isCancelled ? (this.#cancelReason ?? error) : error);
  }

  /** Whatever the router says. */
  #giveUp(reason: Error, mode?: CancelMode): void {
    this.cancel(mode, { reason });
    this.#fail(reason);
  }

  #wantProgress(): void {
    if (this.#receiveProgress === false) throw misuse('made with receiveProgress: false');
    const isLate = this.#session !== undefined || this.#isDone;
    if (isLate && !this.wantsProgress) throw misuse('too late: pass receiveProgress: true');
    this.#receiveProgress = true;
  }

  #queue(): AsyncQueue<InvocationProgress<Progress>> {
    if (this.#progress !== undefined) return this.#progress;
    this.#wantProgress();
    const queue = new AsyncQueue<InvocationProgress<Progress>>(
      this.#options.progressLimit ?? PROGRESS_WAITING_MAX,
    );
    this.#progress = queue;
    // Reading progress is looking at the call: a failure shows there.
    this.#answer.promise.then(
      () => queue.end(),
      (error: unknown) => queue.fail(error),
    );
    return queue;
  }

  #receivedProgress(progress: InvocationProgress<Progress>): void {
    if (this.#onProgress !== undefined) this.#link.guard(() => this.#onProgress!(progress));
    else if (this.wantsProgress) {
      const error = this.#queue().push(progress);
      if (error !== undefined) this.#giveUp(error);
    }
  }

  #fail(error: unknown): void {
    this.#finish();
    rejectAnswer(this.#answer, error);
  }

  /** Can be done twice. */
  #finish(): void {
    this.#isDone = true;
    this.#timer?.cancel();
    this.#stopListening?.();
    this.#session?.pending.delete(this.requestId!);
  }
}
