import type { Clock, Timer } from '../../../base/clock.js';
import { watchLiveness } from './liveness.js';
import type { LivenessOptions } from './liveness.js';
import type { Message } from './message.js';
import { withResolvers } from './async-queue.js';
import { BaseError, ClientClosed, TransportError } from './errors.js';
import type { ErrorMap } from './error-map.js';
import type { Request } from './outbox.js';
import type { PassThruForms } from './payload-passthru.js';
import { PendingRequests } from './pending.js';
import type { PendingInit } from './pending.js';
import type { ReconnectPolicy } from './reconnect.js';
import type { Session, SessionEnd } from './session.js';

/*
 *               session ends, may come back     attempt joins     restored     close(), or final end
 *   open        -> waiting                      -                 -            -> closed
 *   waiting     -                               -> restoring      -            -> closed
 *   restoring   -> waiting                      -                 -> open      -> closed
 */
export type ClientState = 'open' | 'waiting' | 'restoring' | 'closed';

/** Longer than a round trip on the worst line: what has not answered by then is gone. */
const GOODBYE_MS = 5_000;

/** More requests than that while there is no connection are a mistake, or a leak. */
const WAITING_MAX = 10_000;

export interface LinkInit {
  readonly clock: Clock;
  readonly errors: ErrorMap;
  readonly forms: PassThruForms;
  readonly onError: (error: unknown) => void;
  /** Joins again. Absent: the end of the session is the end of the client. */
  readonly reopen?: ((signal: AbortSignal) => Promise<Session>) | undefined;
  readonly policy: ReconnectPolicy;
  readonly liveness: LivenessOptions | false;
}

export interface LinkListener {
  onState(state: ClientState): void;
  onSession(session: Session): void;
  /** The session is gone; calls and requests must be failed with `error`. */
  onLost(error: BaseError): void;
  /** There is a session again: put everything back. */
  restore(): Promise<void>;
}

/** The session that there is now, or the wait for the next one. */
export class Link {
  readonly clock: Clock;
  readonly errors: ErrorMap;
  readonly forms: PassThruForms;
  readonly pending: PendingRequests;
  readonly #init: LinkInit;
  readonly #listener: LinkListener;
  readonly #closing = new AbortController();
  readonly #done = withResolvers<void>();
  #waiting: Request[] = [];
  #ready = withResolvers<void>();
  #timer: Timer | undefined;
  #attempt = 0;
  state: ClientState = 'open';
  session: Session | undefined;
  /** The latest, be it over. */
  lastSession!: Session;

  constructor(session: Session, init: LinkInit, listener: LinkListener) {
    this.#init = init;
    this.#listener = listener;
    this.clock = init.clock;
    this.errors = init.errors;
    this.forms = init.forms;
    this.pending = new PendingRequests(init.errors);
    this.#ready.resolve();
    this.#use(session);
  }

  /** Sends a request: now, or when there is a session again. */
  request(request: Request): void {
    if (this.session !== undefined) this.session.request(request);
    else if (this.state === 'closed') request.refused(new ClientClosed());
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(request);
    else request.refused(new BaseError('BACKLOG_FULL', `${WAITING_MAX} requests wait for the connection`));
  }

  ask(init: PendingInit): void {
    this.request(this.pending.make(init));
  }

  /** Sends a message about a request, behind it; nothing if that could not be sent or its session is gone. */
  sendAfter(
    request: Request & { readonly requestId: number | undefined },
    make: (id: number) => Message,
  ): void {
    this.request({
      isFollowUp: true,
      toMessage: () => {
        if (request.requestId === undefined) throw new TransportError('there is nothing to follow');
        return make(request.requestId);
      },
      sent: () => {},
      refused: (error) => request.refused(error),
    });
  }

  onError(error: unknown): void {
    this.#init.onError(error);
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

  /** Resolves when there is a session and all is restored; rejects when there will be none. */
  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  async waitUntilDone(): Promise<void> {
    await this.#done.promise;
  }

  /** For good. */
  async close(...goodbye: Parameters<Session['close']>): Promise<void> {
    const { session } = this;
    this.#closing.abort();
    if (session === undefined) this.#close(new ClientClosed());
    else {
      const late = new TransportError('the router did not answer GOODBYE');
      const timer = this.clock.startTimer(GOODBYE_MS, () => session.abandon(late));
      await session.close(...goodbye);
      timer.cancel();
      await this.#done.promise;
    }
  }

  #use(session: Session): void {
    this.session = session;
    this.lastSession = session;
    this.#listener.onSession(session);
    const { liveness } = this.#init;
    const watch = liveness === false ? undefined : watchLiveness(session, this.clock, liveness);
    void session.waitUntilDone().then((end) => {
      watch?.cancel();
      this.#ended(session, end);
    });
  }

  #ended(session: Session, end: SessionEnd): void {
    if (this.session !== session) return;
    this.session = undefined;
    const isFinal =
      this.#init.reopen === undefined || this.#closing.signal.aborted || this.#init.policy.isFinalEnd(end);
    if (isFinal) this.#close(end.error ?? new ClientClosed(`the session was closed: ${end.reason}`));
    else {
      this.#lost(end.error ?? new TransportError(`the session was closed: ${end.reason}`));
      this.#wait();
    }
  }

  #lost(error: BaseError): void {
    this.pending.failAll(error);
    this.#listener.onLost(error);
  }

  #wait(): void {
    if (this.state === 'open') {
      this.#ready = withResolvers();
      // Who does not wait for it need not hear that it failed.
      this.#ready.promise.catch(() => {});
    }
    this.#setState('waiting');
    // Who waits to come back has nothing else that keeps his process alive.
    this.#timer = this.clock.startTimer(this.#init.policy.delayMs(this.#attempt), () => void this.#reopen(), {
      keepsAlive: true,
    });
    this.#attempt += 1;
  }

  async #reopen(): Promise<void> {
    try {
      const session = await this.#init.reopen!(this.#closing.signal);
      if (this.#closing.signal.aborted) {
        await session.close();
        return;
      }
      this.#setState('restoring');
      this.#use(session);
      const restored = this.#listener.restore();
      for (const request of this.#waiting.splice(0)) session.request(request);
      await restored;
      if (this.session !== session) return;
      this.#attempt = 0;
      this.#setState('open');
      this.#ready.resolve();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (this.#init.policy.isFinalError(error)) this.#close(error as BaseError);
      else this.#wait();
    }
  }

  #close(error: BaseError): void {
    if (this.state === 'closed') return;
    this.#timer?.cancel();
    this.#lost(error instanceof ClientClosed ? error : withCause(error));
    for (const request of this.#waiting.splice(0)) request.refused(new ClientClosed());
    this.#setState('closed');
    this.#ready.promise.catch(() => {});
    this.#ready.reject(error);
    this.#done.resolve();
  }

  #setState(state: ClientState): void {
    if (this.state === state) return;
    this.state = state;
    this.#listener.onState(state);
  }
}

/** Requests of a client that is closed fail with ClientClosed, whatever closed it. */
function withCause(error: BaseError): ClientClosed {
  return Object.assign(new ClientClosed(error.message), { cause: error });
}
