import type { Clock, Timer } from '../base/clock.js';

/** Something that waits on the wheel. Holds its own bookkeeping, so that waiting allocates nothing. */
export interface WheelTask {
  /** Monotonic milliseconds; Infinity while not waiting. Set by the wheel. */
  wheelDueMs: number;
  onWheelDue(nowMs: number): void;
}

// 50 ms: a fifth of the shortest time that waits here, the 250 ms close handshake.
const TICK_MS = 50;
// 1024 slots are 51 s, more than heartbeats need; longer waits stay in their slot for another round.
const SLOT_COUNT = 1024;

/**
 * A hashed timer wheel: any number of deadlines on one timer of the clock. Tasks run at most one tick late
 * and never early. The timer runs only while a task waits.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots: (Set<WheelTask> | undefined)[] = Array.from({ length: SLOT_COUNT });
  #count = 0;
  #tick: number;
  #timer: Timer | undefined;
  #timerTick = Infinity;
  readonly #onError: (error: unknown) => void;

  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
    this.#tick = Math.floor(clock.monotonicMs() / TICK_MS);
  }

  get nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** How many tasks wait. */
  get count(): number {
    return this.#count;
  }

  /** Lets `task` wait for `delayMs` from now; a task that waits already is moved. */
  schedule(task: WheelTask, delayMs: number): void {
    this.cancel(task);
    // The slot of the current tick was visited already and comes again in 51 s only.
    task.wheelDueMs = Math.max(this.#clock.monotonicMs() + delayMs, (this.#tick + 1) * TICK_MS);
    const tick = dueTick(task);
    const index = slotOf(task);
    (this.#slots[index] ??= new Set()).add(task);
    this.#count++;
    if (tick < this.#timerTick) this.#arm(tick);
  }

  cancel(task: WheelTask): void {
    if (task.wheelDueMs === Infinity) return;
    if (this.#slots[slotOf(task)]?.delete(task) === true) this.#count--;
    task.wheelDueMs = Infinity;
    if (this.#count === 0) this.#disarm();
  }

  #arm(tick: number): void {
    this.#timer?.cancel();
    this.#timerTick = tick;
    const delayMs = Math.max(1, Math.ceil(tick * TICK_MS - this.#clock.monotonicMs()));
    this.#timer = this.#clock.startTimer(delayMs, () => this.#run());
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerTick = Infinity;
  }

  #run(): void {
    this.#timer = undefined;
    this.#timerTick = Infinity;
    const nowMs = this.#clock.monotonicMs();
    const nowTick = Math.floor(nowMs / TICK_MS);
    // After a long pause one round visits every slot.
    const first = Math.max(this.#tick + 1, nowTick - SLOT_COUNT + 1);
    // Before anything runs: what tasks schedule belongs to later ticks.
    this.#tick = nowTick;
    for (let tick = first; tick <= nowTick; tick++) this.#runSlot(tick % SLOT_COUNT, nowTick, nowMs);
    this.#armNext();
  }

  #runSlot(index: number, nowTick: number, nowMs: number): void {
    const slot = this.#slots[index];
    if (slot === undefined) return;
    for (const task of slot) {
      if (dueTick(task) > nowTick) continue;
      slot.delete(task);
      this.#count--;
      task.wheelDueMs = Infinity;
      try {
        task.onWheelDue(nowMs);
      } catch (error) {
        this.#onError(error);
      }
    }
    if (slot.size === 0) this.#slots[index] = undefined;
  }

  #armNext(): void {
    if (this.#count === 0) return;
    for (let tick = this.#tick + 1; tick <= this.#tick + SLOT_COUNT; tick++) {
      if (this.#slots[tick % SLOT_COUNT] === undefined) continue;
      if (tick < this.#timerTick) this.#arm(tick);
      return;
    }
  }
}

function dueTick(task: WheelTask): number {
  return Math.ceil(task.wheelDueMs / TICK_MS);
}

function slotOf(task: WheelTask): number {
  return dueTick(task) % SLOT_COUNT;
}
