import type { Contestant, RunResult } from '../framework/benchmark.js';
import { BenchProcess } from '../framework/child-process.js';
import type { LoadResult } from '../framework/messages.js';
import { medianNumber, runResultOf } from '../framework/run.js';

/** What the router may hold for somebody who does not read, and keep once all is over. */
export interface MemoryLimits {
  readonly heldBytesMax: number;
  readonly keptBytesMax: number;
  /** Of a run of a minute or more: what is resident at its end beyond what was after a tenth of it. */
  readonly rssGrownBytesMax?: number;
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
    const rss = watchRss(server, seconds);
    const result = await load.call<LoadResult>('measure', { seconds }).finally(() => rss.stop());
    const loadAfter = await load.sample();
    const busy = await server.sample();
    const held = await server.collect();
    const facts = await load.call<Record<string, number>>('release');
    const after = await server.collect();
    const heldBytes = held.heapBytes - before.heapBytes;
    const keptBytes = after.heapBytes - before.heapBytes;
    checkLimit('held', heldBytes, limits?.heldBytesMax);
    checkLimit('kept', keptBytes, limits?.keptBytesMax);
    const resident = rss.facts();
    if (resident !== undefined) {
      checkLimit('grew by', resident.atEnd - resident.afterTenth, limits?.rssGrownBytesMax);
    }
    return runResultOf(
      result,
      { server: [before, busy], load: [loadBefore, loadAfter] },
      {
        'held KB': heldBytes / 1000,
        'kept KB': keptBytes / 1000,
        'RSS grown MB': (busy.rssBytes - before.rssBytes) / 1e6,
        ...(resident === undefined ? {} : inMegabytes(resident)),
        ...facts,
      },
    );
  } finally {
    await load.stop();
    await server.stop();
  }
}

// Of a short run they would say nothing.
const WATCHED_SECONDS_MIN = 60;
const SAMPLES = 120;

interface Resident {
  readonly afterTenth: number;
  readonly afterHalf: number;
  readonly atEnd: number;
}

interface RssWatch {
  stop(): void;
  /** Bytes; undefined after a short run. */
  facts(): Resident | undefined;
}

/** Looks at what is resident all through a long run. It goes up and down with garbage: each figure is a median of seven looks. */
function watchRss(server: BenchProcess, seconds: number): RssWatch {
  if (seconds < WATCHED_SECONDS_MIN) return { stop() {}, facts: () => undefined };
  const rssBytes: number[] = [];
  const look = (): void => void server.sample().then((sample) => rssBytes.push(sample.rssBytes));
  const timer = setInterval(look, (seconds * 1000) / SAMPLES);
  const around = (share: number): number => {
    const end = Math.round(share * rssBytes.length);
    return medianNumber(rssBytes.slice(end - 7, end));
  };
  return {
    stop: () => clearInterval(timer),
    facts: () => ({ afterTenth: around(0.1), afterHalf: around(0.5), atEnd: around(1) }),
  };
}

function inMegabytes({ afterTenth, afterHalf, atEnd }: Resident): Readonly<Record<string, number>> {
  return {
    'RSS MB after 1/10': afterTenth / 1e6,
    'after 1/2': afterHalf / 1e6,
    'at the end': atEnd / 1e6,
  };
}

export function checkLimit(what: string, bytes: number, bytesMax = Infinity): void {
  if (bytes > bytesMax) throw new Error(`the router ${what} ${bytes} bytes, more than ${bytesMax}`);
}
