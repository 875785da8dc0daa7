import { bankTransfer } from './bank-transfer/benchmark.js';
import { durability } from './durability/benchmark.js';
import { engineio } from './engineio/benchmark.js';
import type { Benchmark } from './framework/benchmark.js';
import { recovery } from './recovery/benchmark.js';
import { wampClient } from './wamp-client/benchmark.js';
import { wamp } from './wamp/benchmark.js';
import { rooms } from './rooms/benchmark.js';
import { websocket } from './websocket/benchmark.js';

/** Everything that `npm run bench` knows. */
export const benchmarks: readonly Benchmark[] = [
  websocket,
  wamp,
  wampClient,
  engineio,
  bankTransfer,
  durability,
  recovery,
  rooms,
];
