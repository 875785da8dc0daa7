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
  churn: ({ inFlight = 1, perSecond }, place) => prepareChurn(inFlight, place, perSecond),
  'unread-progress': ({ unread = 1 }, place) => prepareUnreadProgress(unread, place),
  events: (work, place) => prepareEvents({ subscribers: 1, inFlight: 1, size: 64, ...work }, place),
} satisfies Record<string, (work: WorkOptions, place: Place) => Load | Promise<Load>>;

type WorkOptions = Partial<EventsOptions> & {
  /** Sessions that begin in a second. Default: as many as there can be. */
  readonly perSecond?: number;
};

/** What is done over and over. */
export type Workload = WorkOptions & { readonly kind: keyof typeof KINDS };

let load: Load | undefined;

answerParent({
  async prepare({ server, ...work }: Workload & { readonly server: Place }) {
    load = await KINDS[work.kind](work, server);
  },
  measure: ({ seconds }: { readonly seconds: number }) => load!.measure(seconds),
  release: () => load!.release?.() ?? {},
});
