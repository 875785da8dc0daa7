import { type MatchPolicy, PatternIndex } from './pattern-index.js';

/** What one member asked for. */
export interface MemberOptions {
  /** Members with node keys share the events that have a resource key among them. */
  readonly nodeKey?: string | undefined;
}

/** Everybody who listens to one pattern. */
export class Subscription<M> {
  readonly id: number;
  readonly uri: string;
  readonly match: MatchPolicy;
  /** Microseconds since the Unix epoch. */
  readonly createdMicros: number;
  readonly members = new Map<M, MemberOptions>();
  /** How many members have a node key. */
  shardedCount = 0;

  constructor(id: number, uri: string, match: MatchPolicy, createdMicros: number) {
    this.id = id;
    this.uri = uri;
    this.match = match;
    this.createdMicros = createdMicros;
  }
}

export interface SubscriptionChange<M> {
  readonly subscription: Subscription<M>;
  /** Whether the subscription began or ended with this member. */
  readonly isFirst: boolean;
  /** Whether anything changed: asking twice is no change. */
  readonly isNew: boolean;
}

/** Subscriptions by pattern and by id. One pattern is one subscription, shared by all its members. */
export class SubscriptionTable<M> {
  readonly index = new PatternIndex<Subscription<M>>();
  readonly #byId = new Map<number, Subscription<M>>();
  readonly #keepEmpty: (uri: string, match: MatchPolicy) => boolean;
  #lastId = 0;

  /** `keepEmpty` says which subscriptions stay when their last member has gone: those with a history. */
  constructor(keepEmpty: (uri: string, match: MatchPolicy) => boolean = () => false) {
    this.#keepEmpty = keepEmpty;
  }

  get(id: number): Subscription<M> | undefined {
    return this.#byId.get(id);
  }

  /** The subscription to a pattern, made if there is none yet. */
  open(uri: string, match: MatchPolicy, nowMicros: number): Subscription<M> {
    let subscription = this.index.get(uri, match);
    if (subscription === undefined) {
      subscription = new Subscription(++this.#lastId, uri, match, nowMicros);
      this.index.add(subscription);
      this.#byId.set(subscription.id, subscription);
    }
    return subscription;
  }

  add(
    member: M,
    uri: string,
    match: MatchPolicy,
    options: MemberOptions,
    nowMicros: number,
  ): SubscriptionChange<M> {
    const isFirst = this.index.get(uri, match) === undefined;
    const subscription = this.open(uri, match, nowMicros);
    const before = subscription.members.get(member);
    if (before?.nodeKey !== undefined) subscription.shardedCount--;
    if (options.nodeKey !== undefined) subscription.shardedCount++;
    subscription.members.set(member, options);
    return { subscription, isFirst, isNew: before === undefined };
  }

  /** Undefined if `member` is none of the subscription's. */
  remove(member: M, subscription: Subscription<M>): SubscriptionChange<M> | undefined {
    const options = subscription.members.get(member);
    if (options === undefined) return undefined;
    subscription.members.delete(member);
    if (options.nodeKey !== undefined) subscription.shardedCount--;
    const isLast = subscription.members.size === 0 && !this.#keepEmpty(subscription.uri, subscription.match);
    if (isLast) {
      this.index.remove(subscription);
      this.#byId.delete(subscription.id);
    }
    return { subscription, isFirst: isLast, isNew: true };
  }
}
