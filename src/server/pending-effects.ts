import type { CommitLog, TxOffset } from '../engine/log/commit-log.js';
import type { DeferredAction, Effect, Publication } from '../module/effects.js';

interface Waiting {
  readonly offset: TxOffset;
  readonly effects: readonly Effect[];
}

/** What committed transactions want to have happen, until they are on disk: then it happens, in the order of the commits. */
export class PendingEffects {
  readonly #log: CommitLog;
  #waiting: Waiting[] = [];
  /** Who passes publications on; without him they go nowhere. */
  deliver: (publication: Publication) => void = () => {};

  constructor(log: CommitLog) {
    this.#log = log;
    log.onDurable(() => this.#release());
    log.onFailed(() => this.#drop());
  }

  add(offset: TxOffset, effects: readonly Effect[]): void {
    for (const action of actionsOf(effects)) action.committed();
    this.#waiting.push({ offset, effects });
    this.#release();
  }

  #release(): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.offset <= this.#log.durableOffset) {
      for (const effect of this.#waiting.shift()!.effects) {
        if (effect.kind === 'publication') this.deliver(effect);
        else effect.settled(true);
      }
    }
  }

  /** What never reached the disk never happened. */
  #drop(): void {
    const dropped = this.#waiting;
    this.#waiting = [];
    for (const { effects } of dropped) for (const action of actionsOf(effects)) action.settled(false);
  }
}

function actionsOf(effects: readonly Effect[]): readonly DeferredAction[] {
  return effects.filter((effect) => effect.kind === 'action');
}
