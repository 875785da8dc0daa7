import { Latencies } from '../framework/latencies.js';
import type { LoadResult } from '../framework/messages.js';

/** Where the router under test listens. */
export interface Place {
  readonly port: number;
  readonly path: string;
}

export interface Load {
  measure(seconds: number): Promise<LoadResult>;
  /** What was kept waiting reads on; afterwards nothing is under way. Facts about that, for the table. */
  release?(): Promise<Readonly<Record<string, number>>>;
}

/** Starts the work; `finish` is called when `isOver` and everything that was begun has been answered. */
export type Drive = (latencies: Latencies, isOver: () => boolean, finish: () => void) => void;

/** Drives for `seconds` and until everything was answered; each latency stands for so many operations. */
export async function measure(seconds: number, opsPerLatency: number, drive: Drive): Promise<LoadResult> {
  const latencies = new Latencies();
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  await new Promise<void>((resolve) => drive(latencies, () => performance.now() >= endMs, resolve));
  return {
    ops: latencies.count * opsPerLatency,
    seconds: (performance.now() - startMs) / 1000,
    latencyP50Micros: latencies.quantile(0.5),
    latencyP99Micros: latencies.quantile(0.99),
  };
}
