/** A connection with something to write. */
export interface Flushable {
  flushTurn(): void;
}

// A fan-out to a thousand sockets is a thousand writes, some milliseconds. What arrives meanwhile is read between the slices, and
// leaves with the same writes as far as they are still to come. 256 writes are half a millisecond or so.
const SLICE_MIN = 256;
// A turn is not drawn out for ever: what many connections have to write goes in this many slices.
const SLICES_MAX = 8;

/**
 * Ends the turn: once per round of the event loop, after all chunks that had arrived were handled, it runs
 * what protocols put off (`beforeFlush`) and then lets connections with output write once each: all of them, or as many as fit
 * into a slice, the rest in the next rounds, in the order of `add`.
 * A connection asks for its flush with `add`, at most once until it is flushed.
 */
export class TurnFlusher {
  readonly #onError: (error: unknown) => void;
  #waiting: Flushable[] = [];
  #flushing: Flushable[] = [];
  /** How many of `#flushing` are done. */
  #flushed = 0;
  #deferred: (() => void)[] = [];
  #isScheduled = false;
  readonly #end = (): void => {
    this.#isScheduled = false;
    this.#flush(false);
  };

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Lets `connection` write when the turn ends. */
  add(connection: Flushable): void {
    this.#waiting.push(connection);
    if (!this.#isScheduled) this.#schedule();
  }

  /** Runs `callback` once, when the turn ends and before anything is written: the place to join replies. */
  beforeFlush(callback: () => void): void {
    this.#deferred.push(callback);
    if (!this.#isScheduled) this.#schedule();
  }

  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(this.#end);
  }

  /** Ends the turn now, for all. Useful by hand when a process is about to stop. */
  flush(): void {
    if (this.#flushing.length > 0) this.#flush(true);
    this.#flush(true);
  }

  #flush(isWhole: boolean): void {
    // What callbacks put off belongs to this turn too; one that puts itself off for ever gets the next turn.
    for (let round = 0; round < 8 && this.#deferred.length > 0; round++) this.#runDeferred();
    if (this.#flushing.length === 0) {
      const waiting = this.#waiting;
      this.#waiting = this.#flushing;
      this.#flushing = waiting;
    }
    this.#write(isWhole);
    const isMore = this.#flushing.length > 0 || this.#waiting.length > 0 || this.#deferred.length > 0;
    if (isMore && !this.#isScheduled) this.#schedule();
  }

  #write(isWhole: boolean): void {
    const connections = this.#flushing;
    const slice = Math.max(SLICE_MIN, Math.ceil(connections.length / SLICES_MAX));
    const end = isWhole ? connections.length : Math.min(this.#flushed + slice, connections.length);
    while (this.#flushed < end) {
      try {
        connections[this.#flushed++]!.flushTurn();
      } catch (error) {
        this.#onError(error);
      }
    }
    if (end < connections.length) return;
    connections.length = 0;
    this.#flushed = 0;
  }

  #runDeferred(): void {
    const callbacks = this.#deferred;
    this.#deferred = [];
    for (const callback of callbacks) {
      try {
        callback();
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
