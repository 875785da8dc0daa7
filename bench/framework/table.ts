import type { Metric, RunResult } from './benchmark.js';

const COLUMNS = [
  '',
  'ops/s',
  'p50 us',
  'p99 us',
  'server us/op',
  'load us/op',
  'server %',
  'load %',
  'RSS MB',
];
const WIDTHS = [18, 11, 9, 9, 13, 11, 9, 7, 8];

function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

function printCells(cells: readonly string[], note = ''): void {
  printLine(
    cells.map((cell, i) => (i === 0 ? cell.padEnd(WIDTHS[0]!) : cell.padStart(WIDTHS[i]!))).join('') + note,
  );
}

export function printHeading(benchmark: string, metric: Metric): void {
  printLine(`\n${benchmark} ${metric.name}: ${metric.summary}`);
  printCells(COLUMNS);
}

export function printRun(label: string, run: RunResult): void {
  printCells(cellsOf(label, run), noteOf(run));
}

export function printMedians(metric: Metric, ours: RunResult, peer: RunResult): void {
  printLine('medians');
  printRun(metric.ours.label, ours);
  printRun(metric.peer.label, peer);
}

export function printRatio(benchmark: string, metric: string, ratio: number): void {
  printLine(`ratio ${benchmark} ${metric} ${ratio.toFixed(2)}`);
}

function cellsOf(label: string, run: RunResult): string[] {
  return [
    label,
    run.opsPerSecond.toFixed(0),
    run.latencyP50Micros.toFixed(0),
    run.latencyP99Micros.toFixed(0),
    run.serverCpuMicrosPerOp.toFixed(2),
    run.loadCpuMicrosPerOp.toFixed(2),
    (run.serverBusy * 100).toFixed(0),
    (run.loadBusy * 100).toFixed(0),
    (run.serverRssBytes / 1e6).toFixed(0),
  ];
}

/** Throughput and latency of a run whose load generator could not do more say little about the server. */
function noteOf(run: RunResult): string {
  const facts = Object.entries(run.extra).map(([name, value]) => `${name} ${value.toFixed(0)}`);
  if (run.loadBusy > 0.9 && run.serverBusy < 0.9) facts.unshift('client-bound');
  return facts.length === 0 ? '' : `  ${facts.join(', ')}`;
}
