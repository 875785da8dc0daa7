import type { AnyClient } from './client.js';
import type { Dict } from './payload.js';
import type { EventFacts } from './subscription-event.js';

/** Asks the router for events of a subscription (`wamp.subscription.get_events`), oldest first. */
export async function getEvents(
  client: AnyClient,
  subscriptionId: number,
  filter?: Dict,
): Promise<readonly EventFacts[]> {
  const { pastEvents } = await import('./past-events.js');
  return await pastEvents(client, subscriptionId, filter);
}
