import { startTimer } from '../../../base/timer.js';
import type { Clock, Timer } from '../../../base/clock.js';
import * as MessageType from '../messages/message-type.js';
import { withResolvers } from './async-queue.js';
import { Registrations } from './callee.js';
import type { ClientEvents, ClientOptions } from './client.js';
import { ErrorMap } from './error-map.js';
import { BaseError, ClientClosed, TransportError, UnexpectedMessageError, WampError } from './errors.js';
import type { AbortError } from './errors.js';
import { watchLiveness } from './liveness.js';
import { GOODBYE_MS, REQUESTS_WAITING_MAX } from './limits.js';
import type { Dict, ErrorMessage, RouterMessage, ProtocolUri } from './message.js';
import { textIn } from './payload.js';
import type { Arguments } from './payload.js';
import { isFinal, reconnectDelayMs } from './reconnect.js';
import type { ReconnectOptions } from './reconnect.js';
import { rejectAnswer } from './request.js';
import type { Answer, Request, Sending } from './request.js';
import type { Session, SessionEnd } from './session.js';
import { Subscriptions } from './subscriber.js';

/*
 *               session ends, may come back     attempt joins     restored     close(), or final end
 *   open        -> waiting                      -                 -            -> closed
 *   waiting     -                               -> restoring      -            -> closed
 *   restoring   -> waiting                      -                 -> open      -> closed
 */
export type ClientState = 'open' | 'waiting' | 'restoring' | 'closed';

/** What a client needs of a clock. The time of day is the platform's if it does not say. */
export type ClientClock = Pick<Clock, 'startTimer'> & Partial<Pick<Clock, 'nowMicros'>>;

/** What answers a request. */
type Answering = Extract<RouterMessage, { readonly request: number }> & { readonly details?: Dict };

/**
 * The life of a client: the session that there is now, or the wait for the next one, and what is asked for and heard through it.
 */
export class Link implements AsyncDisposable {
  /** How ERRORs become exceptions here, and exceptions ERRORs. */
  readonly errorMap = new ErrorMap();
  /** The session that is used now, or was used last. */
  session!: Session;

  /* For the parts of the client. */
  readonly clock: ClientClock;
  readonly registrations: Registrations = new Registrations(this);
  readonly subscriptions: Subscriptions = new Subscriptions(this);

  readonly #options: ClientOptions;
  readonly #reconnect: ReconnectOptions;
  readonly #listeners = new Map<keyof ClientEvents, Set<(value: never) => void>>();
  readonly #closing = new AbortController();
  readonly #done = withResolvers<void>();
  #ready = withResolvers<void>();
  #waiting: Sending[] = [];
  #timer: Timer | undefined;
  #attempt = 0;
  #state: ClientState = 'open';

