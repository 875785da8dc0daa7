import type { AnyClient } from './client.js';
import { numberIn, textIn } from './payload.js';
import type { Args, Dict, Kwargs } from './payload.js';
import { WampArguments } from './results.js';
import type { Subscription } from './subscriber.js';

export interface EventFacts {
  readonly publicationId: number;
  readonly details: Dict;
  readonly args: Args;
  readonly kwargs: Kwargs;
  readonly isReplayed: boolean;
}

/** An event, as a subscriber sees it. */
export class SubscriptionEvent<A extends Args = Args, K extends object = Kwargs> extends WampArguments<A, K> {
  readonly client: AnyClient;
  readonly publicationId: number;
  readonly subscription: Subscription;
  /** Whether it was missed while there was no connection, and comes from the router's history. */
  readonly isReplayed: boolean;

  constructor(client: AnyClient, subscription: Subscription, facts: EventFacts) {
    super(facts.args as A, facts.kwargs as K, facts.details);
    this.client = client;
    this.subscription = subscription;
    this.publicationId = facts.publicationId;
    this.isReplayed = facts.isReplayed;
  }

  /** What was subscribed to, be it a pattern. */
  get subscribedTopic(): string {
    return this.subscription.topic;
  }

  /** What was published to. */
  get topic(): string {
    return textIn(this.details, 'topic') ?? this.subscription.topic;
  }

  /** Session of the publisher, if he or the router discloses it. */
  get publisherId(): number | undefined {
    return numberIn(this.details, 'publisher');
  }

  get publisherAuthId(): string | undefined {
    return textIn(this.details, 'publisher_authid');
  }

  get publisherAuthRole(): string | undefined {
    return textIn(this.details, 'publisher_authrole');
  }

  get trustLevel(): number | undefined {
    return numberIn(this.details, 'trustlevel');
  }

  /** Whether it was published before we subscribed. */
  get isRetained(): boolean {
    return this.details['retained'] === true;
  }

  unsubscribe(): Promise<void> {
    return this.subscription.unsubscribe();
  }
}
