import * as MessageType from '../messages/message-type.js';
import type { Subscribed } from '../messages/message.js';
import type { AnyClient } from './client.js';
import { missedEvents } from './event-history.js';
import { Holding, Holdings } from './holdings.js';
import type { HoldingKind } from './holdings.js';
import type { Link } from './link.js';
import type { Event as EventMessage } from './message.js';
import { definedOptions } from './payload.js';
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
  /** After a lost connection, events that were missed are asked of the router's history and delivered first. */
  readonly history?: { readonly limit: number } | undefined;
  /** More options for SUBSCRIBE; these win. */
  readonly options?: Dict | undefined;
}

/** What this client listens to. Stays what it is when the connection is lost and comes back. */
export class Subscription extends Holding {
  readonly options: SubscribeOptions;
  readonly callback: EventCallback;
  readonly #subscriptions: Holdings<Subscription>;
  /** The last event's publication id. */
  lastPublicationId: number | undefined;
  /** What comes while the history is on its way. */
  held: EventMessage[] | undefined;

  constructor(
    subscriptions: Holdings<Subscription>,
    topic: string,
    callback: EventCallback,
    options: SubscribeOptions,
  ) {
    super(topic);
    this.#subscriptions = subscriptions;
    this.callback = callback;
    this.options = options;
  }

  get topic(): string {
    return this.uri;
  }

  async unsubscribe(): Promise<void> {
    await this.#subscriptions.end(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unsubscribe();
  }
}

const SUBSCRIPTIONS: HoldingKind<Subscription> = {
  noun: 'subscription',
  begins: (request, { topic, options }) => ({
    type: MessageType.subscribe,
    request,
    options: subscribeDict(options),
    topic,
  }),
  begun: MessageType.subscribed,
  idOf: (answer) => (answer as Subscribed).subscription,
  ends: (request, subscription) => ({ type: MessageType.unsubscribe, request, subscription }),
  ended: MessageType.unsubscribed,
};

/** Subscriptions, and the delivery of events. */
export class Subscriber {
  readonly subscriptions: Holdings<Subscription>;
  readonly #client: AnyClient;
  readonly #link: Link;

  constructor(client: AnyClient, link: Link) {
    this.#client = client;
    this.#link = link;
    this.subscriptions = new Holdings(link, SUBSCRIPTIONS);
  }

  async subscribe(topic: string, callback: EventCallback, options: SubscribeOptions): Promise<Subscription> {
    const subscription = new Subscription(this.subscriptions, topic, callback, options);
    await this.subscriptions.begin(subscription);
    return subscription;
  }

  /** Subscribes anew, and asks for what was missed if that is wanted. */
  async restore(subscription: Subscription): Promise<void> {
    const mustCatchUp =
      subscription.options.history !== undefined && subscription.lastPublicationId !== undefined;
    subscription.held = mustCatchUp ? [] : undefined;
    await this.subscriptions.begin(subscription);
    if (mustCatchUp) await this.#catchUp(subscription);
  }

  received(message: EventMessage): void {
    // An event may have been under way when the subscription ended.
    for (const subscription of this.subscriptions.withId(message.subscription)) {
      if (subscription.held !== undefined) subscription.held.push(message);
      else this.#deliver(subscription, message);
    }
  }

  /** Delivers what was missed, then what has come meanwhile and was not among it. */
  async #catchUp(subscription: Subscription): Promise<void> {
    let missed: readonly EventFacts[] = [];
    try {
      missed = await missedEvents(this.#client, subscription);
    } finally {
      const held = subscription.held ?? [];
      subscription.held = undefined;
      const seen = new Set(missed.map(({ publicationId }) => publicationId));
      for (const facts of missed) this.#hand(subscription, { ...facts, isReplayed: true });
      for (const message of held) if (!seen.has(message.publication)) this.#deliver(subscription, message);
    }
  }

  #deliver(subscription: Subscription, message: EventMessage): void {
    const { details, publication } = message;
    // It was sent for the one that has just subscribed; the others had theirs.
    if (details['retained'] === true && subscription.options.getRetained !== true) return;
    const { args, kwargs } = this.#link.forms.read(message.payload, details);
    this.#hand(subscription, { publicationId: publication, details, args, kwargs, isReplayed: false });
  }

  #hand(subscription: Subscription, facts: EventFacts): void {
    if (!subscription.isActive) return;
    subscription.lastPublicationId = facts.publicationId;
    this.#link.guard(() => subscription.callback(new SubscriptionEvent(this.#client, subscription, facts)));
  }
}

function subscribeDict(options: SubscribeOptions): Dict {
  return definedOptions(
    { match: options.matchPolicy, nkey: options.nodeKey, get_retained: options.getRetained },
    options.options,
  );
}
