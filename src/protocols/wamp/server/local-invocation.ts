import type { WheelTask } from '../../../net/timer-wheel.js';
import { type Dict, type Invocation, MessageType } from '../messages/message.js';
import { Payload } from '../messages/payload.js';
import { Uris } from '../messages/uri.js';
import type { CallInFlight } from './call.js';
import type { LocalArguments, LocalInput } from './local-input.js';
import type { SessionInfo } from './options.js';
import type { Realm } from './realm.js';

// How often a producer of progress looks again whether its caller has caught up: two ticks of the wheel.
const PACE_MS = 100;

/** A call that the embedding application is to answer. */
export class LocalInvocation {
  readonly procedure: string;
  readonly caller: SessionInfo;
  /** As in INVOCATION. */
  readonly details: Dict;
  readonly args: readonly unknown[];
  readonly kwargs: Dict;
  readonly #realm: Realm;
  readonly #call: CallInFlight;
  readonly #request: number;
  readonly #input: LocalInput | undefined;
  readonly #onOver: () => void;
  #controller: AbortController | undefined;
  #isAborted = false;
  #isOver = false;

  constructor(
    realm: Realm,
    call: CallInFlight,
    { request, details, payload }: Invocation,
    input: LocalInput | undefined,
    onOver: () => void,
  ) {
    this.#realm = realm;
    this.#call = call;
    this.#request = request;
    this.#input = input;
    this.#onOver = onOver;
    this.procedure = call.procedure;
    this.caller = call.caller;
    this.details = details;
    this.args = payload.args;
    this.kwargs = payload.kwargs;
  }

  /**
   * The arguments of a progressive call as they come, the first ones too; those of an ordinary call. Fails when the call is canceled or
   * has its answer.
   */
  get input(): AsyncIterable<LocalArguments> {
    return this.#input ?? once({ args: this.args, kwargs: this.kwargs });
  }

  /** How often `input` was read. */
  get inputsTaken(): number {
    return this.#input?.taken ?? 0;
  }

  /** Aborted when the call is canceled, its time is over, or its caller has gone. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(canceled());
    }
    return this.#controller.signal;
  }

  get isAborted(): boolean {
    return this.#isAborted;
  }

  /** Whether the caller wants progressive results. */
  get wantsProgress(): boolean {
    return this.details['receive_progress'] === true;
  }

  /** Nobody hears of it when the caller did not ask, or is gone. */
  progress(payload: Payload): void {
    if (!this.#isOver) this.#yield(payload, { progress: true });
  }

  result(payload: Payload): void {
    if (this.#end()) this.#yield(payload, {});
  }

  fail(error: string, args: readonly unknown[] = [], kwargs?: Dict): void {
    if (!this.#end()) return;
    const type = MessageType.error;
    const requestType = MessageType.invocation;
    const payload = Payload.of(args, kwargs);
    const request = this.#request;
    this.#realm.dealer.error(this.#call.callee, { type, requestType, request, details: {}, error, payload });
  }

  /** Undefined while the caller keeps up with progress; else it resolves when the caller has caught up, or the call is over. */
  paced(): Promise<void> | undefined {
    return this.#isCallerBehind() ? new Promise((resolve) => this.#waitForCaller(resolve)) : undefined;
  }

  /** INTERRUPT. The answer may still come; whether it counts is the dealer's to know. */
  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort(canceled());
  }

  #isCallerBehind(): boolean {
    // Half of what ends the call: a turn's worth may still come.
    return (
      !this.#isAborted && this.#call.caller.output.queuedBytes > this.#realm.services.limits.queueBytes / 2
    );
  }

  #waitForCaller(resolve: () => void): void {
    const { wheel } = this.#realm.services;
    const look = (): void => (this.#isCallerBehind() ? wheel.schedule(task, PACE_MS) : resolve());
    const task: WheelTask = { wheelDueMs: Infinity, onWheelDue: look };
    // Mostly it is only that the turn has to end.
    setImmediate(look);
  }

  #yield(payload: Payload, options: Dict): void {
    const type = MessageType.yield;
    this.#realm.dealer.yield(this.#call.callee, { type, request: this.#request, options, payload });
  }

  /** Whether it was not over yet. */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#onOver();
    return true;
  }
}

async function* once<Value>(value: Value): AsyncGenerator<Value, void> {
  yield value;
}

export function canceled(): DOMException {
  return new DOMException(Uris.canceled, 'AbortError');
}
