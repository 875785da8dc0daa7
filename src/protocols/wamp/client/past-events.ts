import type { AnyClient } from './client.js';
import type { Dict } from './payload.js';
import type { Subscription } from './subscriber.js';
import type { EventFacts } from './subscription-event.js';

/* Loaded after a gap, or when history is asked for. It imports nothing that a page has already: bundlers would cut that out into a file of its own. */

/** Asks the router for events of a subscription (`wamp.subscription.get_events`), oldest first. */
export async function pastEvents(
  client: AnyClient,
  subscriptionId: number,
  filter: Dict = {},
): Promise<readonly EventFacts[]> {
  const kwargs = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
  const { args } = await client.call('wamp.subscription.get_events', [subscriptionId], { kwargs }).result();
  // Some routers give the events one by one, some all in one list.
  const events = Array.isArray(args[0]) ? (args[0] as readonly unknown[]) : args;
  return events.filter(isDict).map(({ publication, details, args, kwargs }) => ({
    publicationId: typeof publication === 'number' ? publication : 0,
    details: isDict(details) ? details : {},
    args: Array.isArray(args) ? args : [],
    kwargs: isDict(kwargs) ? kwargs : {},
    isReplayed: true,
  }));
}

/** What came after the last event that the subscription has seen. */
export async function missedEvents(
  client: AnyClient,
  { id, lastPublicationId, options }: Subscription,
): Promise<readonly EventFacts[]> {
  if (id === undefined) return [];
  return await pastEvents(client, id, {
    after_publication: lastPublicationId,
    limit: options.history?.limit,
  });
}

function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
