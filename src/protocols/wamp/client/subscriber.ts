import { MessageType } from '../messages/message.js';
import type { Event as EventMessage } from '../messages/message.js';
import { withResolvers } from './async-queue.js';
import type { AnyClient } from './client.js';
import { BaseError, isSessionLoss } from './errors.js';
import { missedEvents } from './event-history.js';
import type { Link } from './link.js';
import { definedOptions, numberIn, textIn } from './payload.js';
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
export class Subscription {
  readonly topic: string;
  readonly options: SubscribeOptions;
  readonly callback: EventCallback;
  readonly #subscriber: Subscriber;
  /** Of this session; `undefined` while there is none, and after it has ended. */
  id: number | undefined;
  /** Whether it still stands, be it that it must be restored first. */
  isActive = true;
  /** The last event's publication id. */
  lastPublicationId: number | undefined;
  /** What comes while the history is on its way. */
  held: EventMessage[] | undefined;

  constructor(subscriber: Subscriber, topic: string, callback: EventCallback, options: SubscribeOptions) {
    this.#subscriber = subscriber;
    this.topic = topic;
    this.callback = callback;
    this.options = options;
  }

  async unsubscribe(): Promise<void> {
    await this.#subscriber.unsubscribe(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unsubscribe();
  }
}

/** Subscriptions, and the delivery of events. */
export class Subscriber {
  readonly #client: AnyClient;
  readonly #link: Link;
  readonly #subscriptions = new Set<Subscription>();
  /** All subscriptions of a client to one topic have one id; UNSUBSCRIBE ends them all. */
  readonly #byId = new Map<number, Subscription[]>();

  constructor(client: AnyClient, link: Link) {
    this.#client = client;
    this.#link = link;
  }

  get subscriptions(): Iterable<Subscription> {
    return this.#subscriptions;
  }

  async subscribe(topic: string, callback: EventCallback, options: SubscribeOptions): Promise<Subscription> {
    const subscription = new Subscription(this, topic, callback, options);
    await this.#subscribe(subscription);
    return subscription;
  }

  /** Subscribes anew to what a session that is gone was subscribed to. */
  async restore(): Promise<void> {
    const lost = [...this.#subscriptions];
    this.#subscriptions.clear();
    await Promise.all(
      lost.map(async (subscription) => {
        const mustCatchUp =
          subscription.options.history !== undefined && subscription.lastPublicationId !== undefined;
        if (mustCatchUp) subscription.held = [];
        try {
          await this.#subscribe(subscription);
          if (mustCatchUp) await this.#catchUp(subscription);
        } catch (error) {
          // If the connection was lost again, it is restored with the next one.
          if (isSessionLoss(error)) this.#subscriptions.add(subscription);
          else subscription.isActive = false;
          this.#link.onError(error);
        }
      }),
    );
  }

  async unsubscribe(subscription: Subscription): Promise<void> {
    if (!subscription.isActive) return;
    subscription.isActive = false;
    this.#subscriptions.delete(subscription);
    const { id } = subscription;
    if (id === undefined || this.#forget(subscription, id)) return;
    await this.#end(id);
  }

  async #end(id: number): Promise<void> {
    const answer = withResolvers<void>();
    this.#link.ask({
      expects: MessageType.unsubscribed,
      toMessage: (request) => ({ type: MessageType.unsubscribe, request, subscription: id }),
      answered: () => answer.resolve(),
      failed: answer.reject,
    });
    await answer.promise;
  }

  idsOf(topic: string): readonly number[] {
    const ids = this.#ofTopic(topic).map(({ id }) => id);
    return [...new Set(ids)].filter((id) => id !== undefined).sort((a, b) => a - b);
  }

  /** @throws BaseError NOT_FOUND */
  find(topic: string, id?: number): readonly Subscription[] {
    const found = this.#ofTopic(topic).filter((each) => id === undefined || each.id === id);
    if (found.length > 0) return found;
    throw new BaseError(
      'NOT_FOUND',
      `nothing is subscribed to ${topic}${id === undefined ? '' : ` (${id})`}`,
    );
  }

  received(message: EventMessage): void {
    // An event may have been under way when the subscription ended.
    for (const subscription of this.#byId.get(message.subscription) ?? []) {
      if (subscription.held !== undefined) subscription.held.push(message);
      else this.#deliver(subscription, message);
    }
  }

  /** UNSUBSCRIBED with request 0: the router has taken the subscription away. */
  revoked(details: Dict): void {
    const id = numberIn(details, 'subscription');
    if (id === undefined) return;
    for (const subscription of this.#byId.get(id) ?? []) {
      subscription.isActive = false;
      subscription.id = undefined;
      this.#subscriptions.delete(subscription);
      const reason = textIn(details, 'reason') ?? 'no reason given';
      this.#link.onError(new BaseError('NOT_FOUND', `the router revoked ${subscription.topic}: ${reason}`));
    }
    this.#byId.delete(id);
  }

  /** The session is over. */
  sessionLost(): void {
    this.#byId.clear();
    for (const subscription of this.#subscriptions) {
      subscription.id = undefined;
      subscription.held = undefined;
    }
  }

  async #subscribe(subscription: Subscription): Promise<void> {
    const answer = withResolvers<void>();
    const { topic } = subscription;
    const options = subscribeDict(subscription.options);
    this.#link.ask({
      expects: MessageType.subscribed,
      toMessage: (request) => ({ type: MessageType.subscribe, request, options, topic }),
      answered: (message) => {
        if (message.type !== MessageType.subscribed) return;
        this.#installed(subscription, message.subscription);
        answer.resolve();
      },
      failed: answer.reject,
    });
    await answer.promise;
  }

  #installed(subscription: Subscription, id: number): void {
    subscription.id = id;
    this.#subscriptions.add(subscription);
    const others = this.#byId.get(id);
    // A list of its own for each change: events are delivered along the old one.
    this.#byId.set(id, others === undefined ? [subscription] : [...others, subscription]);
    if (!subscription.isActive) this.#endLate(subscription, id);
  }

  /** It was unsubscribed while it was being restored. */
  #endLate(subscription: Subscription, id: number): void {
    this.#subscriptions.delete(subscription);
    if (!this.#forget(subscription, id)) this.#end(id).catch((error: unknown) => this.#link.onError(error));
  }

  /** Whether another subscription still needs the id. */
  #forget(subscription: Subscription, id: number): boolean {
    subscription.id = undefined;
    const left = (this.#byId.get(id) ?? []).filter((other) => other !== subscription);
    if (left.length > 0) this.#byId.set(id, left);
    else this.#byId.delete(id);
    return left.length > 0;
  }

  #ofTopic(topic: string): readonly Subscription[] {
    return [...this.#subscriptions].filter((subscription) => subscription.topic === topic);
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
