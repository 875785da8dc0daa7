import type { ConnectionId, Identity } from '../../../../values/identity.js';
import type { Timestamp } from '../../../../values/timestamp.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { SubscriptionBuilderImpl } from './subscription-builder.js';
import type { ClientDbView, ProceduresView, ReducerNames, ReducersView } from './views.js';

/** How a reducer ended. */
export type ReducerOutcome =
  | { readonly tag: 'Ok' }
  | { readonly tag: 'Err'; readonly value: string }
  | { readonly tag: 'InternalError'; readonly value: string };

/** A call of our own that was answered. */
export interface ReducerEvent<Name extends string = string> {
  readonly timestamp: Timestamp;
  readonly outcome: ReducerOutcome;
  readonly reducer: { readonly name: Name; readonly args: object };
}

/** Why a callback runs. */
export type Event<Name extends string = string> = { readonly id: string } & (
  | { readonly tag: 'Reducer'; readonly value: ReducerEvent<Name> }
  | { readonly tag: 'SubscribeApplied' }
  | { readonly tag: 'UnsubscribeApplied' }
  /** Somebody else's transaction, or one of a procedure. */
  | { readonly tag: 'Transaction' }
  | { readonly tag: 'Error'; readonly value: Error }
);

/** What a connection and every event's context offer alike. */
export interface DbContext<RM extends UntypedRemoteModule> {
  readonly db: ClientDbView<RM>;
  readonly reducers: ReducersView<RM>;
  readonly procedures: ProceduresView<RM>;
  readonly isActive: boolean;
  readonly identity: Identity | undefined;
  readonly connectionId: ConnectionId;
  subscriptionBuilder(): SubscriptionBuilderImpl<RM>;
  disconnect(): void;
}

export interface EventContextInterface<RM extends UntypedRemoteModule> extends DbContext<RM> {
  readonly event: Event<ReducerNames<RM>>;
}
export interface ReducerEventContextInterface<RM extends UntypedRemoteModule> extends DbContext<RM> {
  readonly event: ReducerEvent<ReducerNames<RM>>;
}
export type SubscriptionEventContextInterface<RM extends UntypedRemoteModule> = EventContextInterface<RM>;
export interface ErrorContextInterface<RM extends UntypedRemoteModule> extends DbContext<RM> {
  readonly event?: Error;
}

/** A connection seen from one event. */
export class EventContext<RM extends UntypedRemoteModule, E> implements DbContext<RM> {
  readonly #connection: DbContext<RM>;
  readonly event: E;

  constructor(connection: DbContext<RM>, event: E) {
    this.#connection = connection;
    this.event = event;
  }

  get db(): ClientDbView<RM> {
    return this.#connection.db;
  }
  get reducers(): ReducersView<RM> {
    return this.#connection.reducers;
  }
  get procedures(): ProceduresView<RM> {
    return this.#connection.procedures;
  }
  get isActive(): boolean {
    return this.#connection.isActive;
  }
  get identity(): Identity | undefined {
    return this.#connection.identity;
  }
  get connectionId(): ConnectionId {
    return this.#connection.connectionId;
  }
  subscriptionBuilder(): SubscriptionBuilderImpl<RM> {
    return this.#connection.subscriptionBuilder();
  }
  disconnect(): void {
    this.#connection.disconnect();
  }
}
