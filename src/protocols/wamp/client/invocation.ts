import type { Timer } from '../../../base/clock.js';
import * as MessageType from '../messages/message-type.js';
import type { Invocation as InvocationMessage } from './message.js';
import type * as Uris from '../messages/uris.js';
import type { AnyClient } from './client.js';
import { AsyncQueue, Interrupt, WampArguments, WampError, misuse } from './invocation-parts.js';
import type { Link } from './link.js';
import type { Args, Arguments, Dict, Kwargs } from './payload.js';
import type { CancelMode } from './policies.js';
import type { Session } from './session.js';

/** Chunks of a progressive call that may wait for the handler; the caller is told when there are more. */
const INPUT_LIMIT = 10_000;

const KILL_NO_WAIT: CancelMode = 'killnowait';
const TIMEOUT: typeof Uris.timeout = 'wamp.error.timeout';
const UNAVAILABLE: typeof Uris.unavailable = 'wamp.error.unavailable';
const RUNTIME_ERROR: typeof Uris.runtimeError = 'wamp.error.runtime_error';

export interface InvocationInit {
  readonly link: Link;
  readonly session: Session;
  readonly message: InvocationMessage;
  readonly payload: Arguments;
  readonly registeredProcedure: string;
  readonly onDone: (requestId: number) => void;
}

interface Answering {
  readonly kwargs?: Kwargs | undefined;
  readonly options?: Dict | undefined;
}

/**
 * A call, as its callee sees it. Handlers usually return, yield and throw; the methods that send are for the rest. Must be
 * answered once.
 */
export class Invocation<A extends Args = Args, K extends object = Kwargs> implements WampArguments<A, K> {
  readonly args: A;
  readonly kwargs: K;
  readonly details: Dict;
  readonly client: AnyClient;
  readonly requestId: number;
  /** As it was registered, be it a pattern. */
  readonly registeredProcedure: string;
  readonly #link: Link;
  readonly #session: Session;
  readonly #onDone: (requestId: number) => void;
  #abort: AbortController | undefined;
  readonly #timer: Timer | undefined;
  #input: AsyncQueue<Arguments> | undefined;
  #done = false;
  /** Why the caller does not want the answer any more, once that is so. */
  interrupt: Interrupt | undefined;
  /** Wall time by which the answer is wanted, in milliseconds since 1970. */
  readonly timeoutAtMs: number | undefined;

