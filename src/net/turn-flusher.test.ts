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
