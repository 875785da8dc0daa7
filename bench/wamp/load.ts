import { answerParent } from '../framework/child.js';
import { prepareChurn } from './churn.js';
import type { Load, Place } from './drive.js';
import { type EventsOptions, prepareEvents } from './events.js';
import { prepareProgress, prepareUnreadProgress } from './progress.js';
import { prepareAcknowledged, prepareCalls } from './requests.js';

/** How each kind of work is prepared. */
const KINDS = {
  calls: ({ inFlight = 1 }, place) => prepareCalls(inFlight, place),
  acknowledged: ({ inFlight = 1 }, place) => prepareAcknowledged(inFlight, place),
  progress: ({ inFlight = 1 }, place) => prepareProgress(inFlight, place),
  churn: ({ inFlight = 1 }, place) => prepareChurn(inFlight, place),
  'unread-progress': ({ unread = 1 }, place) => prepareUnreadProgress(unread, place),
  events: (work, place) => prepareEvents({ subscribers: 1, inFlight: 1, size: 64, ...work }, place),
} satisfies Record<string, (work: Partial<EventsOptions>, place: Place) => Load | Promise<Load>>;

/** What is done over and over. */
export type Workload = Partial<EventsOptions> & { readonly kind: keyof typeof KINDS };

let load: Load | undefined;

answerParent({
  async prepare({ server, ...work }: Workload & { readonly server: Place }) {
    load = await KINDS[work.kind](work, server);
  },
  measure: ({ seconds }: { readonly seconds: number }) => load!.measure(seconds),
  release: () => load!.release?.() ?? {},
});
