import type { Call, Client } from 'chorale/wamp';
import type { JobsApi, Progress } from '../jobs-api.js';

export type JobState =
  | { readonly kind: 'running'; readonly progress: Progress | undefined }
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'stopped'; readonly text: string };

type PrimesCall = Call<{ readonly primes: number; readonly worker: string }, readonly [Progress]>;

/** One job, as the page sees it: a call whose progress is shown and which can be cancelled. */
export class Job {
  readonly limit: number;
  readonly #call: PrimesCall;
  readonly #onChange: (job: Job) => void;
  state: JobState = { kind: 'running', progress: undefined };

  constructor(client: Client<JobsApi>, limit: number, onChange: (job: Job) => void) {
    this.limit = limit;
    this.#onChange = onChange;
    this.#call = client.call('jobs.count_primes', [limit]);
    void this.#follow();
  }

  cancel(): void {
    this.#call.cancel('killnowait');
  }

  async #follow(): Promise<void> {
    try {
      for await (const { value: progress } of this.#call) this.#become({ kind: 'running', progress });
      const { primes, worker } = await this.#call;
      this.#become({ kind: 'done', text: `${primes} primes, found by ${worker}` });
    } catch (error) {
      const text = this.#call.cancelled ? 'cancelled' : String(error);
      this.#become({ kind: 'stopped', text });
    }
  }

  #become(state: JobState): void {
    this.state = state;
    this.#onChange(this);
  }
}
