import { isWampError } from 'chorale/wamp';
import type { Call, Client } from 'chorale/wamp';
import type { JobsApi, Progress } from '../jobs-api.js';

export type JobState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running'; readonly progress: Progress }
  | { readonly kind: 'done'; readonly primes: number; readonly worker: string }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly text: string };

type PrimesCall = Call<{ readonly primes: number; readonly worker: string }, readonly [Progress]>;

// Ours: a job whose workers die that often may be what kills them.
const ATTEMPTS = 5;

/** One job, as the page sees it: a call whose progress is shown, which can be cancelled, and which moves on if its worker dies. */
export class Job {
  readonly limit: number;
  readonly #client: Client<JobsApi>;
  readonly #onChange: (job: Job) => void;
  #call: PrimesCall | undefined;
  #isCancelled = false;
  /** Workers that were lost on the way. */
  lost: string[] = [];
  state: JobState = { kind: 'waiting' };

  constructor(client: Client<JobsApi>, limit: number, onChange: (job: Job) => void) {
    this.limit = limit;
    this.#client = client;
    this.#onChange = onChange;
    void this.#follow();
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#call?.cancel('killnowait');
  }

  async #follow(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return this.#become(await this.#attempt());
      } catch (error) {
        if (this.#isCancelled) return this.#become({ kind: 'cancelled' });
        if (!isLoss(error) || attempt === ATTEMPTS)
          return this.#become({ kind: 'failed', text: explain(error) });
        if (this.state.kind === 'running') this.lost.push(this.state.progress.worker);
        this.#become({ kind: 'waiting' });
      }
    }
  }

  async #attempt(): Promise<JobState> {
    this.#call = this.#client.call('jobs.count_primes', [this.limit]);
    for await (const { value: progress } of this.#call) this.#become({ kind: 'running', progress });
    return { kind: 'done', ...(await this.#call) };
  }

  #become(state: JobState): void {
    this.state = state;
    this.#onChange(this);
  }
}

/** Whether the worker went away: that is how a call ends that nobody here has cancelled. */
function isLoss(error: unknown): boolean {
  return isWampError(error, 'wamp.error.canceled');
}

function explain(error: unknown): string {
  if (isWampError(error, 'wamp.error.no_such_procedure')) return 'There is no worker to do it.';
  return error instanceof Error ? error.message : String(error);
}
