import type { Benchmark, Contestant, Metric } from '../framework/benchmark.js';

/*
 * Our WAMP router beside npm `fox-wamp`, both over WebSocket with wamp.2.json, anonymous, nothing but their defaults.
 * The load generator speaks over raw sockets. Numbers as in the workloads W1, W2, W5, W6 and W7 of the design notes.
 */

function contestants(config: Record<string, unknown>): Pick<Metric, 'ours' | 'peer'> {
  const side = (label: string, entry: string): Contestant => ({
    label,
    server: { entry: `wamp/${entry}` },
    load: { entry: 'wamp/load.ts', config },
  });
  return { ours: side('chorale', 'server-chorale.ts'), peer: side('fox-wamp 0.7.28', 'server-fox.ts') };
}

function calls(inFlight: number): Metric {
  return {
    name: `calls-${inFlight}`,
    summary: `one caller, one callee, add2(int, int), ${inFlight} in flight`,
    ...contestants({ kind: 'calls', inFlight }),
  };
}

function events(subscribers: number, inFlight: number): Metric {
  return {
    name: `events-1x${subscribers}`,
    summary: `64 octets to ${subscribers} subscribers, ${inFlight} in flight; an operation is a delivery`,
    ...contestants({ kind: 'events', subscribers, inFlight }),
  };
}

export const wamp: Benchmark = {
  name: 'wamp',
  metrics: [calls(1), calls(256), events(1, 256), events(100, 16), events(1000, 4)],
};
