import type { ByteWriter } from '../../../../base/byte-writer.js';
import { encodeClientMessage } from '../../messages/client-messages.js';
import type { ClientMessage } from '../../messages/client-messages.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { Outbox } from './outbox.js';
import { SubscriptionHandleImpl } from './subscription.js';
import type { AppliedCallback, ErrorCallback, SubscriptionHost } from './subscription.js';

interface QuerySet<RM extends UntypedRemoteModule> {
  readonly handle: SubscriptionHandleImpl<RM>;
  readonly queries: readonly string[];
}

/** What a query set asks for. */
export interface HeldQueries {
  readonly querySetId: number;
  readonly queries: readonly string[];
}

/** The query sets of one connection, by the ids that messages use. They outlive a connection that is cut. */
export class Subscriptions<RM extends UntypedRemoteModule> implements SubscriptionHost {
  readonly #outbox: Outbox;
  readonly #nextRequestId: () => number;
  readonly #sets = new Map<number, QuerySet<RM>>();
  #isSuspended = false;
  #nextQuerySetId = 1;

  constructor(outbox: Outbox, nextRequestId: () => number) {
    this.#outbox = outbox;
    this.#nextRequestId = nextRequestId;
  }

  /** Throws ConnectionError when too much waits to be sent. */
  add(
    queries: readonly string[],
    onApplied: AppliedCallback<RM> | undefined,
    onError: ErrorCallback<RM> | undefined,
  ): SubscriptionHandleImpl<RM> {
    const querySetId = this.#nextQuerySetId++;
    const handle = new SubscriptionHandleImpl<RM>(this, querySetId, onApplied, onError);
    this.#subscribe({ querySetId, queries });
    this.#sets.set(querySetId, { handle, queries });
    return handle;
  }

  unsubscribe(querySetId: number): void {
    if (this.#isSuspended) return;
    // Without the dropped rows the cache could not shrink.
    this.#send({ kind: 'unsubscribe', requestId: this.#nextRequestId(), querySetId, sendDroppedRows: true });
  }

  find(querySetId: number): SubscriptionHandleImpl<RM> | undefined {
    return this.#sets.get(querySetId)?.handle;
  }

  remove(querySetId: number): SubscriptionHandleImpl<RM> | undefined {
    const set = this.#sets.get(querySetId);
    this.#sets.delete(querySetId);
    return set?.handle;
  }

  /** All that are left; none is known afterwards. */
  removeAll(): readonly SubscriptionHandleImpl<RM>[] {
    const sets = [...this.#sets.values()];
    this.#sets.clear();
    return sets.map(({ handle }) => handle);
  }

  /** The connection is cut: nothing is sent before `resume`. */
  suspend(): void {
    this.#isSuspended = true;
  }

  /** The sets whose rows are in the cache. */
  held(): readonly HeldQueries[] {
    return [...this.#sets]
      .filter(([, { handle }]) => SubscriptionHandleImpl.stateOf(handle) !== 'pending')
      .map(([querySetId, { queries }]) => ({ querySetId, queries }));
  }

  /** Asks for held sets again, on a server that knows nothing of this client. */
  resubscribe(sets: readonly HeldQueries[]): void {
    for (const set of sets) this.#send(this.#subscribeMessage(set));
  }

  /** The server has the held sets again: sends what was asked for meanwhile, or not answered. */
  resume(): void {
    this.#isSuspended = false;
    for (const [querySetId, { handle, queries }] of this.#sets) {
      const state = SubscriptionHandleImpl.stateOf(handle);
      if (state === 'pending') this.#subscribe({ querySetId, queries });
      else if (state === 'ending') this.unsubscribe(querySetId);
    }
  }

  #subscribe(set: HeldQueries): void {
    if (!this.#isSuspended) this.#send(this.#subscribeMessage(set));
  }

  #subscribeMessage({ querySetId, queries }: HeldQueries): ClientMessage {
    return { kind: 'subscribe', requestId: this.#nextRequestId(), querySetId, queries };
  }

  #send(message: ClientMessage): void {
    const writer: ByteWriter = this.#outbox.begin();
    encodeClientMessage(writer, message);
    this.#outbox.end();
  }
}
