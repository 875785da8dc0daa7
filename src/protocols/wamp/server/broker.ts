import { chooseByKey } from '../../../hub/choose-by-key.js';
import { EventHistory } from '../../../hub/event-history.js';
import type { MatchPolicy } from '../../../hub/pattern-index.js';
import { type Subscription, SubscriptionTable } from '../../../hub/subscription-table.js';
import {
  type Dict,
  MessageType,
  type Publish,
  type Subscribe,
  type Unsubscribe,
} from '../messages/message.js';
import { Payload } from '../messages/payload.js';
import { matchesUri, URI_LENGTH_MAX, Uris } from '../messages/uri.js';
import { copyPassthru } from './check-options.js';
import { type KeptEvent, keepEvent } from './kept-event.js';
import type { Authorization, HistoryRule } from './options.js';
import type { Realm } from './realm.js';
import { ReceiverFilter } from './receivers.js';
import { Refusal, Violation } from './refusal.js';
import { RetainedEvents } from './retained-events.js';
import { RandomIds } from './services.js';
import type { Session } from './session.js';
import { SharedEvent } from './shared-event.js';

const NO_DETAILS: Dict = Object.freeze({});
// A week of a topic with one event a minute.
const HISTORY_DEFAULT = { eventsMax: 10_000, bytesMax: 16 * 1024 * 1024, ageMaxMs: 7 * 24 * 3600 * 1000 };

/** Topics of a realm: who is subscribed to what, and what happens when somebody publishes. */
export class Broker {
  readonly subscriptions: SubscriptionTable<Session>;
  readonly histories = new Map<number, EventHistory<KeptEvent>>();
  readonly #realm: Realm;
  readonly #publicationIds: RandomIds;
  readonly #retained: RetainedEvents;

  constructor(realm: Realm, history: readonly HistoryRule[]) {
    this.#realm = realm;
    this.#publicationIds = new RandomIds(realm.services.random);
    this.#retained = new RetainedEvents(realm.services.limits);
    const kept = new Set(history.map(({ uri, match = 'exact' }) => `${match} ${uri}`));
    this.subscriptions = new SubscriptionTable((uri, match) => kept.has(`${match} ${uri}`));
    const nowMicros = realm.services.clock.nowMicros();
    for (const { uri, match = 'exact', ...limits } of history) {
      const { id } = this.subscriptions.open(uri, match, nowMicros);
      this.histories.set(id, new EventHistory({ ...HISTORY_DEFAULT, ...limits }));
    }
  }

  publish(session: Session, message: Publish): void | Promise<void> {
    const { topic, options } = message;
    this.#realm.checkUri(topic, 'exact');
    if (topic.startsWith('wamp.')) throw new Refusal(Uris.invalidUri, "names below wamp are the router's");
    if (options['ppt_scheme'] !== undefined && !session.features.has('publisher', 'payload_passthru_mode')) {
      throw new Violation('payload passthru was not announced by the publisher');
    }
    const answer = this.#realm.authorize(session, 'publish', topic, 'exact', options);
    if (answer instanceof Promise) return answer.then((decided) => this.#publish(session, message, decided));
    return this.#publish(session, message, answer);
  }

  #publish(session: Session, message: Publish, authorization: Authorization): void {
    // The authorizer may have taken its time.
    if (!session.isOpen) return;
    const { topic, options, payload } = message;
    const isDisclosed = this.#realm.isDisclosed('publisher', options['disclose_me'] === true, authorization);
    const details: Record<string, unknown> = {};
    if (isDisclosed) {
      details['publisher'] = session.session;
      details['publisher_authid'] = session.authid;
      details['publisher_authrole'] = session.authrole;
    }
    if (authorization.trustLevel !== undefined) details['trustlevel'] = authorization.trustLevel;
    copyPassthru(options, details);
    const excluded = options['exclude_me'] === false ? undefined : session;
    const publication = this.deliver(topic, payload, details, options, excluded);
    if (options['acknowledge'] === true) {
      session.output.send({ type: MessageType.published, request: message.request, publication });
    }
  }

  /** Publishes in the router's own name, to whoever listens. */
  publishMeta(topic: string, args: readonly unknown[], excluded?: Session): void {
    this.deliver(topic, Payload.of(args), NO_DETAILS, NO_DETAILS, excluded);
  }

