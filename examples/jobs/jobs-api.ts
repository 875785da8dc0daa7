/* What the realm `jobs` offers. */

/** How far a job is, and what it has found up to there. */
export interface Progress {
  readonly done: number;
  readonly of: number;
  readonly found: number;
  /** Who does it. */
  readonly worker: string;
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
    /** A worker has come, finished a job, or stopped one. */
    readonly 'jobs.news': { readonly args: readonly [text: string] };
  };
}

export const REALM = 'jobs';
