import { connect, testament } from 'chorale/wamp';
import type { Client } from 'chorale/wamp';
import { REALM } from '../jobs-api.js';
import type { JobsApi, WorkerStatus } from '../jobs-api.js';
import { countPrimes } from './count-primes.js';

export interface WorkerOptions {
  /** `tcp://127.0.0.1:3000`, `ws://...`: workers take any transport. */
  readonly url: string;
  readonly name: string;
  readonly onLine: (text: string) => void;
}

/** Joins the pool, and comes back to it whenever the connection is lost. */
export async function startWorker({ url, name, onLine }: WorkerOptions): Promise<Client<JobsApi>> {
  const client = await connect<JobsApi>(url, { realm: REALM, reconnect: true });
  const status = new StatusReport(client, name);

  await client.register(
    'jobs.count_primes',
    async function* ({ args: [limit], signal }) {
      onLine(`counts the primes below ${limit}`);
      status.change({ running: 1 });
      try {
        const counting = countPrimes(limit);
        let step = await counting.next();
        while (step.done !== true) {
          // The caller has cancelled, left, or run out of patience.
          signal.throwIfAborted();
          const { done, primes } = step.value;
          yield { done, of: limit, found: primes, worker: name };
          step = await counting.next();
        }
        onLine(`found ${step.value}`);
        status.change({ finished: 1 });
        return { primes: step.value, worker: name };
      } finally {
        status.change({ running: -1 });
        if (signal.aborted) onLine('was stopped');
      }
    },
    { invocationPolicy: 'roundrobin' },
  );

  client.on('restored', () => void status.introduce());
  await status.introduce();
  onLine('is ready');
  return client;
}

/** Tells everybody how a worker is, and has the router tell them when it is gone, however it went. */
class StatusReport {
  readonly #client: Client<JobsApi>;
  #status: WorkerStatus;

  constructor(client: Client<JobsApi>, name: string) {
    this.#client = client;
    this.#status = { name, running: 0, finished: 0, isHere: true };
  }

  /** Once for each session: a testament is its session's. */
  async introduce(): Promise<void> {
    const farewell: WorkerStatus = { ...this.#status, isHere: false };
    await testament(this.#client).add(this.#topic, [farewell], { publishOptions: { retain: true } });
    this.#publish();
  }

  change({ running = 0, finished = 0 }: { readonly running?: number; readonly finished?: number }): void {
    const { running: before, finished: finishedBefore } = this.#status;
    this.#status = { ...this.#status, running: before + running, finished: finishedBefore + finished };
    this.#publish();
  }

  get #topic(): `jobs.workers.${string}` {
    return `jobs.workers.${this.#client.session.sessionId}`;
  }

  #publish(): void {
    void this.#client.publish(this.#topic, [this.#status], { retain: true });
  }
}
