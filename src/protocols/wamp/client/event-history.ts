import type { AnyClient } from './client.js';
import { NO_ARGS, NO_KWARGS, definedOptions, dictIn, isDict, numberIn } from './payload.js';
import type { Dict } from './payload.js';
import type { Subscription } from './subscriber.js';
import type { EventFacts } from './subscription-event.js';

/** Asks the router for events of a subscription (`wamp.subscription.get_events`), oldest first. */
export async function getEvents(
  client: AnyClient,
  subscriptionId: number,
  filter: Dict = NO_KWARGS,
): Promise<readonly EventFacts[]> {
  const kwargs = definedOptions(filter);
  const { args } = await client.call('wamp.subscription.get_events', [subscriptionId], { kwargs }).result();
  // Some routers give the events one by one, some all in one list.
  const events = Array.isArray(args[0]) ? (args[0] as readonly unknown[]) : args;
  return events.filter(isDict).map(eventFacts);
}

/** What came after the last event that the subscription has seen. */
export async function missedEvents(
  client: AnyClient,
  subscription: Subscription,
): Promise<readonly EventFacts[]> {
  const { id, lastPublicationId, options } = subscription;
  if (id === undefined || lastPublicationId === undefined) return [];
  return await getEvents(client, id, {
    after_publication: lastPublicationId,
    limit: options.history?.limit,
  });
}

function eventFacts(event: Dict): EventFacts {
  return {
    publicationId: numberIn(event, 'publication') ?? 0,
    details: dictIn(event, 'details'),
    args: Array.isArray(event['args']) ? event['args'] : NO_ARGS,
    kwargs: dictIn(event, 'kwargs'),
    isReplayed: true,
  };
}
