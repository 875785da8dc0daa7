import { answerParent } from '../framework/child.js';
import { Latencies } from '../framework/latencies.js';
import type { LoadResult } from '../framework/messages.js';
import { drawPairs } from './keys.js';
import { ACCOUNTS } from './accounts.js';

/* The load: the same loops whichever client library makes the calls. */

export interface LoadConfig {
  readonly connections: number;
  /** Calls of each connection that wait for their answers. */
  readonly inFlight: number;
  readonly zipf: number;
  readonly server: { readonly url: string };
}

/** One connection of some client library. */
export interface BankClient {
  transfer(from: number, to: number): Promise<void>;
}

// Pairs are drawn before the clock starts, so that drawing does not weigh on the client.
const PAIRS = 1 << 17;
const SEED = 20_261_121;

/** Answers the benchmark with connections that `connect` makes. */
export function answerLoad(connect: (url: string) => Promise<BankClient>): void {
  let clients: BankClient[] = [];
  let inFlight = 1;
  let pairs: Uint32Array = new Uint32Array();
  let next = 0;
  let acknowledged = 0;

  const drive = async (client: BankClient, endMs: number, latencies: Latencies): Promise<void> => {
    for (let nowMs = performance.now(); nowMs < endMs;) {
      const startMs = nowMs;
      const at = (next = (next + 2) % pairs.length);
      await client.transfer(pairs[at]!, pairs[at + 1]!);
      acknowledged++;
      nowMs = performance.now();
      latencies.add((nowMs - startMs) * 1000);
    }
  };

  answerParent({
    async prepare(config: LoadConfig) {
      inFlight = config.inFlight;
      pairs = drawPairs(ACCOUNTS, config.zipf, PAIRS, SEED);
      clients = await Promise.all(
        Array.from({ length: config.connections }, () => connect(config.server.url)),
      );
    },
    async measure({ seconds }: { seconds: number }): Promise<LoadResult> {
      const latencies = new Latencies();
      const startMs = performance.now();
      const endMs = startMs + seconds * 1000;
      await Promise.all(
        clients.flatMap((client) => Array.from({ length: inFlight }, () => drive(client, endMs, latencies))),
      );
      return {
        ops: latencies.count,
        seconds: (performance.now() - startMs) / 1000,
        latencyP50Micros: latencies.quantile(0.5),
        latencyP99Micros: latencies.quantile(0.99),
      };
    },
    acknowledged: () => acknowledged,
  });
}
