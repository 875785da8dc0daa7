import type { Clock, Timer } from '../../base/clock.js';
import type { Row } from '../contract.js';
import type { Database } from '../database.js';
import type { TableDef } from '../schema.js';
import type { Table } from '../tables/table.js';
import { DueQueue } from './due-queue.js';
import {
  encodeScheduleState,
  firstState,
  intervalOf,
  scheduleKey,
  scheduleOf,
  stateAt,
  type ScheduleState,
} from './schedule-state.js';

/** A scheduled row whose time has come. */
export interface Job {
  /** Source name of the function to run. */
  readonly functionName: string;
  readonly row: Row;
  /** The row in BSATN. */
  readonly rowBytes: Uint8Array;
}

export interface SchedulerOptions {
  readonly clock: Clock;
  /**
   * Runs the function with the row, and `finish` behind it in the same transaction. Gives undefined when that committed, else why
   * it did not.
   */
  readonly run: (job: Job, finish: () => void) => string | undefined;
  /** Told of failures, one line for people. */
  readonly onFailure: (text: string) => void;
}

// 1, 2, 4 ... 256 seconds: a job that waits for somebody else's server has eight minutes and a half.
const ATTEMPTS_MAX = 10;
const BACKOFF_MICROS = 1_000_000;
const BACKOFF_MICROS_MAX = 600_000_000;
// A minute: how late a jump of the wall clock is noticed.
const SLEEP_MS_MAX = 60_000;
// So many jobs, then whoever waits on the network.
const JOBS_PER_TURN = 100;
const JUMP_MICROS = 1_000_000;

/**
 * Runs the rows of scheduled tables when they are due, with one timer. A row that runs once is removed in its run's own
 * transaction; one that repeats has the next time logged there. A crash loses both or neither, so each run counts exactly once.
 */
export class Scheduler {
  readonly #database: Database;
  readonly #options: SchedulerOptions;
  readonly #queue = new DueQueue();
  #timer: Timer | undefined;
  #timerAtMicros = Number.POSITIVE_INFINITY;
  #lastMicros: number;
  #isRunning = false;
  #isStopped = false;

  constructor(database: Database, options: SchedulerOptions) {
    this.#database = database;
    this.#options = options;
    this.#lastMicros = options.clock.nowMicros();
  }

  /** Takes up all rows there are. What became due while nobody was here runs at once. */
  start(): void {
    const { schedules } = this.#database;
    for (const table of this.#database.tables.values()) {
      if (table.def.schedule !== undefined) this.#takeUp(table);
    }
    schedules.onState = (table, key, state) => {
      this.#enqueue(table, key, state);
      this.#arm();
    };
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#database.schedules.onState = undefined;
    this.#timer?.cancel();
  }