  constructor(session: Session, options: ClientOptions = {}) {
    this.clock = options.clock ?? { startTimer };
    this.#options = options;
    // `true` has no properties, as `{}` has none.
    this.#reconnect = (options.reconnect ?? {}) as ReconnectOptions;
    this.#ready.resolve();
    this.#use(session);
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Returns what removes the listener. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Resolves when there is a connection and all is restored; rejects when there will be none. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves when the client is closed, by whomever. */
  waitUntilDone(): Promise<void> {
    return this.#done.promise;
  }

  /** Says good-bye. Calls without an answer fail with ClientClosed, and handlers' signals are aborted. */
  async close(details?: Dict, { reason }: { readonly reason?: string } = {}): Promise<void> {
    const { session } = this;
    this.#closing.abort();
    if (this.#state === 'waiting') this.#close(new ClientClosed());
    const late = new TransportError('the router does not answer GOODBYE');
    const timer = this.clock.startTimer(GOODBYE_MS, () => session.abandon(late));
    await session.close(details, reason);
    timer.cancel();
    await this.#done.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /* What follows is for the parts of the client. */

  /** Sends something: now, or when there is a session again. */
  request(sending: Sending): void {
    if (this.#state === 'closed') sending.failed?.(new ClientClosed());
    else if (this.#state !== 'waiting') this.session.request(sending);
    else if (this.#waiting.length < REQUESTS_WAITING_MAX) this.#waiting.push(sending);
    else sending.failed?.(new BaseError('BACKLOG_FULL', `more than ${REQUESTS_WAITING_MAX} wait`));
  }

  /**
   * Asks for something that has one answer. Resolves with what `answered` makes of it while it is being received; when it has left, if
   * the router will not answer.
   */
  ask<Value = void>(
    expects: number,
    toMessage: Sending['toMessage'],
    answered?: (answer: Answer) => Value,
    isAnswered = true,
  ): Promise<Value> {
    const answer = withResolvers<Value>();
    const request: Request & Sending = {
      expects: expects as Answer['type'],
      toMessage,
      sent: (id, { pending }) => {
        if (isAnswered) pending.set(id, request);
        else answer.resolve(undefined as Value);
      },
      answered: (message) => answer.resolve(answered?.(message) as Value),
      failed: (error) => rejectAnswer(answer, error),
    };
    this.request(request);
    return answer.promise;
  }

  /** What the sender of a payload meant. Throws WampError if it has a form that cannot be read here. */
  read(payload: Arguments, details: Dict): Arguments {
    const scheme = textIn(details, 'ppt_scheme');
    if (scheme === undefined) return payload;
    const form = this.#options.passThru?.find((one) => one.scheme === scheme);
    if (form !== undefined) return form.decode(payload.args[0], details);
    throw new WampError('wamp.error.feature_not_supported' satisfies ProtocolUri, [`ppt_scheme ${scheme}`]);
  }

  onError(error: unknown): void {
    (this.#options.onError ?? console.error)(error);
  }

  /** Runs what the application gave us: what it throws or rejects with is reported, and nobody else's problem. */
  guard(callback: () => unknown): void {
    try {
      const value = callback();
      if (value instanceof Promise) value.catch((error: unknown) => this.onError(error));
    } catch (error) {
      this.onError(error);
    }
  }

  #emit<Name extends keyof ClientEvents>(name: Name, value: ClientEvents[Name]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of new Set(listeners)) {
      this.guard(() => (listener as (value: ClientEvents[Name]) => void)(value));
    }
  }

  #use(session: Session): void {
    this.session = session;
    session.addMessageHandler((message) => this.#received(session, message));
    const { liveness = {} } = this.#options;
    if (liveness !== false) watchLiveness(session, this.clock, liveness);
    void session.waitUntilDone().then((end) => this.#ended(end));
  }

  #received(session: Session, message: RouterMessage): void {
    this.#emit('message', message);
    const { type } = message;
    if (type === MessageType.event) this.subscriptions.received(message);
    else if (type === MessageType.invocation || type === MessageType.interrupt) {
      this.registrations.received(session, message);
    } else if ('request' in message) this.#answered(session, message);
  }

  #answered({ pending }: Session, message: Answering): void {
    const { request: id, type, details = {} } = message;
    const request = pending.get(id);
    if (id === 0) {
      this.registrations.revoked(details);
      this.subscriptions.revoked(details);
      this.#emit('revoked', details);
    }
    // What was given up may still be answered.
    if (request === undefined) return;
    if (type !== MessageType.error && type !== request.expects) {
      throw new UnexpectedMessageError(`message ${type}`, `message ${request.expects}`);
    }
    if (type !== MessageType.result || details['progress'] !== true) pending.delete(id);
    if (type !== MessageType.error) request.answered(message);
    else {
      const {
        error,
        payload: { args, kwargs },
      } = message as ErrorMessage;
      request.failed(this.errorMap.errorToException(new WampError(error, args, kwargs, details)));
    }
  }

  /** A session is over, or an attempt to have another one. */
  #ended(end: SessionEnd): void {
    const text = `the session is over: ${end.reason}`;
    if (this.#options.reopen === undefined || this.#closing.signal.aborted || isFinal(end, this.#reconnect)) {
      this.#close(end.error ?? new ClientClosed(text));
    } else {
      this.#wait();
      this.#lost(end.error ?? new TransportError(text));
    }
  }

  /** Fails what was under way. */
  #lost(error: BaseError): void {
    const { pending } = this.session;
    for (const request of pending.values()) request.failed(error);
    pending.clear();
    this.registrations.sessionLost();
    this.subscriptions.sessionLost();
  }

  #wait(): void {
    if (this.#state === 'open') {
      this.#ready = withResolvers();
      // Who does not wait for it need not hear that it failed.
      this.#ready.promise.catch(() => {});
    }
    this.#setState('waiting');
    // Who waits to come back has nothing else that keeps his process alive.
    const delayMs = reconnectDelayMs(this.#reconnect, this.#attempt);
    this.#timer = this.clock.startTimer(delayMs, () => void this.#reopen(), { keepsAlive: true });
    this.#attempt += 1;
  }

  async #reopen(): Promise<void> {
    const { signal } = this.#closing;
    try {
      const session = await this.#options.reopen!(signal);
      if (signal.aborted) return await session.close();
      this.#setState('restoring');
      this.#use(session);
      const restored = this.#restore();
      for (const sending of this.#waiting.splice(0)) session.request(sending);
      await restored;
      if (!session.isOpen) return;
      this.#attempt = 0;
      this.#setState('open');
      this.#ready.resolve();
    } catch (error) {
      this.#ended({ error: error as BaseError, reason: (error as AbortError).reason, isOurs: false });
    }
  }

  /** Puts everything back. */
  async #restore(): Promise<void> {
    const held = [...this.subscriptions.all];
    await Promise.all([this.registrations.restore(), this.subscriptions.restore()]);
    if (!this.session.isOpen) return;
    for (const subscription of held) {
      const { lastPublicationId } = subscription;
      if (subscription.isActive) this.#emit('gap', { subscription, lastPublicationId });
    }
    this.#emit('restored', this.session);
  }

  #close(error: BaseError): void {
    if (this.#state === 'closed') return;
    this.#timer?.cancel();
    // Requests of a client that is closed fail with ClientClosed, whatever closed it.
    const isClosed = error instanceof ClientClosed;
    this.#lost(isClosed ? error : new ClientClosed(error.message, error));
    for (const sending of this.#waiting.splice(0)) sending.failed?.(new ClientClosed());
    this.#setState('closed');
    this.#ready.promise.catch(() => {});
    this.#ready.reject(error);
    this.#done.resolve();
  }

  #setState(state: ClientState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#emit('state', state);
  }
}