  constructor(init: InvocationInit) {
    const { payload, message, link } = init;
    this.args = payload.args as A;
    this.kwargs = payload.kwargs as K;
    this.details = message.details;
    this.client = link as AnyClient;
    this.#link = link;
    this.#session = init.session;
    this.#onDone = init.onDone;
    this.requestId = init.message.request;
    this.registeredProcedure = init.registeredProcedure;
    const { timeoutMs } = this;
    if (timeoutMs !== undefined && timeoutMs > 0) {
      this.timeoutAtMs = (this.#link.clock.nowMicros?.() ?? Date.now() * 1000) / 1000 + timeoutMs;
      this.#timer = this.#link.clock.startTimer(timeoutMs, () => this.#timedOut());
    }
    if (init.message.details['progress'] === true) this.#openInput(init.payload);
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
    return WampArguments.prototype.get.call(this, key, ...fallback);
  }

  [Symbol.iterator](): IterableIterator<unknown> {
    return this.args[Symbol.iterator]();
  }

  /** As it was called. */
  get procedure(): string {
    return textIn(this.details, 'procedure') ?? this.registeredProcedure;
  }

  get maySendProgress(): boolean {
    return this.details['receive_progress'] === true;
  }

  /** Session of the caller, if he or the router discloses it. */
  get callerId(): number | undefined {
    return numberIn(this.details, 'caller');
  }

  get callerAuthId(): string | undefined {
    return textIn(this.details, 'caller_authid');
  }

  get callerAuthRole(): string | undefined {
    return textIn(this.details, 'caller_authrole');
  }

  get trustLevel(): number | undefined {
    return numberIn(this.details, 'trustlevel');
  }

  get timeoutMs(): number | undefined {
    return numberIn(this.details, 'timeout');
  }

  /** Whether it was answered, or needs no answer any more. */
  get done(): boolean {
    return this.#done;
  }

  /** Aborted, with an Interrupt for a reason, when the caller cancels or leaves, or time runs out. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      // Made when somebody asks: most handlers do not, and it costs more than the rest of the invocation.
      this.#abort = new AbortController();
      if (this.interrupt !== undefined) this.#abort.abort(this.interrupt);
    }
    return this.#abort.signal;
  }

  /** Arguments of a progressive call, as they come, the first ones too. Of an ordinary call, its arguments. */
  get input(): AsyncIterable<Arguments> {
    const queue = this.#input;
    const first: Arguments = { args: this.args, kwargs: this.kwargs as Kwargs };
    return {
      async *[Symbol.asyncIterator]() {
        if (queue === undefined) {
          yield first;
          return;
        }
        for (let chunk = await queue.take(); chunk !== undefined; chunk = await queue.take()) yield chunk;
      },
    };
  }

  /** Sends a progressive result. Throws the Interrupt once there is one. */
  sendProgress(args: Args, { kwargs, options }: Answering = {}): void {
    if (this.interrupt !== undefined) throw this.interrupt;
    if (this.#done) throw misuse('the invocation was answered');
    if (!this.maySendProgress) throw misuse('the caller does not want progress');
    this.#yield(args, kwargs, { progress: true, ...options });
  }

  sendResult(args: Args = [], { kwargs, options = {} }: Answering = {}): void {
    if (this.#finish()) this.#yield(args, kwargs, options);
  }

  sendError(uri: string, args: Args = [], { kwargs, options = {} }: Answering = {}): void {
    if (!this.#finish()) return;
    this.#session.send({
      type: MessageType.error,
      requestType: MessageType.invocation,
      request: this.requestId,
      details: options,
      error: uri,
      payload: { args, kwargs: kwargs ?? {} },
    });
  }

  /* What follows is for the client. */

  /** More arguments of a progressive call. */
  continued(payload: Arguments, isLast: boolean): void {
    const isEmpty = payload.args.length === 0 && Object.keys(payload.kwargs).length === 0;
    if (this.#input?.push(payload) !== undefined && !(isLast && isEmpty)) {
      const reason = 'arguments come faster than they are read';
      this.interrupt ??= new Interrupt({ reason });
      if (!this.#done) this.sendError(UNAVAILABLE, [reason]);
      this.#stop(this.interrupt, true);
    }
    if (isLast) this.#input?.end();
  }

  interrupted(options: Dict): void {
    if (this.#done || this.interrupt !== undefined) return;
    const interrupt = new Interrupt(options);
    // The router has answered the caller: nothing that we say is heard.
    this.#stop(interrupt, interrupt.cancelMode !== KILL_NO_WAIT);
  }

  /** The session is over. */
  abandon(): void {
    if (this.#done) return;
    this.#stop(this.interrupt ?? new Interrupt({ reason: 'the connection is gone' }), false);
  }

  #timedOut(): void {
    if (this.#done) return;
    this.interrupt = new Interrupt({ reason: 'time ran out' });
    this.sendError(TIMEOUT, ['no answer in time']);
    this.#stop(this.interrupt, true);
  }

  /** Tells the handler. */
  #stop(interrupt: Interrupt, mayAnswer: boolean): void {
    this.interrupt = interrupt;
    if (!mayAnswer) this.#finish();
    this.#input?.fail(interrupt);
    this.#abort?.abort(interrupt);
  }

  #openInput(first: Arguments): void {
    this.#input = new AsyncQueue(INPUT_LIMIT);
    this.#input.push(first);
  }

  #yield(args: Args, kwargs: Kwargs | undefined, options: Dict): void {
    const request = this.requestId;
    const payload = { args, kwargs: kwargs ?? {} };
    this.#session.send({ type: MessageType.yield, request, options, payload }, (error) =>
      this.#refused(error),
    );
  }

  /** A result without a form, or too long: the caller is told instead of waiting for ever. */
  #refused(error: Error): void {
    if (!this.#session.isOpen) return;
    const uri = error instanceof WampError ? error.uri : RUNTIME_ERROR;
    this.#done = false;
    this.sendError(uri, [error.message]);
    this.#link.onError(error);
  }

  /** False if it needs no answer. Throws if it had one. */
  #finish(): boolean {
    if (this.#done) {
      if (this.interrupt !== undefined) return false;
      throw misuse('the invocation was answered');
    }
    this.#done = true;
    this.#timer?.cancel();
    this.#onDone(this.requestId);
    return true;
  }
}

function numberIn(dict: Dict, key: string): number | undefined {
  const value = dict[key];
  return typeof value === 'number' ? value : undefined;
}

function textIn(dict: Dict, key: string): string | undefined {
  const value = dict[key];
  return typeof value === 'string' ? value : undefined;
}
