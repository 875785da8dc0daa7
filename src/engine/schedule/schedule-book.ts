import type { Row, TableDelta } from '../contract.js';
import type { LogSection } from '../log/commit-log.js';
import { SectionKind } from '../log/record-codec.js';
import type { TableDef } from '../schema.js';
import {
  decodeScheduleState,
  encodeScheduleState,
  firstState,
  scheduleKey,
  scheduleOf,
  type ScheduleState,
} from './schedule-state.js';

/**
 * When each scheduled row is due and how often it failed. It follows from the log alone: from the rows with the time of the
 * transaction that stored them, and from the sections that runs leave behind. So it is the same after a restart.
 */
export class ScheduleBook {
  readonly #byTable = new Map<string, Map<string, ScheduleState>>();
  /** Told of every state that is new. */
  onState: ((table: string, key: string, state: ScheduleState) => void) | undefined;

  get(table: string, key: string): ScheduleState | undefined {
    return this.#byTable.get(table)?.get(key);
  }

  set(table: string, key: string, state: ScheduleState): void {
    const states = this.#byTable.get(table);
    if (states === undefined) this.#byTable.set(table, new Map([[key, state]]));
    else states.set(key, state);
    this.onState?.(table, key, state);
  }

  /** The rows of a scheduled table changed: stored ones begin anew, whatever was known of their key. */
  noteRows(table: TableDef, deletes: readonly Row[], inserts: readonly Row[], nowMicros: number): void {
    const states = this.#byTable.get(table.name);
    for (const row of deletes) states?.delete(scheduleKey(table, row));
    for (const row of inserts) {
      this.set(table.name, scheduleKey(table, row), firstState(scheduleOf(table, row), nowMicros));
    }
  }

  /** The same for the deltas of a commit. */
  noteDeltas(deltas: readonly TableDelta[], nowMicros: number): void {
    for (const { table, deletes, inserts } of deltas) {
      if (table.schedule !== undefined)
        this.noteRows(table, deletes.map(rowOf), inserts.map(rowOf), nowMicros);
    }
  }

  /** Takes note of a section; other kinds change nothing. */
  apply({ kind, bytes }: LogSection): void {
    if (kind !== SectionKind.schedule) return;
    const { table, key, state } = decodeScheduleState(bytes);
    this.set(table, key, state);
  }

  /** What a snapshot keeps: the rows alone do not tell when they were stored. */
  sections(): LogSection[] {
    return [...this.#byTable].flatMap(([table, states]) =>
      [...states].map(([key, state]) => encodeScheduleState(table, key, state)),
    );
  }

  *entries(): Iterable<{ readonly table: string; readonly key: string; readonly state: ScheduleState }> {
    for (const [table, states] of this.#byTable)
      for (const [key, state] of states) yield { table, key, state };
  }
}

const rowOf = ({ row }: { readonly row: Row }): Row => row;
