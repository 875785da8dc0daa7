import { setImmediate as nextRound } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { TurnFlusher } from './turn-flusher.js';

test('a turn runs what was put off first, then every connection once', async () => {
  const trace: string[] = [];
  const turns = new TurnFlusher(() => {});
  turns.add({ flushTurn: () => trace.push('a') });
  turns.beforeFlush(() => {
    trace.push('joined');
    turns.add({ flushTurn: () => trace.push('b') });
  });
  await Promise.resolve();
  expect(trace).toEqual([]);
  await nextRound();
  await nextRound();
  expect(trace).toEqual(['joined', 'a', 'b']);
});

test('what is added while the turn ends belongs to the next one', async () => {
  const trace: string[] = [];
  const turns = new TurnFlusher(() => {});
  const second = { flushTurn: () => trace.push('second') };
  turns.add({
    flushTurn() {
      trace.push('first');
      turns.add(second);
    },
  });
  turns.flush();
  expect(trace).toEqual(['first']);
  await nextRound();
  await nextRound();
  expect(trace).toEqual(['first', 'second']);
});

test('one that throws does not keep the others from writing', () => {
  const errors: unknown[] = [];
  const trace: string[] = [];
  const turns = new TurnFlusher((error) => errors.push(error));
  const fail = (): never => {
    throw new Error('broken');
  };
  turns.beforeFlush(fail);
  turns.add({ flushTurn: fail });
  turns.add({ flushTurn: () => trace.push('written') });
  turns.flush();
  expect([trace, errors.length]).toEqual([['written'], 2]);
});

/** Many connections that say when they write. */
function crowd(count: number, turns: TurnFlusher, trace: number[]): void {
  for (let n = 0; n < count; n++) turns.add({ flushTurn: () => trace.push(n) });
}

test('many connections write in slices, in order, and what arrives in between is handled in between', async () => {
  const turns = new TurnFlusher(() => {});
  const trace: number[] = [];
  crowd(600, turns, trace);
  const sizes: number[] = [];
  while (trace.length < 600) {
    await nextRound();
    if (sizes.at(-1) !== trace.length) sizes.push(trace.length);
    if (sizes.length === 1) turns.add({ flushTurn: () => trace.push(600) });
  }
  await nextRound();
  await nextRound();
  expect(trace.slice(0, 601)).toEqual(Array.from({ length: 601 }, (_, n) => n));
  expect(sizes.filter((size) => size > 0)).toEqual([256, 512, 600]);
});

test('any number of connections has written after eight slices', async () => {
  const turns = new TurnFlusher(() => {});
  const trace: number[] = [];
  crowd(100_000, turns, trace);
  for (let round = 0; round < 9; round++) await nextRound();
  expect(trace).toHaveLength(100_000);
});

test('a flush by hand is for all, also for the rest of a turn that has begun', async () => {
  const turns = new TurnFlusher(() => {});
  const trace: number[] = [];
  crowd(600, turns, trace);
  while (trace.length === 0) await nextRound();
  turns.add({ flushTurn: () => trace.push(600) });
  turns.flush();
  expect(trace).toHaveLength(601);
});
