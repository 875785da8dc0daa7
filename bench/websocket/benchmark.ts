import type { Benchmark, Contestant, Metric, RunResult } from '../framework/benchmark.js';
import { BenchProcess } from '../framework/child-process.js';

/*
 * Chorale's WebSocket server beside npm `ws` (perMessageDeflate off, its plain API). Both echo binary messages, or
 * deliver each message of a publisher to all subscribers. The load generator speaks over raw sockets.
 */

const IDLE_CONNECTIONS = 5000;

function contestants(load: Record<string, unknown>): Pick<Metric, 'ours' | 'peer'> {
  const side = (label: string, entry: string): Contestant => ({
    label,
    server: { entry: `websocket/${entry}` },
    load: { entry: 'websocket/load.ts', config: load },
  });
  return { ours: side('chorale', 'server-chorale.ts'), peer: side('ws 8.23.0', 'server-ws.ts') };
}

function echo(connections: number, inFlight: number): Metric {
  const payloadBytes = 32;
  return {
    name: `echo-${connections}x${inFlight}`,
    summary: `${connections} connections x ${inFlight} in flight, ${payloadBytes}-byte binary messages`,
    ...contestants({ kind: 'echo', connections, inFlight, payloadBytes }),
  };
}

function fanOut(name: string, subscribers: number, inFlight: number): Metric {
  const payloadBytes = 200;
  return {
    name,
    summary: `${payloadBytes}-byte messages to ${subscribers} subscribers, ${inFlight} in flight; an operation is a delivery`,
    ...contestants({ kind: 'fan-out', connections: subscribers, inFlight, payloadBytes }),
  };
}

/** Resident memory that each idle connection adds to the server. */
async function runIdle(contestant: Contestant): Promise<RunResult> {
  const server = await BenchProcess.start(contestant.server.entry);
  const load = await BenchProcess.start(contestant.load.entry);
  try {
    const info = await server.call('start', {});
    // One connection first: what the first one loads is not what each one costs.
    await load.call('prepare', { kind: 'echo', connections: 1, inFlight: 1, payloadBytes: 32, server: info });
    await load.call('measure', { seconds: 0.2 });
    const before = await server.collect();
    await load.call('prepare', { ...contestant.load.config, server: info });
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
        'heap bytes/connection': (after.heapBytes - before.heapBytes) / IDLE_CONNECTIONS,
      },
    };
  } finally {
    await load.stop();
    await server.stop();
  }
}

const idle: Metric = {
  name: `idle-${IDLE_CONNECTIONS}`,
  summary: `memory of ${IDLE_CONNECTIONS} idle connections; an operation is a handshake`,
  ...contestants({ kind: 'echo', connections: IDLE_CONNECTIONS, inFlight: 0, payloadBytes: 32 }),
  run: runIdle,
  ratioOf: 'resident bytes per connection',
  ratio: (ours, peer) => peer.extra['RSS bytes/connection']! / ours.extra['RSS bytes/connection']!,
};

// Four in flight is a room in which more than one person talks, so that messages can share a write. With one in
// flight nothing can be shared, and a system call per subscriber and message is all there is to measure.
export const websocket: Benchmark = {
  name: 'websocket',
  metrics: [
    echo(1, 256),
    echo(100, 16),
    echo(100, 1),
    fanOut('fan-out', 1000, 4),
    fanOut('fan-out-1', 1000, 1),
    idle,
  ],
};
