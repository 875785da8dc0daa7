import type { KeptEvent } from './kept-event.js';
import type { RouterLimits } from './options.js';

/** The last retained event of each topic. Those that were retained first make room for others. */
export class RetainedEvents {
  readonly #limits: Pick<RouterLimits, 'retainedEvents' | 'retainedBytes'>;
  /** By topic, the one retained last at the end. */
  readonly #events = new Map<string, KeptEvent>();
  #bytes = 0;

  constructor(limits: Pick<RouterLimits, 'retainedEvents' | 'retainedBytes'>) {
    this.#limits = limits;
  }

  get(topic: string): KeptEvent | undefined {
    return this.#events.get(topic);
  }

  values(): Iterable<KeptEvent> {
    return this.#events.values();
  }

  /** One that does not fit by itself is not kept; what its topic had before is not either, as it is not the last one any more. */
  set(event: KeptEvent): void {
    const { retainedEvents, retainedBytes } = this.#limits;
    this.#delete(event.topic);
    if (event.bytes > retainedBytes) return;
    this.#events.set(event.topic, event);
    this.#bytes += event.bytes;
    for (const topic of this.#events.keys()) {
      if (this.#events.size <= retainedEvents && this.#bytes <= retainedBytes) break;
      this.#delete(topic);
    }
  }

  #delete(topic: string): void {
    const event = this.#events.get(topic);
    if (event === undefined) return;
    this.#events.delete(topic);
    this.#bytes -= event.bytes;
  }
}
