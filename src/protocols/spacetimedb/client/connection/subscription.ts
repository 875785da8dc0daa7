import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { ErrorContextInterface, SubscriptionEventContextInterface } from './event-context.js';

/* One subscription: a set of queries that becomes active and ends as a whole. */

export type AppliedCallback<RM extends UntypedRemoteModule> = (
  ctx: SubscriptionEventContextInterface<RM>,
) => void;
export type ErrorCallback<RM extends UntypedRemoteModule> = (
  ctx: ErrorContextInterface<RM>,
  error: Error,
) => void;

/**
 * | state         | from          | by                                            |
 * | pending       |               | subscribe                                     |
 * | active        | pending       | SubscribeApplied                              |
 * | ending        | active        | unsubscribe, waits for UnsubscribeApplied     |
 * | ended         | any           | UnsubscribeApplied, an error, the connection  |
 */
export type SubscriptionState = 'pending' | 'active' | 'ending' | 'ended';

/** What a subscription needs of its connection. */
export interface SubscriptionHost {
  unsubscribe(querySetId: number): void;
}

export class SubscriptionHandleImpl<RM extends UntypedRemoteModule> {
  readonly #host: SubscriptionHost;
  readonly #querySetId: number;
  readonly #onApplied: AppliedCallback<RM> | undefined;
  readonly #onError: ErrorCallback<RM> | undefined;
  #onEnd: AppliedCallback<RM> | undefined;
  #state: SubscriptionState = 'pending';
  #endsWhenApplied = false;

  constructor(
    host: SubscriptionHost,
    querySetId: number,
    onApplied: AppliedCallback<RM> | undefined,
    onError: ErrorCallback<RM> | undefined,
  ) {
    this.#host = host;
    this.#querySetId = querySetId;
    this.#onApplied = onApplied;
    this.#onError = onError;
  }

  /** Ends the subscription; its rows leave the cache when the server has confirmed. Ending twice does nothing. */
  unsubscribe(): void {
    if (this.#state === 'pending') this.#endsWhenApplied = true;
    if (this.#state !== 'active') return;
    this.#state = 'ending';
    this.#host.unsubscribe(this.#querySetId);
  }

  /** @param onEnd is called when the rows have left the cache, before the callbacks for them. */
  unsubscribeThen(onEnd: AppliedCallback<RM>): void {
    this.#onEnd = onEnd;
    this.unsubscribe();
  }

  isActive(): boolean {
    return this.#state === 'active';
  }

  isEnded(): boolean {
    return this.#state === 'ended';
  }

  /** For the connection. */
  static stateOf<M extends UntypedRemoteModule>(handle: SubscriptionHandleImpl<M>): SubscriptionState {
    return handle.#state;
  }

  /** For the connection: the server has the queries. */
  static applied<M extends UntypedRemoteModule>(
    handle: SubscriptionHandleImpl<M>,
    ctx: SubscriptionEventContextInterface<M>,
  ): void {
    handle.#state = 'active';
    handle.#onApplied?.(ctx);
    if (handle.#endsWhenApplied) handle.unsubscribe();
  }

  /** For the connection: the server has let go of the queries. */
  static ended<M extends UntypedRemoteModule>(
    handle: SubscriptionHandleImpl<M>,
    ctx: SubscriptionEventContextInterface<M>,
  ): void {
    handle.#state = 'ended';
    handle.#onEnd?.(ctx);
  }

  /** For the connection: the queries were refused or dropped. Returns whether somebody was told. */
  static failed<M extends UntypedRemoteModule>(
    handle: SubscriptionHandleImpl<M>,
    ctx: ErrorContextInterface<M>,
    error: Error,
  ): boolean {
    handle.#state = 'ended';
    handle.#onError?.(ctx, error);
    return handle.#onError !== undefined;
  }

  /** For the connection: it is gone. Only who still waited is told; the others hear it from onDisconnect. */
  static abandoned<M extends UntypedRemoteModule>(
    handle: SubscriptionHandleImpl<M>,
    ctx: ErrorContextInterface<M>,
    error: Error,
  ): void {
    const isWaiting = handle.#state === 'pending';
    handle.#state = 'ended';
    if (isWaiting) handle.#onError?.(ctx, error);
  }
}
