/* What the realm `jobs` offers. */

/** How far a job is, and what it has found up to there. */
export interface Progress {
  readonly done: number;
  readonly of: number;
  readonly found: number;
  /** Who does it. */
  readonly worker: string;
}

/** What a worker says of itself. */
export interface WorkerStatus {
  readonly name: string;
  /** Jobs that it does now. */
  readonly running: number;
  /** Jobs that it has finished. */
  readonly finished: number;
  readonly isHere: boolean;
}

export interface JobsApi {
  readonly procedures: {
    /** Counts the primes below a limit; served by every worker, in turn. */
    readonly 'jobs.count_primes': {
      readonly args: readonly [limit: number];
      readonly result: { readonly primes: number; readonly worker: string };
      readonly progress: readonly [Progress];
    };
  };
  readonly topics: {
    /** One for each worker's session, retained: who comes later hears of everybody. The last event is a testament. */
    readonly [topic: `jobs.workers.${string}`]: { readonly args: readonly [WorkerStatus] };
    /** All of them, for who subscribes by prefix. */
    readonly 'jobs.workers': { readonly args: readonly [WorkerStatus] };
  };
}

export const REALM = 'jobs';
