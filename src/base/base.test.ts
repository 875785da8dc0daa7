import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assert, assertNever, InvariantError } from './assert.js';
import { ManualClock, systemClock } from './clock.js';
import { decodeHex, encodeHex } from './hex.js';
import { seededRandom, systemRandom } from './random.js';

describe('hex', () => {
  it('comes back, in both cases', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeHex(encodeHex(bytes))).toEqual(bytes);
        expect(decodeHex(encodeHex(bytes).toUpperCase())).toEqual(bytes);
      }),
    );
  });

  it.each(['0', 'zz', '0x00', ' 00', '0\n'])('%j is not hexadecimal', (text) => {
    expect(decodeHex(text)).toBeUndefined();
  });
});

describe('ManualClock', () => {
  it('runs timers in the order of their times, and those that they start', () => {
    const clock = new ManualClock(0);
    const trace: string[] = [];
    clock.startTimer(20, () => trace.push(`b ${clock.monotonicMs()}`));
    clock.startTimer(10, () => {
      trace.push(`a ${clock.monotonicMs()}`);
      clock.startTimer(5, () => trace.push(`c ${clock.nowMicros()}`));
    });
    clock.startTimer(15, () => trace.push('cancelled')).cancel();
    clock.advance(19);
    expect(trace).toEqual(['a 10', 'c 15000']);
    clock.advance(1);
    expect(trace.at(-1)).toBe('b 20');
    expect(clock.pendingTimers).toBe(0);
  });

  it('wall time may jump, monotonic time does not', () => {
    const clock = new ManualClock();
    clock.setWallTime(5);
    clock.advance(1);
    expect([clock.nowMicros(), clock.monotonicMs()]).toEqual([1005, 1]);
  });
});

describe('systemClock', () => {
  it('gives whole microseconds and runs a timer', async () => {
    expect(Number.isSafeInteger(systemClock.nowMicros())).toBe(true);
    await new Promise<void>((resolve) => systemClock.startTimer(0, resolve));
    systemClock.startTimer(60_000, () => {}).cancel();
  });
});

describe('random', () => {
  it('the same seed gives the same bytes', () => {
    const bytes = (seed: number): Uint8Array => seededRandom(seed).fill(new Uint8Array(32));
    expect(bytes(7)).toEqual(bytes(7));
    expect(bytes(7)).not.toEqual(bytes(8));
    const float = seededRandom(1).nextFloat();
    expect(float >= 0 && float < 1).toBe(true);
  });

  it('the system gives other bytes each time', () => {
    const bytes = (): Uint8Array => systemRandom.fill(new Uint8Array(32));
    expect(bytes()).not.toEqual(bytes());
  });
});

describe('assert', () => {
  it('throws InvariantError, and only when the condition is false', () => {
    assert(true, 'fine');
    expect(() => assert(false, 'broken')).toThrow(InvariantError);
    expect(() => assertNever('x' as never)).toThrow('unexpected case: x');
  });
});
