import { connect } from 'chorale/wamp';
import type { Client } from 'chorale/wamp';
import { REALM } from '../jobs-api.js';
import type { JobsApi } from '../jobs-api.js';
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
  const tell = (text: string): void => {
    onLine(text);
    void client.publish('jobs.news', [`${name} ${text}`]);
  };

  await client.register(
    'jobs.count_primes',
    async function* ({ args: [limit], signal }) {
      try {
        tell(`counts the primes below ${limit}`);
        const counting = countPrimes(limit);
        let step = await counting.next();
        while (step.done !== true) {
          // The caller has cancelled, left, or run out of patience.
          signal.throwIfAborted();
          const { done, primes } = step.value;
          yield { done, of: limit, found: primes, worker: name };
          step = await counting.next();
        }
        tell(`found ${step.value}`);
        return { primes: step.value, worker: name };
      } finally {
        if (signal.aborted) tell('was stopped');
      }
    },
    { invocationPolicy: 'roundrobin' },
  );
  tell('is ready');
  return client;
}
