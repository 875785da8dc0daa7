import type { Contestant, RunResult } from '../framework/benchmark.js';
import { BenchProcess } from '../framework/child-process.js';
import type { LoadResult } from '../framework/messages.js';
import { runResultOf } from '../framework/run.js';

/** What the router may hold for somebody who does not read, and keep once all is over. */
export interface MemoryLimits {
  readonly heldBytesMax: number;
  readonly keptBytesMax: number;
}

/**
 * Measures what the router's process holds (heap and buffers, garbage collected) while somebody does not read, and what it keeps
 * when he has read on. `limits` are ours to keep to; a peer is only measured.
 */
export async function runMemory(
  contestant: Contestant,
  seconds: number,
  limits: MemoryLimits | undefined,
): Promise<RunResult> {
  const server = await BenchProcess.start(contestant.server.entry, contestant.server.nodeArguments);
  const load = await BenchProcess.start(contestant.load.entry, contestant.load.nodeArguments);
  try {
    const place = await server.call('start', contestant.server.config ?? {});
    await load.call('prepare', { ...contestant.load.config, server: place });
    // Once, so that code and tables have grown to their size.
    await load.call('measure', { seconds: Math.min(1, seconds) });
    await load.call('release');
    const before = await server.collect();
    const loadBefore = await load.sample();
    const result = await load.call<LoadResult>('measure', { seconds });
    const loadAfter = await load.sample();
    const busy = await server.sample();
    const held = await server.collect();
    const facts = await load.call<Record<string, number>>('release');
    const after = await server.collect();
    const heldBytes = held.heapBytes - before.heapBytes;
    const keptBytes = after.heapBytes - before.heapBytes;
    checkLimit('held', heldBytes, limits?.heldBytesMax);
    checkLimit('kept', keptBytes, limits?.keptBytesMax);
    return runResultOf(
      result,
      { server: [before, busy], load: [loadBefore, loadAfter] },
      {
        'held KB': heldBytes / 1000,
        'kept KB': keptBytes / 1000,
        'RSS grown MB': (busy.rssBytes - before.rssBytes) / 1e6,
        ...facts,
      },
    );
  } finally {
    await load.stop();
    await server.stop();
  }
}

export function checkLimit(what: string, bytes: number, bytesMax = Infinity): void {
  if (bytes > bytesMax) throw new Error(`the router ${what} ${bytes} bytes, more than ${bytesMax}`);
}
