import type { Benchmark, Contestant, Metric } from '../framework/benchmark.js';
import type { BenchProcess } from '../framework/child-process.js';
import { ACCOUNTS, INITIAL_BALANCE } from './accounts.js';
import type { Audit } from './server.js';

/*
 * Transfers between two of 100,000 accounts, each a reducer call in a closed loop, on our server by two client libraries:
 * the unmodified npm `spacetimedb` and ours. There is no npm server to compare with, so `npm-client` compares our server
 * with a target, and `our-client` compares the two libraries' own CPU time.
 */

/** What a transaction may cost the server: a core does 160,000 of them a second. */
const TARGET_SERVER_MICROS = 6;

interface Load {
  readonly connections: number;
  readonly inFlight: number;
  readonly zipf: number;
}

function contestant(label: string, entry: string, load: Load): Contestant {
  return {
    label,
    server: { entry: 'bank-transfer/server.ts' },
    load: { entry: `bank-transfer/${entry}`, config: { ...load } },
  };
}

const ours = (load: Load): Contestant => contestant('our client', 'load-chorale.ts', load);
const npm = (load: Load): Contestant => contestant('npm spacetimedb', 'load-spacetimedb.ts', load);

function summaryOf({ connections, inFlight, zipf }: Load): string {
  return `${connections} connections x ${inFlight} in flight, Zipf ${zipf}; log in memory`;
}

/** No money appears or vanishes, and what was acknowledged has happened. */
async function audit(server: BenchProcess, load: BenchProcess): Promise<void> {
  const { accounts, total, transactions } = await server.call<Audit>('audit');
  const acknowledged = await load.call<number>('acknowledged');
  const expected = BigInt(ACCOUNTS) * INITIAL_BALANCE;
  if (accounts !== ACCOUNTS || BigInt(total) !== expected) {
    throw new Error(`${accounts} accounts hold ${total}, not ${ACCOUNTS} with ${expected}`);
  }
  if (transactions < acknowledged) {
    throw new Error(`${acknowledged} transfers were acknowledged, the log has ${transactions}`);
  }
}

/** The server's CPU per transaction against the target; our client runs beside it for comparison. */
function npmClient(name: string, load: Load): Metric {
  return {
    name,
    summary: summaryOf(load),
    ours: npm(load),
    peer: ours(load),
    verify: audit,
    ratioOf: `the target of ${TARGET_SERVER_MICROS} us / server CPU per transaction`,
    ratio: (own) => TARGET_SERVER_MICROS / own.serverCpuMicrosPerOp,
  };
}

function ourClient(name: string, load: Load, rounds = 3): Metric {
  return {
    name,
    summary: summaryOf(load),
    ours: ours(load),
    peer: npm(load),
    rounds,
    verify: audit,
    ratioOf: "npm client's CPU per transaction / our client's",
    ratio: (own, peer) => peer.loadCpuMicrosPerOp / own.loadCpuMicrosPerOp,
  };
}

/** What it costs the server that each reply waits for the disk. */
function durable(name: string, load: Load): Metric {
  const disk = ours(load);
  return {
    name,
    summary: `${summaryOf(load)} and on disk`,
    ours: { ...disk, label: 'log on disk', server: { ...disk.server, config: { isDurable: true } } },
    peer: { ...disk, label: 'log in memory' },
    // Both sides are one program, a tenth apart, and two processes of it differ by up to a fifth: V8 inlines differently in each.
    rounds: 15,
    verify: audit,
    ratioOf: 'server CPU per transaction with the log in memory / on disk',
  };
}

const MANY: Load = { connections: 64, inFlight: 40, zipf: 0 };

export const bankTransfer: Benchmark = {
  name: 'bank-transfer',
  metrics: [
    npmClient('npm-client', MANY),
    ourClient('our-client', MANY),
    ourClient('our-client-zipf', { ...MANY, zipf: 1.5 }, 2),
    ourClient('our-client-1x1', { connections: 1, inFlight: 1, zipf: 0 }, 2),
    durable('durable', MANY),
  ],
};
