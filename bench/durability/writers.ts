import { Latencies } from '../framework/latencies.js';
import type { LoadResult } from '../framework/messages.js';

export interface WriterOptions {
  readonly inFlight: number;
  /** Of the payload. */
  readonly bytes: number;
  readonly seconds: number;
}

/** A closed loop: so many writers, each of which writes again as soon as what it wrote is on disk. */
export function runWriters(
  { inFlight, seconds }: WriterOptions,
  write: (done: () => void) => void,
): Promise<LoadResult> {
  const latencies = new Latencies();
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let left = inFlight;
  return new Promise((resolve) => {
    // One function for each writer, so that what is measured is not the garbage of the load.
    const start = (): void => {
      let beganMs = performance.now();
      const done = (): void => {
        const nowMs = performance.now();
        latencies.add((nowMs - beganMs) * 1000);
        if (nowMs < endMs) {
          beganMs = nowMs;
          return write(done);
        }
        if (--left > 0) return;
        resolve({
          ops: latencies.count,
          seconds: (nowMs - startMs) / 1000,
          latencyP50Micros: latencies.quantile(0.5),
          latencyP99Micros: latencies.quantile(0.99),
        });
      };
      write(done);
    };
    for (let i = 0; i < inFlight; i++) start();
  });
}
