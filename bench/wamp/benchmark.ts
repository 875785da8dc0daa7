import type { Benchmark, Contestant, Metric } from '../framework/benchmark.js';
import type { Workload } from './load.js';
import { type MemoryLimits, runMemory } from './memory-run.js';

/*
 * Our WAMP router beside npm `fox-wamp`, both over WebSocket with wamp.2.json, anonymous, nothing but their defaults.
 * The load generator speaks over raw sockets. W1, W2, ... are the workloads of the design notes.
 */

function contestants(config: Workload): Pick<Metric, 'ours' | 'peer'> {
  const side = (label: string, entry: string): Contestant => ({
    label,
    server: { entry: `wamp/${entry}` },
    load: { entry: 'wamp/load.ts', config },
  });
  return { ours: side('chorale', 'server-chorale.ts'), peer: side('fox-wamp 0.7.28', 'server-fox.ts') };
}

/** W1, W2. */
function calls(inFlight: number): Metric {
  return {
    name: `calls-${inFlight}`,
    summary: `one caller, one callee, add2(int, int), ${inFlight} in flight`,
    ...contestants({ kind: 'calls', inFlight }),
  };
}

/** W5, W6, W7. */
function events(subscribers: number, inFlight: number): Metric {
  return {
    name: `events-1x${subscribers}`,
    summary: `64 octets to ${subscribers} subscribers, ${inFlight} in flight; an operation is a delivery`,
    ...contestants({ kind: 'events', subscribers, inFlight }),
  };
}

/** W8. */
function acknowledged(inFlight: number): Metric {
  return {
    name: `acknowledged-${inFlight}`,
    summary: `acknowledged publications of 64 octets to one subscriber, ${inFlight} in flight`,
    ...contestants({ kind: 'acknowledged', inFlight }),
  };
}

/** W11. */
const progress: Metric = {
  name: 'progress',
  summary: 'progressive results of 128 octets of one call, 256 in flight; an operation is a chunk',
  ...contestants({ kind: 'progress', inFlight: 256 }),
};

function inMemory(metric: Omit<Metric, 'run' | 'ratio' | 'ratioOf'>, limits: MemoryLimits): Metric {
  return {
    ...metric,
    run: (contestant, seconds) =>
      runMemory(contestant, seconds, contestant === metric.ours ? limits : undefined),
  };
}

// The router's queue limit for one session is 4 MiB; a hundred other sessions and the heap's own ups and downs are in it.
const QUEUE: MemoryLimits = { heldBytesMax: 6 * 2 ** 20, keptBytesMax: 2 ** 20 };
/** What others hold in 1 of ours. Nobody holds less than nothing: below 64 KiB it is noise. */
const heldRatio: Pick<Metric, 'ratio' | 'ratioOf'> = {
  ratio: (ours, peer) => Math.max(64, peer.extra['held KB']!) / Math.max(64, ours.extra['held KB']!),
  ratioOf: 'bytes held for who does not read, theirs to ours',
};

/** W11, the slow caller. */
const unreadProgress: Metric = {
  ...inMemory(
    {
      name: 'progress-unread',
      summary: '100,000 progressive results of 128 octets to a caller that does not read',
      ...contestants({ kind: 'unread-progress', unread: 100_000 }),
    },
    QUEUE,
  ),
  ...heldRatio,
};

/** W12. */
const churn: Metric = inMemory(
  {
    name: 'churn',
    summary: 'sessions that join, subscribe, register and leave, 32 at a time; an operation is a session',
    ...contestants({ kind: 'churn', inFlight: 32 }),
  },
  { heldBytesMax: 2 ** 20, keptBytesMax: 2 ** 20 },
);

/** W12 as the notes have it, for which a run has to be long: what is resident after 10 minutes is what was after one. */
const pacedChurn: Metric = inMemory(
  {
    name: 'churn-1000',
    summary:
      '1000 sessions a second that join, subscribe, register and leave; --seconds 600 shows RSS after 1, 5 and 10 minutes',
    rounds: 1,
    ...contestants({ kind: 'churn', inFlight: 64, perSecond: 1000 }),
  },
  // Measured: 1 MB more after 600,000 sessions. One that leaves 100 bytes behind comes to 50 MB.
  { heldBytesMax: 2 ** 20, keptBytesMax: 2 ** 20, rssGrownBytesMax: 8 * 2 ** 20 },
);

/** W13. */
const slowSubscriber: Metric = {
  ...inMemory(
    {
      name: 'slow-subscriber',
      summary: '5,000 events of 4 KiB to 20 subscribers, 16 in flight, and to one more that does not read',
      ...contestants({ kind: 'events', subscribers: 20, inFlight: 16, size: 4096, unread: 5000 }),
    },
    QUEUE,
  ),
  ...heldRatio,
};

export const wamp: Benchmark = {
  name: 'wamp',
  metrics: [
    calls(1),
    calls(256),
    events(1, 256),
    events(100, 16),
    events(1000, 4),
    acknowledged(1),
    acknowledged(64),
    progress,
    unreadProgress,
    churn,
    pacedChurn,
    slowSubscriber,
  ],
};
