import { expect, it, onTestFinished } from 'vitest';

import { snapshotAsNeeded } from './hosted-database.js';

const MIB = 1024 * 1024;

/** A log whose growth the test tells, and snapshots that end when the test says so. */
function setUp() {
  const trace: string[] = [];
  let listener = (): void => {};
  const log = {
    writtenBytes: 0,
    onDurable: (tell: () => void) => {
      listener = tell;
      return () => void (listener = () => {});
    },
  };
  let settle: { resolve: (bytes: number) => void; reject: (error: Error) => void } | undefined;
  const snapshotter = {
    isRunning: false,
    take: () => {
      trace.push(`snapshot at ${log.writtenBytes / MIB}`);
      snapshotter.isRunning = true;
      return new Promise<number>((resolve, reject) => (settle = { resolve, reject })).finally(
        () => void (snapshotter.isRunning = false),
      );
    },
  };
  const onError = (error: unknown): void => void trace.push(String(error));
  const stop = snapshotAsNeeded({ database: {} } as never, log as never, snapshotter as never, onError);
  onTestFinished(stop);
  const growTo = (mib: number): void => {
    log.writtenBytes = mib * MIB;
    listener();
  };
  const end = async (outcome: number | Error): Promise<void> => {
    if (typeof outcome === 'number') settle!.resolve(outcome * MIB);
    else settle!.reject(outcome);
    await new Promise((resolve) => void setImmediate(resolve));
  };
  return { trace, growTo, end, stop };
}

it('a snapshot is taken when 64 MiB of log are there to be replayed, one at a time', async () => {
  const { trace, growTo, end, stop } = setUp();
  for (const mib of [1, 63, 64, 65, 200]) growTo(mib);
  expect(trace).toEqual(['snapshot at 64']);
  await end(3);
  growTo(201);
  expect(trace).toEqual(['snapshot at 64', 'snapshot at 201']);
  await end(3);
  stop();
  growTo(1000);
  expect(trace).toHaveLength(2);
});

it('a large database waits until the log is as large as its snapshot', async () => {
  const { trace, growTo, end } = setUp();
  growTo(64);
  await end(500);
  for (const mib of [128, 563, 564]) growTo(mib);
  expect(trace).toEqual(['snapshot at 64', 'snapshot at 564']);
});

it('one that fails is told, and tried again after another 64 MiB', async () => {
  const { trace, growTo, end } = setUp();
  growTo(64);
  growTo(70);
  await end(new Error('ENOSPC'));
  for (const mib of [100, 133, 134]) growTo(mib);
  expect(trace).toEqual(['snapshot at 64', 'Error: ENOSPC', 'snapshot at 134']);
});
