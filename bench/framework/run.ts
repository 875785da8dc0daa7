import type { Benchmark, Contestant, Metric, RunResult } from './benchmark.js';
import { BenchProcess } from './child-process.js';
import type { LoadResult, ProcessSample } from './messages.js';
import { printHeading, printMedians, printRun } from './table.js';

export interface MetricReport {
  readonly metric: string;
  readonly summary: string;
  readonly ratio: number;
  readonly ratioOf: string;
  readonly ours: { readonly label: string; readonly runs: readonly RunResult[]; readonly median: RunResult };
  readonly peer: { readonly label: string; readonly runs: readonly RunResult[]; readonly median: RunResult };
}

const ROUNDS = 3;
// Long enough for the hot functions to be compiled before the clock starts: of a bank transfer's server, after 0.5 s there were still
// 75 ms of work for the compiler's threads.
const WARM_UP_SECONDS = 1.5;

/** Runs all metrics of a benchmark, both sides of each in turns. */
export async function runBenchmark(
  benchmark: Benchmark,
  seconds: number,
  wanted: (metric: Metric) => boolean,
): Promise<MetricReport[]> {
  const reports: MetricReport[] = [];
  for (const metric of benchmark.metrics.filter(wanted)) {
    printHeading(benchmark.name, metric);
    reports.push(await runMetric(metric, seconds));
  }
  return reports;
}

/** Runs ours alone, each metric once: a figure of its own, not a comparison. */
export async function runAlone(
  benchmark: Benchmark,
  seconds: number,
  wanted: (metric: Metric) => boolean,
): Promise<void> {
  for (const metric of benchmark.metrics.filter(wanted)) {
    printHeading(benchmark.name, metric);
    printRun(metric.ours.label, await runnerOf(metric)(metric.ours, seconds));
  }
}

function runnerOf(metric: Metric): NonNullable<Metric['run']> {
  return (
    metric.run?.bind(metric) ??
    ((contestant, seconds) => runLoad(contestant, seconds, metric.verify?.bind(metric)))
  );
}

async function runMetric(metric: Metric, seconds: number): Promise<MetricReport> {
  const run = runnerOf(metric);
  const runs = { ours: [] as RunResult[], peer: [] as RunResult[] };
  for (let round = 0; round < (metric.rounds ?? ROUNDS); round++) {
    for (const side of ['ours', 'peer'] as const) {
      const result = await run(metric[side], seconds);
      runs[side].push(result);
      printRun(metric[side].label, result);
    }
  }
  const ours = medianOf(runs.ours);
  const peer = medianOf(runs.peer);
  printMedians(metric, ours, peer);
  return {
    metric: metric.name,
    summary: metric.summary,
    ratio: medianNumber(runs.ours.map((own, round) => ratioOf(metric, own, runs.peer[round]!))),
    ratioOf: metric.ratioOf ?? 'operations per server-CPU-second',
    ours: { label: metric.ours.label, runs: runs.ours, median: ours },
    peer: { label: metric.peer.label, runs: runs.peer, median: peer },
  };
}

/** Of neighbours in time, so that what else the machine does weighs on both. */
function ratioOf(metric: Metric, ours: RunResult, peer: RunResult): number {
  return metric.ratio?.(ours, peer) ?? peer.serverCpuMicrosPerOp / ours.serverCpuMicrosPerOp;
}

/** The usual run: server and load generator fresh, warmed up, then measured for `seconds`. */
export async function runLoad(
  contestant: Contestant,
  seconds: number,
  verify?: Metric['verify'],
): Promise<RunResult> {
  const server = await BenchProcess.start(contestant.server.entry, contestant.server.nodeArguments);
  const load = await BenchProcess.start(contestant.load.entry, contestant.load.nodeArguments);
  try {
    const info = await server.call<Record<string, unknown>>('start', contestant.server.config ?? {});
    await load.call('prepare', { ...contestant.load.config, server: info });
    await load.call<LoadResult>('measure', { seconds: Math.min(WARM_UP_SECONDS, seconds) });
    const serverBefore = await server.sample();
    const loadBefore = await load.sample();
    const result = await load.call<LoadResult>('measure', { seconds });
    const loadAfter = await load.sample();
    const serverAfter = await server.sample();
    await verify?.(server, load);
    return runResultOf(result, { server: [serverBefore, serverAfter], load: [loadBefore, loadAfter] });
  } finally {
    await load.stop();
    await server.stop();
  }
}

type BeforeAndAfter = readonly [ProcessSample, ProcessSample];

/** What the load generator measured, with what both processes spent on it. */
export function runResultOf(
  result: LoadResult,
  samples: { readonly server: BeforeAndAfter; readonly load: BeforeAndAfter },
  extra: RunResult['extra'] = {},
): RunResult {
  const micros = ([before, after]: BeforeAndAfter): number => after.cpuMicros - before.cpuMicros;
  const [serverMicros, loadMicros] = [micros(samples.server), micros(samples.load)];
  return {
    ...result,
    opsPerSecond: result.ops / result.seconds,
    serverCpuMicrosPerOp: serverMicros / result.ops,
    loadCpuMicrosPerOp: loadMicros / result.ops,
    serverBusy: serverMicros / result.seconds / 1e6,
    loadBusy: loadMicros / result.seconds / 1e6,
    serverRssBytes: samples.server[1].rssBytes,
    extra,
  };
}

/** The median of each number by itself. */
export function medianOf(runs: readonly RunResult[]): RunResult {
  const median = (pick: (run: RunResult) => number): number => medianNumber(runs.map(pick));
  const extra = Object.fromEntries(
    Object.keys(runs[0]?.extra ?? {}).map((name) => [name, median((run) => run.extra[name] ?? 0)]),
  );
  return {
    ops: median((run) => run.ops),
    seconds: median((run) => run.seconds),
    opsPerSecond: median((run) => run.opsPerSecond),
    latencyP50Micros: median((run) => run.latencyP50Micros),
    latencyP99Micros: median((run) => run.latencyP99Micros),
    serverCpuMicrosPerOp: median((run) => run.serverCpuMicrosPerOp),
    loadCpuMicrosPerOp: median((run) => run.loadCpuMicrosPerOp),
    serverBusy: median((run) => run.serverBusy),
    loadBusy: median((run) => run.loadBusy),
    serverRssBytes: median((run) => run.serverRssBytes),
    extra,
  };
}

export function medianNumber(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
