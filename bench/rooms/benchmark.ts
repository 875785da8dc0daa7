import type { Benchmark, Contestant, Metric } from '../framework/benchmark.js';
import { runMemory } from './memory.js';

/*
 * Shared documents: Chorale with its durable log beside @y/websocket-server 0.1.1 and @hocuspocus/server 4.7.0, which keep documents in
 * memory here. Each metric is against the better of the two at sending every update by itself, as measured; Hocuspocus with its default,
 * which merges the updates of a turn into one, has metrics of its own.
 */

const PEERS = {
  y: { label: '@y/websocket-server 0.1.1', entry: 'server-y.ts', dialect: 'plain', config: {} },
  hocuspocus: {
    label: '@hocuspocus/server 4.7.0, each update',
    entry: 'server-hocuspocus.ts',
    dialect: 'hocuspocus',
    config: { flushDelay: false },
  },
  merging: {
    label: '@hocuspocus/server 4.7.0, merging',
    entry: 'server-hocuspocus.ts',
    dialect: 'hocuspocus',
    config: { flushDelay: 0 },
  },
} as const;

const OURS = { label: 'chorale, durable', entry: 'server-chorale.ts', dialect: 'plain', config: {} } as const;

function contestant(
  side: (typeof PEERS)[keyof typeof PEERS] | typeof OURS,
  kind: string,
  count: number,
): Contestant {
  return {
    label: side.label,
    server: { entry: `rooms/${side.entry}`, config: { ...side.config, cold: kind.startsWith('cold') } },
    load: { entry: 'rooms/load.ts', config: { kind, count, dialect: side.dialect } },
  };
}

function metric(
  name: string,
  summary: string,
  kind: string,
  count: number,
  peer: keyof typeof PEERS,
): Metric {
  return {
    name,
    summary,
    ours: contestant(OURS, kind, count),
    peer: contestant(PEERS[peer], kind, count),
  };
}

function fanOut(readers: number, peer: keyof typeof PEERS): Metric {
  const name = `fan-out-${readers}${peer === 'merging' ? '-merging' : ''}`;
  return metric(
    name,
    `one writer, ${readers} readers; an operation is a delivered update`,
    'fan-out',
    readers,
    peer,
  );
}

/** Rooms of two sockets each, idle: heap and what is beside it, per room. */
function memory(name: string, summary: string, kind: string, count: number): Metric {
  return {
    ...metric(name, summary, kind, count, 'y'),
    rounds: 2,
    run: runMemory,
    ratioOf: 'heap and external bytes per room',
    ratio: (ours, peer) => peer.extra['heap bytes/room']! / ours.extra['heap bytes/room']!,
  };
}

export const rooms: Benchmark = {
  name: 'rooms',
  metrics: [
    fanOut(1, 'y'),
    fanOut(100, 'hocuspocus'),
    fanOut(500, 'hocuspocus'),
    metric('rooms-1000', '1000 rooms of two, one update in flight in each', 'rooms', 1000, 'y'),
    memory('memory-small', '1000 idle rooms of two sockets, a short document', 'room-memory', 1000),
    memory('memory-large', '20 idle rooms of two sockets, documents of 1.2 MB', 'cold-memory', 20),
    metric('cold-open', 'first client of a document of 1.2 MB; an operation is an open', 'cold', 1, 'y'),
    fanOut(1, 'merging'),
    fanOut(100, 'merging'),
    fanOut(500, 'merging'),
  ],
};
