import type { Clock, Timer } from '../../../../base/clock.js';
import { runCallback } from './callback-list.js';
import { SpacetimeDBScheduledEvent } from './scheduled-event.js';

/*
 * | state   | schedule                       | next                                    |
 * | waiting | kept with its delay            | running by start, stopped by stop       |
 * | running | a timer                        | stopped by stop: every timer is gone    |
 * | stopped | nothing: it will never fire    |                                         |
 */
type State = 'waiting' | 'running' | 'stopped';

/** 24 days: a platform's timer of more than 2^31 - 1 milliseconds would fire at once. */
const TIMER_MS_MAX = 24 * 24 * 3600 * 1000;

/** The events of one client. */
export class EventScheduler {
  readonly #clock: Clock;
  readonly #report: (error: unknown) => void;
  readonly #waiting: { readonly delayMs: number; readonly fire: () => void }[] = [];
  readonly #timers = new Set<Timer>();
  #state: State = 'waiting';

  constructor(clock: Clock, report: (error: unknown) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  /** How many events have not fired yet. */
  get pendingCount(): number {
    return this.#waiting.length + this.#timers.size;
  }

  schedule<A extends readonly unknown[]>(
    delaySecs: number,
    callback: (...args: A) => unknown,
    args: A,
  ): SpacetimeDBScheduledEvent<A> {
    if (!(delaySecs >= 0 && delaySecs < Infinity)) {
      throw new RangeError(`a delay is a number of seconds from 0 on, not ${delaySecs}`);
    }
    if (typeof callback !== 'function') throw new TypeError('an event needs a function to call');
    const delayMs = delaySecs * 1000;
    const event = new SpacetimeDBScheduledEvent(this.#dateIn(delayMs), callback, args);
    const fire = (): void => runCallback(() => event.callback(...event.args), this.#report);
    if (this.#state === 'waiting') this.#waiting.push({ delayMs, fire });
    else if (this.#state === 'running') this.#arm(delayMs, fire);
    return event;
  }

  /** The delays of what was scheduled before count from now. */
  start(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'running';
    for (const { delayMs, fire } of this.#waiting.splice(0)) this.#arm(delayMs, fire);
  }

  stop(): void {
    this.#state = 'stopped';
    this.#waiting.length = 0;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #arm(delayMs: number, fire: () => void): void {
    const timer = this.#clock.startTimer(Math.min(delayMs, TIMER_MS_MAX), () => {
      this.#timers.delete(timer);
      if (delayMs > TIMER_MS_MAX) this.#arm(delayMs - TIMER_MS_MAX, fire);
      else fire();
    });
    this.#timers.add(timer);
  }

  #dateIn(delayMs: number): Date {
    return new Date(this.#clock.nowMicros() / 1000 + delayMs);
  }
}
