import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { ManualClock } from '../base/clock.js';
import { TimerWheel, type WheelTask } from './timer-wheel.js';

function setUp(): { clock: ManualClock; wheel: TimerWheel; errors: unknown[] } {
  const clock = new ManualClock();
  const errors: unknown[] = [];
  return { clock, wheel: new TimerWheel(clock, (error) => errors.push(error)), errors };
}

function task(run: (nowMs: number) => void): WheelTask {
  return { wheelDueMs: Infinity, onWheelDue: run };
}

test('tasks run once, never early and at most 50 ms late, however long they wait and time jumps', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 200_000, noNaN: true })), {
        minLength: 1,
        maxLength: 20,
      }),
      fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 20 }),
      (delays, steps) => {
        const { clock, wheel } = setUp();
        const ranMs: number[][] = delays.map(() => []);
        delays.forEach((delayMs, i) =>
          wheel.schedule(
            task((nowMs) => ranMs[i]?.push(nowMs)),
            delayMs,
          ),
        );
        for (const step of steps) clock.advance(step);
        clock.advance(250_000);
        ranMs.forEach((times, i) => {
          const delayMs = delays[i] ?? Number.NaN;
          expect(times).toHaveLength(1);
          expect(times[0]).toBeGreaterThanOrEqual(delayMs);
          expect(times[0]).toBeLessThanOrEqual(delayMs + 51);
        });
        expect([wheel.count, clock.pendingTimers]).toEqual([0, 0]);
      },
    ),
  );
});

test('a task that is scheduled again is moved, a cancelled one does not run', () => {
  const { clock, wheel } = setUp();
  const ran: string[] = [];
  const moved = task(() => ran.push('moved'));
  const cancelled = task(() => ran.push('cancelled'));
  wheel.schedule(moved, 100);
  wheel.schedule(cancelled, 100);
  wheel.schedule(moved, 300);
  wheel.cancel(cancelled);
  clock.advance(250);
  expect(ran).toEqual([]);
  clock.advance(100);
  expect(ran).toEqual(['moved']);
});

test('a task may schedule itself, and one that throws does not stop the others', () => {
  const { clock, wheel, errors } = setUp();
  let runs = 0;
  const again = task(() => {
    if (++runs < 3) wheel.schedule(again, 1000);
  });
  wheel.schedule(
    task(() => {
      throw new Error('broken');
    }),
    1000,
  );
  wheel.schedule(again, 1000);
  clock.advance(3200);
  expect(runs).toBe(3);
  expect(errors).toEqual([new Error('broken')]);
});

test('a task that schedules itself for at once runs once per tick, it does not spin', () => {
  const { clock, wheel } = setUp();
  let runs = 0;
  const again = task(() => {
    runs++;
    wheel.schedule(again, 0);
  });
  wheel.schedule(again, 0);
  clock.advance(500);
  expect(runs).toBe(10);
});

test('any number of tasks wait on one timer, and none is left when all are cancelled', () => {
  const { clock, wheel } = setUp();
  const tasks = Array.from({ length: 1000 }, () => task(() => {}));
  tasks.forEach((one, i) => wheel.schedule(one, i * 10));
  expect(clock.pendingTimers).toBe(1);
  for (const one of tasks) wheel.cancel(one);
  expect(clock.pendingTimers).toBe(0);
});
