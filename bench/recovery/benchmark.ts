import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Benchmark, Contestant, Metric, RunResult } from '../framework/benchmark.js';
import { BenchProcess } from '../framework/child-process.js';
import type { LoadResult } from '../framework/messages.js';

/*
 * How long a restart takes: a history of transfers read back by a process that has just started. The figure to reach is 20 s for
 * ten million transactions without a snapshot, and 3 s for a snapshot of a million rows.
 */

/** Of the history per second of `--seconds`: one million with the default of five. */
const TRANSFERS_PER_SECOND = 200_000;
const TARGET_MICROS_PER_TRANSFER = 2;
const TARGET_MICROS_PER_ROW = 3;

interface History {
  readonly accounts: number;
  readonly transfers: number;
}

async function recover(contestant: Contestant, history: History): Promise<RunResult> {
  const folder = await mkdtemp(join(tmpdir(), 'chorale-recovery-'));
  const { entry, config } = contestant.server;
  try {
    const writer = await BenchProcess.start(entry);
    await writer.call('prepare', { folder, ...history, ...config });
    await writer.stop();
    const reader = await BenchProcess.start(entry);
    const before = await reader.sample();
    const result = await reader.call<LoadResult>('recover', { folder, ...history });
    const after = await reader.sample();
    await reader.stop();
    const cpuMicros = after.cpuMicros - before.cpuMicros;
    return {
      ...result,
      opsPerSecond: result.ops / result.seconds,
      serverCpuMicrosPerOp: cpuMicros / result.ops,
      loadCpuMicrosPerOp: 0,
      serverBusy: cpuMicros / result.seconds / 1e6,
      loadBusy: 0,
      serverRssBytes: after.rssBytes,
      extra: { seconds: result.seconds },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function side(label: string, hasSnapshot: boolean): Contestant {
  const process = { entry: 'recovery/replay.ts', config: { hasSnapshot } };
  return { label, server: process, load: process };
}

function metric(name: string, summary: string, historyOf: (seconds: number) => History): Metric {
  return {
    name,
    summary: `${summary}; an operation is a transaction that need not be done again`,
    ours: side('log alone', false),
    peer: side('snapshot', true),
    rounds: 1,
    run: (contestant, seconds) => recover(contestant, historyOf(seconds)),
    ratioOf: `the target of ${TARGET_MICROS_PER_TRANSFER} us / time per transaction, from the log alone`,
    ratio: ({ ops, seconds }) => (TARGET_MICROS_PER_TRANSFER * ops) / (seconds * 1e6),
  };
}

const manyRows: Metric = {
  ...metric('rows', 'a million rows', () => ({ accounts: 1_000_000, transfers: 0 })),
  ours: side('snapshot', true),
  peer: side('log alone', false),
  ratioOf: `the target of ${TARGET_MICROS_PER_ROW} us / time per row, from the snapshot`,
  ratio: ({ seconds }) => (TARGET_MICROS_PER_ROW * 1_000_000) / (seconds * 1e6),
};

export const recovery: Benchmark = {
  name: 'recovery',
  metrics: [
    metric('transfers', 'transfers between 100,000 accounts, 200,000 for each second', (seconds) => ({
      accounts: 100_000,
      transfers: Math.round(TRANSFERS_PER_SECOND * seconds),
    })),
    manyRows,
    metric('transfers-10m', '10,000,000 transfers between 100,000 accounts', () => ({
      accounts: 100_000,
      transfers: 10_000_000,
    })),
  ],
};
