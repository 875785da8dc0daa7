import type { BenchProcess } from './child-process.js';

/** A process to start: its TypeScript file below bench/, and what it is told. */
export interface ProcessSpec {
  readonly entry: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly nodeArguments?: readonly string[];
}

/** One side of a comparison. */
export interface Contestant {
  /** As the table prints it: `chorale`, `ws 8.23.0`. */
  readonly label: string;
  /** Answers `start(config)` with an object, at least `{ port }`. */
  readonly server: ProcessSpec;
  /** Answers `prepare({ ...config, server })` and `measure({ seconds })` with a LoadResult. */
  readonly load: ProcessSpec;
}

/** What one run of one side gave. */
export interface RunResult {
  readonly ops: number;
  readonly seconds: number;
  readonly opsPerSecond: number;
  readonly latencyP50Micros: number;
  readonly latencyP99Micros: number;
  readonly serverCpuMicrosPerOp: number;
  readonly loadCpuMicrosPerOp: number;
  /** Shares of one core; a process with helper threads may exceed 1. */
  readonly serverBusy: number;
  readonly loadBusy: number;
  readonly serverRssBytes: number;
  /** Numbers of this metric alone, such as bytes per connection. */
  readonly extra: Readonly<Record<string, number>>;
}

export interface Metric {
  readonly name: string;
  /** What is done, for the table: `1 connection x 256 in flight, 32-byte binary messages`. */
  readonly summary: string;
  readonly ours: Contestant;
  readonly peer: Contestant;
  /** Runs of each side; default 3. Sides take turns: A B A B A B. */
  readonly rounds?: number;
  /** After a run, while both processes live: throws when what the server did is not right. */
  verify?(server: BenchProcess, load: BenchProcess): Promise<void>;
  /** What one run is; default `runLoad`. */
  run?(contestant: Contestant, seconds: number): Promise<RunResult>;
  /** Above 1 means ours is better; default: operations per server-CPU-second. */
  ratio?(ours: RunResult, peer: RunResult): number;
  /** What the ratio compares; default `operations per server-CPU-second`. */
  readonly ratioOf?: string;
}

export interface Benchmark {
  readonly name: string;
  /** A package that is not installed with the others; without it the benchmark is skipped, saying how to get it. */
  readonly requires?: { readonly packageName: string; readonly hint: string };
  readonly metrics: readonly Metric[];
}
