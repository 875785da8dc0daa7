import type { Timer } from '../../../base/clock.js';
import * as MessageType from '../messages/message-type.js';
import type { ErrorMessage, Result } from './message.js';
import { Call } from './call.js';
import type { CallInit } from './call.js';
import type { Link } from './link.js';
import { NO_KWARGS } from './payload.js';
import type { Args, Arguments, Dict } from './payload.js';
import type { CancelMode } from './policies.js';
import { errorOf } from './outbox.js';

/** A call, whatever its types. */
export interface TrackedCall {
  readonly requestId: number | undefined;
  received(message: Result, payload: Arguments): void;
  failed(error: Error): void;
  /** Time has run out, and nobody else looks at the clock. */
  expire(): void;
}

/** Calls under way. */
export class Caller {
  readonly #link: Link;
  readonly #calls = new Map<number, TrackedCall>();

  constructor(link: Link) {
    this.#link = link;
  }

  call<Value, Progress extends Args>(init: CallInit): Call<Value, Progress> {
    const call = this.prepare<Value, Progress>(init);
    this.#link.request(call);
    return call;
  }

  /** A call that has not been asked for yet. */
  prepare<Value, Progress extends Args>(init: CallInit): Call<Value, Progress> {
    return new Call<Value, Progress>(this, init);
  }

  received(message: Result): void {
    const call = this.#calls.get(message.request);
    // One that was given up may still be answered.
    if (call === undefined) return;
    try {
      call.received(message, this.#link.forms.read(message.payload, message.details));
    } catch (error) {
      call.failed(error as Error);
    }
  }

  failed(message: ErrorMessage): void {
    const call = this.#calls.get(message.request);
    call?.failed(this.#link.errors.errorToException(errorOf(message)));
  }

  /** The session is over. */
  failAll(error: Error): void {
    for (const call of this.#calls.values()) call.failed(error);
    this.#calls.clear();
  }

  sent(call: TrackedCall): void {
    this.#calls.set(call.requestId!, call);
  }

  forget(call: TrackedCall): void {
    if (this.#calls.get(call.requestId!) === call) this.#calls.delete(call.requestId!);
  }

  /** Sends CANCEL; false if the router would not answer it. */
  cancel(call: TrackedCall, mode: CancelMode, options: Dict = NO_KWARGS): boolean {
    const session = this.#link.session;
    const request = call.requestId;
    if (session === undefined || request === undefined || this.#calls.get(request) !== call) return false;
    session.send({ type: MessageType.cancel, request, options: { mode, ...options } });
    return ['call_canceling', 'call_cancelling'].some((feature) => session.hasFeature('dealer', feature));
  }

  /** Watches the clock for routers that do not. */
  startTimeout(call: TrackedCall, timeoutMs: number): Timer | undefined {
    if (this.#link.session?.hasFeature('dealer', 'call_timeout') === true) return undefined;
    return this.#link.clock.startTimer(timeoutMs, () => call.expire());
  }

  /** Runs what the application gave us. */
  guard(callback: () => void): void {
    this.#link.guard(callback);
  }
}
