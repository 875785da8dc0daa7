import type { CommitLog, TxOffset } from '../engine/log/commit-log.js';
import type { Publication } from '../module/publication.js';

interface Waiting {
  readonly offset: TxOffset;
  readonly publications: readonly Publication[];
}

/** What transactions published, until it is on disk: then it leaves, in the order of the commits. */
export class Publications {
  readonly #log: CommitLog;
  #waiting: Waiting[] = [];
  /** Who passes them on; without him they go nowhere. */
  deliver: (publication: Publication) => void = () => {};

  constructor(log: CommitLog) {
    this.#log = log;
    log.onDurable(() => this.#release());
    // What never reached the disk never happened.
    log.onFailed(() => void (this.#waiting = []));
  }

  add(offset: TxOffset, publications: readonly Publication[]): void {
    this.#waiting.push({ offset, publications });
    this.#release();
  }

  #release(): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.offset <= this.#log.durableOffset) {
      for (const publication of this.#waiting.shift()!.publications) this.deliver(publication);
    }
  }
}
