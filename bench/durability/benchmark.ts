import type { Benchmark, Contestant, Metric, RunResult } from '../framework/benchmark.js';
import { BenchProcess } from '../framework/child-process.js';
import type { LoadResult } from '../framework/messages.js';

/* Transactions that are on disk when they count, in one process without a network. */

const WARM_UP_SECONDS = 0.5;

async function runAlone(contestant: Contestant, seconds: number): Promise<RunResult> {
  const child = await BenchProcess.start(contestant.server.entry);
  try {
    const options = contestant.server.config;
    await child.call('measure', { ...options, seconds: Math.min(WARM_UP_SECONDS, seconds) });
    const before = await child.sample();
    const result = await child.call<LoadResult>('measure', { ...options, seconds });
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
      extra: {},
    };
  } finally {
    await child.stop();
  }
}

function metric(inFlight: number, bytes: number): Metric {
  const side = (label: string, entry: string): Contestant => {
    const process = { entry: `durability/${entry}`, config: { inFlight, bytes } };
    return { label, server: process, load: process };
  };
  return {
    name: `in-flight-${inFlight}${bytes === 1024 ? '-1k' : ''}`,
    summary: `${inFlight} in flight, ${bytes} bytes each`,
    ours: side('chorale', 'chorale.ts'),
    peer: side('better-sqlite3 FULL', 'sqlite.ts'),
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
  metrics: [1, 64, 1024].flatMap((inFlight) => [metric(inFlight, 100), metric(inFlight, 1024)]),
};
