import type { Timer } from '../../../base/clock.js';
import * as MessageType from '../messages/message-type.js';
import type { Invocation as InvocationMessage } from './message.js';
import * as Uris from '../messages/uris.js';
import { AsyncQueue } from './async-queue.js';
import type { AnyClient } from './client.js';
import { Interrupt, WampError } from './errors.js';
import type { Link } from './link.js';
import { NO_ARGS, encodePayload, numberIn, textIn } from './payload.js';
import type { Args, Arguments, Dict, Kwargs } from './payload.js';
import { CancelMode } from './policies.js';
import { WampArguments, misuse } from './results.js';
import type { Session } from './session.js';

/** Chunks of a progressive call that may wait for the handler; the caller is told when there are more. */
const INPUT_LIMIT = 10_000;

export interface InvocationInit {
  readonly client: AnyClient;
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
export class Invocation<A extends Args = Args, K extends object = Kwargs> extends WampArguments<A, K> {
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
    super(init.payload.args as A, init.payload.kwargs as K, init.message.details);
    this.client = init.client;
    this.#link = init.link;
    this.#session = init.session;
    this.#onDone = init.onDone;
    this.requestId = init.message.request;
    this.registeredProcedure = init.registeredProcedure;
    const { timeoutMs } = this;
    if (timeoutMs !== undefined && timeoutMs > 0) {
      this.timeoutAtMs = this.#link.clock.nowMicros() / 1000 + timeoutMs;
      this.#timer = this.#link.clock.startTimer(timeoutMs, () => this.#timedOut());
    }
    if (init.message.details['progress'] === true) this.#openInput(init.payload);
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

  sendResult(args: Args = NO_ARGS, { kwargs, options = {} }: Answering = {}): void {
    if (this.#finish()) this.#yield(args, kwargs, options);
  }

  sendError(uri: string, args: Args = NO_ARGS, { kwargs, options = {} }: Answering = {}): void {
    if (!this.#finish()) return;
    this.#session.send({
      type: MessageType.error,
      requestType: MessageType.invocation,
      request: this.requestId,
      details: options,
      error: uri,
      payload: encodePayload(args, kwargs),
    });
  }

  /* What follows is for the client. */

  /** More arguments of a progressive call. */
  continued(payload: Arguments, isLast: boolean): void {
    const isEmpty = payload.args.length === 0 && Object.keys(payload.kwargs).length === 0;
    if (this.#input?.push(payload) === false && !(isLast && isEmpty)) {
      this.interrupt ??= new Interrupt({ reason: 'too many arguments wait' });
      this.#abort?.abort(this.interrupt);
      if (!this.#done) this.sendError(Uris.unavailable, ['arguments come faster than they are read']);
    }
    if (isLast) this.#input?.end();
  }

  interrupted(options: Dict): void {
    if (this.#done || this.interrupt !== undefined) return;
    this.interrupt = new Interrupt(options);
    // The router has answered the caller: nothing that we say is heard.
    if (this.interrupt.cancelMode === CancelMode.killNoWait) this.#finish();
    this.#input?.fail(this.interrupt);
    this.#abort?.abort(this.interrupt);
  }

  /** The session is over. */
  abandon(): void {
    if (this.#done) return;
    this.interrupt ??= new Interrupt({ reason: 'the connection is gone' });
    this.#finish();
    this.#input?.fail(this.interrupt);
    this.#abort?.abort(this.interrupt);
  }

  #timedOut(): void {
    if (this.#done) return;
    this.interrupt = new Interrupt({ reason: 'time ran out' });
    this.sendError(Uris.timeout, ['the procedure did not answer in time']);
    this.#input?.fail(this.interrupt);
    this.#abort?.abort(this.interrupt);
  }

  #openInput(first: Arguments): void {
    this.#input = new AsyncQueue(INPUT_LIMIT);
    this.#input.push(first);
  }

  #yield(args: Args, kwargs: Kwargs | undefined, options: Dict): void {
    const request = this.requestId;
    const payload = encodePayload(args, kwargs);
    this.#session.send({ type: MessageType.yield, request, options, payload }, (error) =>
      this.#refused(error),
    );
  }

  /** A result without a form, or too long: the caller is told instead of waiting for ever. */
  #refused(error: Error): void {
    if (!this.#session.isOpen) return;
    const uri = error instanceof WampError ? error.uri : Uris.runtimeError;
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
