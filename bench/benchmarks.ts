import { bankTransfer } from './bank-transfer/benchmark.js';
import type { Benchmark } from './framework/benchmark.js';
import { engineio } from './engineio/benchmark.js';
import { websocket } from './websocket/benchmark.js';

/** Everything that `npm run bench` knows. */
export const benchmarks: readonly Benchmark[] = [websocket, engineio, bankTransfer];
