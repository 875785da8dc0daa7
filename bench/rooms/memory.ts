import type { Contestant, RunResult } from '../framework/benchmark.js';
import { BenchProcess } from '../framework/child-process.js';

// Longer than two of the three-second rounds in which our server forgets contents that nobody asks for again.
const SETTLE_MS = 7000;

const WARM_UP_ROOMS = 200;

/** What a server needs for rooms in which two clients are and nothing happens; an operation is a room that opens. */
export async function runMemory(contestant: Contestant): Promise<RunResult> {
  const server = await BenchProcess.start(contestant.server.entry, contestant.server.nodeArguments);
  const load = await BenchProcess.start(contestant.load.entry);
  try {
    const info = await server.call<Record<string, unknown>>('start', contestant.server.config ?? {});
    const { count } = contestant.load.config as { readonly count: number };
    // Some rooms first: what the first ones load and have compiled is not what each one costs.
    const first = { count: Math.min(count, WARM_UP_ROOMS), from: count };
    await load.call('prepare', { ...contestant.load.config, ...first, server: info });
    await settle();
    const before = await server.collect();
    await load.call('prepare', { ...contestant.load.config, server: info });
    await settle();
    const after = await server.collect();
    return {
      ops: count,
      seconds: 0,
      opsPerSecond: 0,
      latencyP50Micros: 0,
      latencyP99Micros: 0,
      serverCpuMicrosPerOp: (after.cpuMicros - before.cpuMicros) / count,
      loadCpuMicrosPerOp: 0,
      serverBusy: 0,
      loadBusy: 0,
      serverRssBytes: after.rssBytes,
      extra: {
        'heap bytes/room': (after.heapBytes - before.heapBytes) / count,
        'RSS bytes/room': (after.rssBytes - before.rssBytes) / count,
      },
    };
  } finally {
    await load.stop();
    await server.stop();
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, SETTLE_MS));
}
