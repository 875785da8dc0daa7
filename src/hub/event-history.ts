/** What is kept of an event. */
export interface PastEvent {
  readonly publication: number;
  readonly topic: string;
  /** Microseconds since the Unix epoch. */
  readonly atMicros: number;
  /** Octets, about: what the limit counts. */
  readonly bytes: number;
}

export interface HistoryLimits {
  readonly eventsMax: number;
  readonly bytesMax: number;
  /** Milliseconds. */
  readonly ageMaxMs: number;
}

export interface HistoryQuery {
  /** The newest first. */
  readonly reverse?: boolean | undefined;
  readonly limit?: number | undefined;
  /** At or after; microseconds since the Unix epoch, as the other three. */
  readonly fromMicros?: number | undefined;
  readonly afterMicros?: number | undefined;
  readonly beforeMicros?: number | undefined;
  /** At or before. */
  readonly untilMicros?: number | undefined;
  readonly topic?: string | undefined;
  readonly fromPublication?: number | undefined;
  readonly afterPublication?: number | undefined;
  readonly beforePublication?: number | undefined;
  readonly untilPublication?: number | undefined;
}

/** The last events of one subscription, in the order in which they were published. */
export class EventHistory<E extends PastEvent> {
  readonly #limits: HistoryLimits;
  /** Those before `#start` have been dropped. */
  #events: E[] = [];
  #start = 0;
  #bytes = 0;

  constructor(limits: HistoryLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#events.length - this.#start;
  }

  add(event: E): void {
    this.#events.push(event);
    this.#bytes += event.bytes;
    const { eventsMax, bytesMax, ageMaxMs } = this.#limits;
    while (this.count > 0) {
      const oldest = this.#events[this.#start]!;
      const isTooOld = event.atMicros - oldest.atMicros > ageMaxMs * 1000;
      if (this.count <= eventsMax && this.#bytes <= bytesMax && !isTooOld) break;
      this.#bytes -= oldest.bytes;
      this.#start++;
    }
    // Now and then, so that dropping costs nothing on average.
    if (this.#start > 64 && this.#start * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Events that fit all conditions and that `isVisible`. A publication that is not there is no bound. */
  find(query: HistoryQuery, nowMicros: number, isVisible: (event: E) => boolean): E[] {
    const oldestMicros = nowMicros - this.#limits.ageMaxMs * 1000;
    let found = this.#within(query).filter(
      (event) => event.atMicros >= oldestMicros && isWithinTime(event, query) && isVisible(event),
    );
    if (query.topic !== undefined) found = found.filter((event) => event.topic === query.topic);
    if (query.reverse === true) found.reverse();
    return query.limit === undefined ? found : found.slice(0, query.limit);
  }

  /** The events between the publications that the query names. */
  #within(query: HistoryQuery): E[] {
    const live = this.#events.slice(this.#start);
    const place = (publication: number | undefined): number =>
      publication === undefined ? -1 : live.findIndex((event) => event.publication === publication);
    let first = 0;
    let end = live.length;
    const from = place(query.fromPublication);
    const after = place(query.afterPublication);
    const before = place(query.beforePublication);
    const until = place(query.untilPublication);
    if (from >= 0) first = Math.max(first, from);
    if (after >= 0) first = Math.max(first, after + 1);
    if (before >= 0) end = Math.min(end, before);
    if (until >= 0) end = Math.min(end, until + 1);
    return live.slice(first, end);
  }
}

function isWithinTime(event: PastEvent, query: HistoryQuery): boolean {
  const at = event.atMicros;
  return (
    at >= (query.fromMicros ?? -Infinity) &&
    at > (query.afterMicros ?? -Infinity) &&
    at < (query.beforeMicros ?? Infinity) &&
    at <= (query.untilMicros ?? Infinity)
  );
}
