/** A connection with something to write. */
export interface Flushable {
  flushTurn(): void;
}

/**
 * Ends the turn: once per round of the event loop, after all chunks that had arrived were handled, it runs
 * what protocols put off (`beforeFlush`) and then lets every connection with output write once.
 * A connection asks for its flush with `add`, at most once per turn.
 */
export class TurnFlusher {
  readonly #onError: (error: unknown) => void;
  #waiting: Flushable[] = [];
  #flushing: Flushable[] = [];
  #deferred: (() => void)[] = [];
  #isScheduled = false;
  readonly #end = (): void => this.flush();

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

  /** Ends the turn now. Called by itself; useful by hand when a process is about to stop. */
  flush(): void {
    // What callbacks put off belongs to this turn too; one that puts itself off for ever gets the next turn.
    for (let round = 0; round < 8 && this.#deferred.length > 0; round++) this.#runDeferred();
    this.#isScheduled = false;
    const connections = this.#waiting;
    this.#waiting = this.#flushing;
    this.#flushing = connections;
    for (const connection of connections) {
      try {
        connection.flushTurn();
      } catch (error) {
        this.#onError(error);
      }
    }
    connections.length = 0;
    if (this.#deferred.length > 0 && !this.#isScheduled) this.#schedule();
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