  #takeUp(table: Table): void {
    const { schedules } = this.#database;
    const nowMicros = this.#options.clock.nowMicros();
    for (const row of table.scan()) {
      const key = scheduleKey(table.def, row);
      const known = schedules.get(table.name, key);
      const state = known ?? firstState(scheduleOf(table.def, row), nowMicros);
      if (known === undefined) schedules.set(table.name, key, state);
      if (state.isParked) {
        this.#options.onFailure(
          `scheduled row ${key} of table \`${table.name}\` waits for inspection after ${state.attempts} attempts: ${state.lastError}`,
        );
      }
      this.#enqueue(table.name, key, state);
    }
  }

  #enqueue(table: string, key: string, { dueMicros, isParked }: ScheduleState): void {
    if (!isParked) this.#queue.push({ dueMicros, table, key });
  }

  #arm(): void {
    const first = this.#queue.first;
    if (first === undefined || this.#isRunning || this.#isStopped) return;
    if (this.#timer !== undefined && this.#timerAtMicros <= first.dueMicros) return;
    this.#timer?.cancel();
    const { clock } = this.#options;
    this.#timerAtMicros = first.dueMicros;
    const delayMs = Math.min(Math.max(0, (first.dueMicros - clock.nowMicros()) / 1000), SLEEP_MS_MAX);
    this.#timer = clock.startTimer(delayMs, () => this.#wake());
  }

  #wake(): void {
    this.#timer = undefined;
    this.#isRunning = true;
    try {
      this.#noticeJump();
      this.#runDue();
    } finally {
      this.#isRunning = false;
      this.#arm();
    }
  }

  #runDue(): void {
    for (let count = 0; count < JOBS_PER_TURN && !this.#isStopped; count++) {
      const first = this.#queue.first;
      if (first === undefined || first.dueMicros > this.#options.clock.nowMicros()) return;
      this.#queue.pop();
      const state = this.#database.schedules.get(first.table, first.key);
      // Deleted, or given another time since it was queued.
      if (state === undefined || state.isParked || state.dueMicros !== first.dueMicros) continue;
      const table = this.#database.findTable(first.table);
      const row = table === undefined ? undefined : findRow(table, first.key);
      if (table !== undefined && row !== undefined) this.#run(table, first.key, row, state);
    }
  }

  #run(table: Table, key: string, row: Row, state: ScheduleState): void {
    if (this.#database.log.failure !== undefined) return this.stop();
    const rowBytes = table.encodeRow(row);
    const job: Job = { functionName: table.def.schedule!.functionName, row, rowBytes };
    const error = this.#options.run(job, () => this.#finish(table, key, rowBytes, state));
    if (error === undefined || this.#database.log.failure !== undefined) return;
    try {
      this.#noteFailure(table.def, key, row, state, error);
    } catch (problem) {
      // The log takes nothing just now: it is tried again as if it had not been tried.
      const dueMicros = this.#options.clock.nowMicros() + BACKOFF_MICROS;
      this.#database.schedules.set(table.name, key, { ...state, dueMicros });
      this.#options.onFailure(
        `scheduled row ${key} of table \`${table.name}\`: ${problem instanceof Error ? problem.message : String(problem)}`,
      );
    }
  }

  /** Within the transaction of the run. A row that the run itself changed or deleted has its time from that. */
  #finish(table: Table, key: string, before: Uint8Array, state: ScheduleState): void {
    const row = findRow(table, key);
    if (row === undefined || !isEqual(table.encodeRow(row), before)) return;
    const interval = intervalOf(scheduleOf(table.def, row));
    if (interval === undefined) {
      table.deleteRow(row);
      return;
    }
    const next = stateAt(nextTick(state.intendedMicros, interval, this.#options.clock.nowMicros()));
    this.#database.addSection(encodeScheduleState(table.name, key, next));
  }

  #noteFailure(def: TableDef, key: string, row: Row, state: ScheduleState, error: string): void {
    const nowMicros = this.#options.clock.nowMicros();
    const attempts = state.attempts + 1;
    const backoff = Math.min(BACKOFF_MICROS * 2 ** (attempts - 1), BACKOFF_MICROS_MAX);
    const interval = intervalOf(scheduleOf(def, row));
    // What repeats is tried again at one of its own times, for ever; what runs once gives up.
    const isParked = interval === undefined && attempts >= ATTEMPTS_MAX;
    const dueMicros =
      interval === undefined
        ? nowMicros + backoff
        : nextTick(state.intendedMicros, interval, Math.max(nowMicros, nowMicros + backoff - interval));
    const intendedMicros = interval === undefined ? state.intendedMicros : dueMicros;
    const next: ScheduleState = { intendedMicros, dueMicros, attempts, isParked, lastError: error };
    const origin = {
      caller: this.#database.options.identity,
      connectionId: undefined,
      functionName: 'schedule',
      timestampMicros: nowMicros,
    };
    this.#database.transact(origin, () =>
      this.#database.addSection(encodeScheduleState(def.name, key, next)),
    );
    const then = isParked
      ? 'it stays in the table for inspection; update it to have it tried again'
      : `it is tried again in ${Math.round((dueMicros - nowMicros) / 1e6)} s`;
    this.#options.onFailure(
      `scheduled row ${key} of table \`${def.name}\`: attempt ${attempts} failed (${error}); ${then}`,
    );
  }

  /** The wall clock was set back: what repeats must not stand still until the old time comes again. */
  #noticeJump(): void {
    const nowMicros = this.#options.clock.nowMicros();
    const jumped = nowMicros < this.#lastMicros - JUMP_MICROS;
    this.#lastMicros = nowMicros;
    if (!jumped) return;
    const { schedules } = this.#database;
    for (const { table: name, key, state } of schedules.entries()) {
      const table = this.#database.findTable(name);
      const row = table === undefined ? undefined : findRow(table, key);
      if (table === undefined || row === undefined) continue;
      const interval = intervalOf(scheduleOf(table.def, row));
      if (interval === undefined || state.dueMicros <= nowMicros + interval) continue;
      const dueMicros = nowMicros + interval;
      schedules.set(name, key, { ...state, dueMicros, intendedMicros: dueMicros });
    }
  }
}

/** The first time of the grid after `nowMicros`; those that were missed are left out. */
function nextTick(intendedMicros: number, interval: number, nowMicros: number): number {
  if (nowMicros < intendedMicros) return intendedMicros;
  return intendedMicros + interval * (Math.floor((nowMicros - intendedMicros) / interval) + 1);
}

function findRow(table: Table, key: string): Row | undefined {
  return table.findByPrimaryKey(BigInt(key));
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
