import { makeQueryBuilder } from '../schema/query.js';
import type { QueryBuilder } from '../schema/query.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { AppliedCallback, ErrorCallback, SubscriptionHandleImpl } from './subscription.js';

/** A typed query or its SQL. */
export type QueryLike = string | { toSql(): string };

/** What a builder needs of its connection. */
export interface Subscriber<RM extends UntypedRemoteModule> {
  readonly remoteModule: RM;
  subscribe(
    queries: readonly string[],
    onApplied: AppliedCallback<RM> | undefined,
    onError: ErrorCallback<RM> | undefined,
  ): SubscriptionHandleImpl<RM>;
}

/** The way to a builder's connection, kept off the connection's public face. */
export const SUBSCRIBER: unique symbol = Symbol('chorale.subscriber');

export interface HasSubscriber<RM extends UntypedRemoteModule> {
  readonly [SUBSCRIBER]: Subscriber<RM>;
}

/**
 * Asks for rows and keeps them in the cache.
 *
 * @example
 * conn.subscriptionBuilder().onApplied((ctx) => show(ctx.db.user.iter())).subscribe('SELECT * FROM user')
 */
export class SubscriptionBuilderImpl<RM extends UntypedRemoteModule> {
  readonly #subscriber: Subscriber<RM>;
  #onApplied: AppliedCallback<RM> | undefined;
  #onError: ErrorCallback<RM> | undefined;

  constructor(connection: HasSubscriber<RM>) {
    this.#subscriber = connection[SUBSCRIBER];
  }

  /** Called once, when the cache holds the rows and before the callbacks for them. */
  onApplied(callback: AppliedCallback<RM>): this {
    this.#onApplied = callback;
    return this;
  }

  /** Called when the server refuses the queries, drops them later, or the connection breaks before they are active. */
  onError(callback: ErrorCallback<RM>): this {
    this.#onError = callback;
    return this;
  }

  /** @param queries SQL, typed queries, or a function that makes them from the tables. */
  subscribe(
    queries:
      | QueryLike
      | readonly QueryLike[]
      | ((tables: QueryBuilder<RM>) => QueryLike | readonly QueryLike[]),
  ): SubscriptionHandleImpl<RM> {
    const { remoteModule } = this.#subscriber;
    const asked = typeof queries === 'function' ? queries(makeQueryBuilder(remoteModule)) : queries;
    const list = (Array.isArray(asked) ? asked : [asked]) as readonly QueryLike[];
    return this.#subscribe(list.map((query) => (typeof query === 'string' ? query : query.toSql())));
  }

  /** One query per table of the bindings. */
  subscribeToAllTables(): SubscriptionHandleImpl<RM> {
    const defs = Object.values(this.#subscriber.remoteModule.tables);
    return this.#subscribe(defs.map(({ sourceName }) => `SELECT * FROM ${sourceName}`));
  }

  #subscribe(queries: readonly string[]): SubscriptionHandleImpl<RM> {
    if (queries.length === 0) throw new TypeError('a subscription needs at least one query');
    return this.#subscriber.subscribe(queries, this.#onApplied, this.#onError);
  }
}