  /** Sends an event to all matching subscriptions and keeps it where it is to be kept. `options` were checked. */
  deliver(
    topic: string,
    payload: Payload,
    details: Dict,
    options: Dict,
    excluded: Session | undefined,
  ): number {
    const publication = this.#publicationIds.next();
    const filter = ReceiverFilter.of(options);
    const key = options['rkey'] as string | undefined;
    this.subscriptions.index.forEachMatch(topic, (subscription) => {
      const own = subscription.match === 'exact' ? details : { ...details, topic };
      const history = this.histories.get(subscription.id);
      if (history !== undefined && filter?.namesSessions !== true) {
        history.add(this.#keep(publication, topic, own, payload, filter));
      }
      if (subscription.members.size === 0) return;
      const event = new SharedEvent(subscription.id, publication, own, payload);
      sendToMembers(subscription, event, filter, excluded, key);
    });
    if (options['retain'] === true) {
      this.#retained.set(this.#keep(publication, topic, details, payload, filter));
    }
    return publication;
  }

  subscribe(session: Session, message: Subscribe): void | Promise<void> {
    const { options, topic } = message;
    const match = (options['match'] as MatchPolicy | undefined) ?? 'exact';
    this.#realm.checkUri(topic, match);
    const answer = this.#realm.authorize(session, 'subscribe', topic, match, options);
    if (answer instanceof Promise) return answer.then(() => this.#subscribe(session, message, match));
    return this.#subscribe(session, message, match);
  }

  #subscribe(session: Session, { request, options, topic }: Subscribe, match: MatchPolicy): void {
    if (!session.isOpen) return;
    if (session.subscriptions.size >= this.#realm.services.limits.subscriptionsPerSession) {
      throw new Refusal(Uris.notAuthorized, 'too many subscriptions');
    }
    const nowMicros = this.#realm.services.clock.nowMicros();
    const nodeKey = options['nkey'] as string | undefined;
    // It is kept as long as the subscription, like the name of the topic.
    if (nodeKey !== undefined && nodeKey.length > URI_LENGTH_MAX) {
      throw new Refusal(Uris.invalidArgument, 'nkey is too long');
    }
    const change = this.subscriptions.add(session, topic, match, { nodeKey }, nowMicros);
    const { subscription } = change;
    session.subscriptions.add(subscription);
    session.output.send({ type: MessageType.subscribed, request, subscription: subscription.id });
    if (change.isFirst)
      this.#announce('on_create', session, subscription, describeSubscription(subscription));
    if (change.isNew) this.#announce('on_subscribe', session, subscription, subscription.id);
    if (options['get_retained'] === true) this.#sendRetained(session, subscription);
  }

  unsubscribe(session: Session, { request, subscription: id }: Unsubscribe): void {
    const subscription = this.subscriptions.get(id);
    if (subscription === undefined || !session.subscriptions.has(subscription)) {
      throw new Refusal(Uris.noSuchSubscription);
    }
    this.#remove(session, subscription, () =>
      session.output.send({ type: MessageType.unsubscribed, request }),
    );
  }

  /** Ends a subscription of a session from our side. */
  revoke(session: Session, subscription: Subscription<Session>, reason: string): void {
    this.#remove(session, subscription, () => {
      if (!session.features.has('subscriber', 'subscription_revocation')) return;
      const details = { subscription: subscription.id, reason };
      session.output.send({ type: MessageType.unsubscribed, request: 0, details });
    });
  }

  leave(session: Session): void {
    for (const subscription of session.subscriptions) this.#remove(session, subscription, () => {});
  }

  #remove(session: Session, subscription: Subscription<Session>, answer: () => void): void {
    session.subscriptions.delete(subscription);
    const change = this.subscriptions.remove(session, subscription);
    answer();
    if (change === undefined) return;
    this.#announce('on_unsubscribe', session, subscription, subscription.id);
    if (change.isFirst) this.#announce('on_delete', session, subscription, subscription.id);
  }

  /** Meta events; none about the meta topics themselves. */
  #announce(event: string, session: Session, { uri }: Subscription<Session>, what: unknown): void {
    if (uri.startsWith('wamp.')) return;
    this.publishMeta(`wamp.subscription.${event}`, [session.session, what], session);
  }

  #sendRetained(session: Session, subscription: Subscription<Session>): void {
    const { uri, match } = subscription;
    const send = (event: KeptEvent): void => {
      if (event.filter?.accepts(session) === false) return;
      const details: Record<string, unknown> = { ...event.details, retained: true };
      if (match !== 'exact') details['topic'] = event.topic;
      session.sendEvent(new SharedEvent(subscription.id, event.publication, details, event.payload));
    };
    if (match === 'exact') {
      const event = this.#retained.get(uri);
      if (event !== undefined) send(event);
    } else {
      for (const event of this.#retained.values()) if (matchesUri(uri, match, event.topic)) send(event);
    }
  }

  #keep(
    publication: number,
    topic: string,
    details: Dict,
    payload: Payload,
    filter: ReceiverFilter | undefined,
  ): KeptEvent {
    const atMicros = this.#realm.services.clock.nowMicros();
    return keepEvent({ publication, topic, atMicros, details, payload, filter });
  }
}

function sendToMembers(
  subscription: Subscription<Session>,
  event: SharedEvent,
  filter: ReceiverFilter | undefined,
  excluded: Session | undefined,
  key: string | undefined,
): void {
  const { members } = subscription;
  const isSharded = key !== undefined && subscription.shardedCount > 0;
  const owner = isSharded ? ownerOf(key, members) : undefined;
  for (const [member, { nodeKey }] of members) {
    if (member === excluded || filter?.accepts(member) === false) continue;
    if (isSharded && nodeKey !== undefined && nodeKey !== owner) continue;
    member.sendEvent(event);
  }
}

/** The node key that a resource key belongs to. Several members may share a node key: each of them gets the event. */
function ownerOf(
  key: string,
  members: ReadonlyMap<Session, { readonly nodeKey?: string | undefined }>,
): string | undefined {
  const nodeKeys = new Set<string>();
  for (const { nodeKey } of members.values()) if (nodeKey !== undefined) nodeKeys.add(nodeKey);
  return chooseByKey(key, nodeKeys, (name) => name);
}

export function describeSubscription({ id, createdMicros, uri, match }: Subscription<Session>): Dict {
  return { id, created: new Date(createdMicros / 1000).toISOString(), uri, match };
}
