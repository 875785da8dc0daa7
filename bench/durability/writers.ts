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
    const next = (): void => {
      const beganMs = performance.now();
      write(() => {
        const nowMs = performance.now();
        latencies.add((nowMs - beganMs) * 1000);
        if (nowMs < endMs) return next();
        if (--left > 0) return;
        resolve({
          ops: latencies.count,
          seconds: (nowMs - startMs) / 1000,
          latencyP50Micros: latencies.quantile(0.5),
          latencyP99Micros: latencies.quantile(0.99),
        });
      });
    };
    for (let i = 0; i < inFlight; i++) next();
  });
}
