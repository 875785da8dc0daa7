import { startTimer } from './timer.js';
import type { Timer } from './timer.js';

export type { Timer };

/**
 * Time, handed in so that tests and the simulator can advance it by hand.
 * Wall time is microseconds since the Unix epoch; a number holds them exactly until the year 2255.
 */
export interface Clock {
  /** Microseconds since the Unix epoch. May jump in either direction. */
  nowMicros(): number;
  /** Milliseconds since an arbitrary start. Never goes back. */
  monotonicMs(): number;
  /** Runs `callback` once after `delayMs`. Keeps the process alive until then only if told to. */
  startTimer(delayMs: number, callback: () => void, options?: { readonly keepsAlive?: boolean }): Timer;
}

// Read once: it never changes, and the getter costs as much as the clock.
const ORIGIN_MS = performance.timeOrigin;

/** The real clock. */
export const systemClock: Clock = {
  nowMicros: () => Math.round((ORIGIN_MS + performance.now()) * 1000),
  monotonicMs: () => performance.now(),
  startTimer,
};

/** A clock that stands still until `advance` is called. */
export class ManualClock implements Clock {
  #micros: number;
  #monotonicMs = 0;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  constructor(startMicros = 1_700_000_000_000_000) {
    this.#micros = startMicros;
  }

  nowMicros(): number {
    return this.#micros;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  startTimer(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.#monotonicMs + Math.max(0, delayMs), callback };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((t) => t !== timer)) };
  }

  /** Moves time on by `ms`, running due timers in the order of their times, earliest started first. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (;;) {
      const due = this.#timers.filter((t) => t.atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((t) => t !== due);
      this.#moveTo(due.atMs);
      due.callback();
    }
    this.#moveTo(endMs);
  }

  /** Sets wall time only, as an administrator or NTP would; monotonic time is not touched. */
  setWallTime(micros: number): void {
    this.#micros = micros;
  }

  /** How many timers wait: tests assert that nothing was left behind. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  #moveTo(ms: number): void {
    this.#micros += Math.round((ms - this.#monotonicMs) * 1000);
    this.#monotonicMs = ms;
  }
}
