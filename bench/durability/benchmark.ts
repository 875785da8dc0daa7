import type { Benchmark, Contestant, Metric, RunResult } from '../framework/benchmark.js';
import { BenchProcess } from '../framework/child-process.js';
import type { WriterResult } from './writers.js';

/* Transactions that are on disk when they count, in one process without a network. */

const WARM_UP_SECONDS = 0.5;
// One at a time, the compiler of the runtime would get to the last functions in the middle of the measured run.
const WARM_UP_IN_FLIGHT = 256;

async function runAlone(contestant: Contestant, seconds: number): Promise<RunResult> {
  const child = await BenchProcess.start(contestant.server.entry);
  try {
    const options = contestant.server.config;
    await child.call('measure', {
      ...options,
      inFlight: WARM_UP_IN_FLIGHT,
      seconds: Math.min(WARM_UP_SECONDS, seconds),
    });
    const before = await child.sample();
    const result = await child.call<WriterResult>('measure', { ...options, seconds });
    const after = await child.sample();
    const cpuMicros = after.cpuMicros - before.cpuMicros;
    return {
      ...result,
      opsPerSecond: result.ops / result.seconds,
      serverCpuMicrosPerOp: cpuMicros / result.ops,
      loadCpuMicrosPerOp: 0,
      serverBusy: cpuMicros / result.seconds / 1e6,
      loadBusy: 0,
      serverRssBytes: after.rssBytes,
      extra: { 'loop max ms': result.loopMaxMs },
    };
  } finally {
    await child.stop();
  }
}

/** What a family of metrics compares. */
interface Family {
  readonly name: string;
  readonly what: string;
  readonly entry: string;
  /** Of SQLite: an insert can be taken back alone. */
  readonly hasSavepoints: boolean;
}

const LOG: Family = {
  name: 'in-flight',
  what: 'the commit log alone; SQLite: a transaction for each turn',
  entry: 'log.ts',
  hasSavepoints: false,
};

const ENGINE: Family = {
  name: 'engine',
  what: 'table and log; SQLite: a transaction for each turn, a savepoint for each insert',
  entry: 'engine.ts',
  hasSavepoints: true,
};

function metric({ name, what, entry, hasSavepoints }: Family, inFlight: number, bytes: number): Metric {
  const side = (label: string, file: string, config: Record<string, unknown>): Contestant => {
    const process = { entry: `durability/${file}`, config: { inFlight, bytes, ...config } };
    return { label, server: process, load: process };
  };
  return {
    name: `${name}-${inFlight}${bytes === 1024 ? '-1k' : ''}`,
    summary: `${inFlight} in flight, ${bytes} bytes each; ${what}`,
    ours: side('chorale', entry, {}),
    peer: side('better-sqlite3 FULL', 'sqlite.ts', { hasSavepoints }),
    run: runAlone,
    ratioOf: 'transactions per second',
    ratio: (ours, peer) => ours.opsPerSecond / peer.opsPerSecond,
  };
}

export const durability: Benchmark = {
  name: 'durability',
  requires: {
    packageName: 'better-sqlite3',
    hint: 'npm install --no-save better-sqlite3@12.11.1 (needs a C++ compiler)',
  },
  metrics: [LOG, ENGINE].flatMap((family) =>
    [1, 64, 1024].flatMap((inFlight) => [metric(family, inFlight, 100), metric(family, inFlight, 1024)]),
  ),
};
