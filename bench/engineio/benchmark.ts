import type { Benchmark, Contestant, Metric, RunResult } from '../framework/benchmark.js';
import { BenchProcess } from '../framework/child-process.js';

/*
 * `createServer({ sockets })` beside npm engine.io with its defaults; `facade-...`: the server in npm's shape, for programs that change
 * nothing but the import. Both echo text, or deliver each message of a publisher to all
 * subscribers. The ping interval is 120 s on both sides, so that no ping is counted for a message. The load generator speaks over raw
 * sockets and counts octets.
 */

const IDLE_CONNECTIONS = 5000;
const ECHO_BYTES = 64;
const FAN_OUT_BYTES = 128;

function contestants(load: Record<string, unknown>): Pick<Metric, 'ours' | 'peer'> & { facade: Contestant } {
  const side = (label: string, entry: string): Contestant => ({
    label,
    server: { entry: `engineio/${entry}`, config: { isFanOut: load['kind'] === 'fan-out' } },
    load: { entry: 'engineio/load.ts', config: load },
  });
  return {
    ours: side('chorale', 'server-chorale.ts'),
    peer: side('engine.io 6.6.11', 'server-npm.ts'),
    facade: side('chorale facade', 'server-facade.ts'),
  };
}

/** With the server in npm's shape as a third side, which becomes a metric of its own. */
type EngineMetric = Metric & { readonly facade: Contestant };

function facadeOf({ facade, ...metric }: EngineMetric): Metric {
  return { ...metric, name: `facade-${metric.name}`, ours: facade };
}

function echo(connections: number, inFlight: number): EngineMetric {
  return {
    name: `echo-${connections}x${inFlight}`,
    summary: `${connections} connections x ${inFlight} in flight, ${ECHO_BYTES}-byte text over WebSocket`,
    ...contestants({ kind: 'echo', connections, inFlight, payloadBytes: ECHO_BYTES }),
  };
}

function polling(messages: number): EngineMetric {
  return {
    name: `polling-${messages}`,
    summary: `32 sessions, POST of ${messages} ${ECHO_BYTES}-byte messages, then GET; an operation is a message`,
    ...contestants({ kind: 'polling', connections: 32, inFlight: messages, payloadBytes: ECHO_BYTES }),
  };
}

const connect: EngineMetric = {
  name: 'connect',
  summary: '32 at a time: TCP, WebSocket handshake, open packet',
  ...contestants({ kind: 'connect', connections: 32, inFlight: 1, payloadBytes: 0 }),
};

const fanOut: EngineMetric = {
  name: 'fan-out',
  summary: `${FAN_OUT_BYTES}-byte text to 1000 subscribers, 2 in flight; an operation is a delivery`,
  ...contestants({ kind: 'fan-out', connections: 1000, inFlight: 2, payloadBytes: FAN_OUT_BYTES }),
};

// As many as are measured, for two reasons. What is loaded and compiled for the first ones is not what each one costs. And V8's young
// generation grows with what has survived it, up to 32 MB: after 1000 it has its full size in npm's server, whose sessions are larger, and
// would grow by 16 MB in ours while it is measured. Nobody may wait in between: V8 gives back what it had grown by when it has been quiet
// for some seconds, or not, which is more than what is measured.
const WARM_UP_CONNECTIONS = IDLE_CONNECTIONS;

/** Resident memory that each idle session adds to the server. */
async function runIdle(contestant: Contestant): Promise<RunResult> {
  const server = await BenchProcess.start(contestant.server.entry);
  const load = await BenchProcess.start(contestant.load.entry);
  try {
    const info = await server.call('start', contestant.server.config);
    await load.call('prepare', { kind: 'idle', connections: WARM_UP_CONNECTIONS, server: info });
    const before = await server.collect();
    await load.call('prepare', { ...contestant.load.config, server: info });
    const atOnce = await server.sample();
    const after = await server.collect();
    return {
      ops: IDLE_CONNECTIONS,
      seconds: 0,
      opsPerSecond: 0,
      latencyP50Micros: 0,
      latencyP99Micros: 0,
      serverCpuMicrosPerOp: (after.cpuMicros - before.cpuMicros) / IDLE_CONNECTIONS,
      loadCpuMicrosPerOp: 0,
      serverBusy: 0,
      loadBusy: 0,
      serverRssBytes: after.rssBytes,
      extra: {
        'RSS bytes/connection': (after.rssBytes - before.rssBytes) / IDLE_CONNECTIONS,
        'RSS at once': (atOnce.rssBytes - before.rssBytes) / IDLE_CONNECTIONS,
        'heap bytes/connection': (after.heapBytes - before.heapBytes) / IDLE_CONNECTIONS,
      },
    };
  } finally {
    await load.stop();
    await server.stop();
  }
}

const idle: EngineMetric = {
  name: `idle-${IDLE_CONNECTIONS}`,
  summary: `memory of ${IDLE_CONNECTIONS} sessions over WebSocket behind as many, after a forced collection; an operation is a handshake`,
  ...contestants({ kind: 'idle', connections: IDLE_CONNECTIONS, inFlight: 0, payloadBytes: 0 }),
  rounds: 2,
  run: runIdle,
  ratioOf: 'resident bytes per connection',
  ratio: (ours, peer) => peer.extra['RSS bytes/connection']! / ours.extra['RSS bytes/connection']!,
};

const metrics = [connect, echo(1, 256), echo(100, 16), echo(100, 1), fanOut, polling(1), polling(16), idle];

export const engineio: Benchmark = {
  name: 'engineio',
  metrics: [...metrics, ...metrics.map(facadeOf)],
};
