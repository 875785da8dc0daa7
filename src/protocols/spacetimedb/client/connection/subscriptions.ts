import type { ByteWriter } from '../../../../base/byte-writer.js';
import { encodeClientMessage } from '../../messages/client-messages.js';
import type { ClientMessage } from '../../messages/client-messages.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { Outbox } from './outbox.js';
import { SubscriptionHandleImpl } from './subscription.js';
import type { AppliedCallback, ErrorCallback, SubscriptionHost } from './subscription.js';

/** The query sets of one connection, by the ids that messages use. */
export class Subscriptions<RM extends UntypedRemoteModule> implements SubscriptionHost {
  readonly #outbox: Outbox;
  readonly #nextRequestId: () => number;
  readonly #handles = new Map<number, SubscriptionHandleImpl<RM>>();
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
    this.#send({ kind: 'subscribe', requestId: this.#nextRequestId(), querySetId, queries });
    this.#handles.set(querySetId, handle);
    return handle;
  }

  unsubscribe(querySetId: number): void {
    // Without the dropped rows the cache could not shrink.
    this.#send({ kind: 'unsubscribe', requestId: this.#nextRequestId(), querySetId, sendDroppedRows: true });
  }

  find(querySetId: number): SubscriptionHandleImpl<RM> | undefined {
    return this.#handles.get(querySetId);
  }

  remove(querySetId: number): SubscriptionHandleImpl<RM> | undefined {
    const handle = this.#handles.get(querySetId);
    this.#handles.delete(querySetId);
    return handle;
  }

  /** All that are left; none is known afterwards. */
  removeAll(): readonly SubscriptionHandleImpl<RM>[] {
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    return handles;
  }

  #send(message: ClientMessage): void {
    const writer: ByteWriter = this.#outbox.begin();
    encodeClientMessage(writer, message);
    this.#outbox.end();
  }
}
