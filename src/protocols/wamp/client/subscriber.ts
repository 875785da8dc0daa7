import * as MessageType from '../messages/message-type.js';
import type { AnyClient } from './client.js';
import { EVENTS_WAITING_MAX } from './limits.js';
import { Holding, Holdings } from './holdings.js';
import type { Link } from './link.js';
import type { Event as EventMessage } from './message.js';
import type { Dict } from './payload.js';
import type { MatchPolicy } from './policies.js';
import { SubscriptionEvent } from './subscription-event.js';
import type { EventFacts } from './subscription-event.js';

export type EventCallback<E = SubscriptionEvent> = (event: E) => unknown;

export interface SubscribeOptions {
  /** `exact` unless given. */
  readonly matchPolicy?: MatchPolicy | undefined;
  /** For sharded subscriptions. */
  readonly nodeKey?: string | undefined;
  /** Has the retained event of the topic delivered first. */
  readonly getRetained?: boolean | undefined;
  /**
   * After a lost connection, events that were missed are asked of the router's history and delivered first. If more than 1,000 come in
   * the meantime, `dropped` of the subscription says how many were not kept.
   */
  readonly history?: { readonly limit: number } | undefined;
  /** More options for SUBSCRIBE; these win. */
  readonly options?: Dict | undefined;
}

/** What this client listens to. Stays what it is when the connection is lost and comes back. */
export class Subscription extends Holding<SubscribeOptions, EventCallback> {
  /** The last event's publication id. */
  lastPublicationId: number | undefined;
  /** What comes while the history is on its way: the latest 1,000, as in an `EventStream`. */
  held: EventMessage[] | undefined;
  /** How many events came in that time before those. */
  dropped = 0;

  get topic(): string {
    return this.uri;
  }

  unsubscribe(): Promise<void> {
    return this[Symbol.asyncDispose]();
  }
}

/** Subscriptions, and the delivery of events. */
export class Subscriptions extends Holdings<Subscription> {
  constructor(link: Link) {
    super(link, {
      begins: MessageType.subscribe,
      uriKey: 'topic',
      idKey: 'subscription',
      Handle: Subscription,
      toDict: (options) => ({
        match: options.matchPolicy,
        nkey: options.nodeKey,
        get_retained: options.getRetained,
        ...options.options,
      }),
    });
  }

  received(message: EventMessage): void {
    // An event may have been under way when the subscription ended.
    for (const subscription of this.withId(message.subscription)) {
      const { held } = subscription;
      if (held === undefined) this.#deliver(subscription, message);
      else if (held.push(message) > EVENTS_WAITING_MAX) {
        held.shift();
        subscription.dropped += 1;
      }
    }
  }

  /** Subscribes anew, and asks for what was missed if that is wanted. */
  protected override async restoreOne(subscription: Subscription): Promise<void> {
    const { options, lastPublicationId } = subscription;
    if (options.history === undefined || lastPublicationId === undefined)
      return await this.begin(subscription);
    const held: EventMessage[] = (subscription.held = []);
    const seen = new Set<number>();
    try {
      await this.begin(subscription);
      // Loaded by those who may have missed something.
      const { missedEvents } = await import('./past-events.js');
      for (const facts of await missedEvents(this.link as AnyClient, subscription)) {
        seen.add(facts.publicationId);
        this.#hand(subscription, facts);
      }
    } catch (error) {
      if (subscription.id === undefined) throw error;
      // It stands again; only what was missed stays unknown.
      this.link.onError(error);
    } finally {
      subscription.held = undefined;
      for (const message of held) if (!seen.has(message.publication)) this.#deliver(subscription, message);
    }
  }

  #deliver(subscription: Subscription, message: EventMessage): void {
    const { details, publication } = message;
    // It was sent for the one that has just subscribed; the others had theirs.
    if (details['retained'] === true && subscription.options.getRetained !== true) return;
    const payload = this.link.read(message.payload, details);
    this.#hand(subscription, { ...payload, publicationId: publication, details, isReplayed: false });
  }

  #hand(subscription: Subscription, facts: EventFacts): void {
    if (!subscription.isActive) return;
    subscription.lastPublicationId = facts.publicationId;
    const { link } = this;
    link.guard(() => subscription.callback(new SubscriptionEvent(link as AnyClient, subscription, facts)));
  }
}
