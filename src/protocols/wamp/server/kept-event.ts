import type { PastEvent } from '../../../hub/event-history.js';
import type { Dict } from '../messages/message.js';
import { type Payload, roughBytesOf } from '../messages/payload.js';
import type { ReceiverFilter } from './receivers.js';

/** An event as histories and retained topics keep it. */
export interface KeptEvent extends PastEvent {
  readonly details: Dict;
  readonly payload: Payload;
  readonly filter: ReceiverFilter | undefined;
}

// Objects around all of it.
const EVENT_BYTES = 256;

/** Keeps nothing else of the message that brought the payload. */
export function keepEvent(event: Omit<KeptEvent, 'bytes'>): KeptEvent {
  const { topic, details, filter } = event;
  const payload = event.payload.detached();
  const around = EVENT_BYTES + topic.length + roughBytesOf(details) + (filter?.roughBytes ?? 0);
  return { ...event, payload, bytes: around + payload.roughBytes };
}
