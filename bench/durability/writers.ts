import { monitorEventLoopDelay } from 'node:perf_hooks';

import { Latencies } from '../framework/latencies.js';
import type { LoadResult } from '../framework/messages.js';

export interface WriterOptions {
  readonly inFlight: number;
  /** Of the payload. */
  readonly bytes: number;
  readonly seconds: number;
}

export interface WriterResult extends LoadResult {
  /** The longest time for which the event loop did nothing but one thing. */
  readonly loopMaxMs: number;
}

/** Tells the writers that so many more transactions are on disk, in the order in which they were written. */
export type Acknowledge = (count: number) => void;

/** A closed loop: so many writers, each of which writes again as soon as what it wrote is on disk. */
export function runWriters(
  { inFlight, seconds }: WriterOptions,
  makeWrite: (acknowledge: Acknowledge) => () => void,
): Promise<WriterResult> {
  const latencies = new Latencies();
  const loopDelay = monitorEventLoopDelay({ resolution: 1 });
  loopDelay.enable();
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  return new Promise((resolve) => {
    // When each of those in flight began, oldest at `oldest`: a clock and a closure for each would be a good part of the figure.
    const beganMs = new Float64Array(inFlight).fill(startMs);
    let oldest = 0;
    let left = inFlight;
    const write = makeWrite((count) => {
      const nowMs = performance.now();
      const isOver = nowMs >= endMs;
      // Most that are told together began together.
      let began = beganMs[oldest]!;
      let alike = 0;
      for (let i = 0; i < count; i++) {
        if (beganMs[oldest] !== began) {
          latencies.add((nowMs - began) * 1000, alike);
          began = beganMs[oldest]!;
          alike = 0;
        }
        alike += 1;
        beganMs[oldest] = nowMs;
        oldest = oldest + 1 === inFlight ? 0 : oldest + 1;
        if (!isOver) write();
      }
      latencies.add((nowMs - began) * 1000, alike);
      if (!isOver || (left -= count) > 0) return;
      loopDelay.disable();
      resolve({
        ops: latencies.count,
        seconds: (nowMs - startMs) / 1000,
        latencyP50Micros: latencies.quantile(0.5),
        latencyP99Micros: latencies.quantile(0.99),
        loopMaxMs: loopDelay.max / 1e6,
      });
    });
    for (let i = 0; i < inFlight; i++) write();
  });
}
