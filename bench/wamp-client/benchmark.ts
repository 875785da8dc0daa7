import type { Benchmark, Contestant, Metric } from '../framework/benchmark.js';

/*
 * Our WAMP client beside npm `autobahn` and `wampy`, against our router: a caller and a callee in one process, the default
 * settings of each. What counts is what the client's process spends on a call.
 */

const IN_FLIGHT = 256;

function side(library: string, label: string): Contestant {
  return {
    label,
    server: { entry: 'wamp/server-chorale.ts' },
    load: { entry: 'wamp-client/load.ts', config: { library, inFlight: IN_FLIGHT } },
  };
}

function beside(library: string, version: string): Metric {
  return {
    name: `calls-${library}`,
    summary: `one caller, one callee, add2(int, int), ${IN_FLIGHT} in flight`,
    ours: side('chorale', 'chorale'),
    peer: side(library, `${library} ${version}`),
    ratio: (ours, peer) => peer.loadCpuMicrosPerOp / ours.loadCpuMicrosPerOp,
    ratioOf: 'calls per client-CPU-second',
  };
}

export const wampClient: Benchmark = {
  name: 'wamp-client',
  metrics: [beside('autobahn', '22.11.1'), beside('wampy', '8.0.2')],
};
