import { ByteReader } from '../../base/byte-reader.js';
import { ByteWriter } from '../../base/byte-writer.js';
import type { ScheduleAt } from '../../values/timestamp.js';
import type { Row } from '../contract.js';
import { EngineError } from '../errors.js';
import type { LogSection } from '../log/commit-log.js';
import { SectionKind } from '../log/record-codec.js';
import type { TableDef } from '../schema.js';

/*
 * What the system keeps of a scheduled row besides the row, as a section of the log and of snapshots. Little-endian.
 *
 * | table      | string |                                                                |
 * | key        | string | the primary key, decimal                                       |
 * | intended   | i64    | when the row is due by its schedule, microseconds since 1970   |
 * | due        | i64    | when it is tried: later than `intended` after failures         |
 * | attempts   | u32    | failures in a row                                              |
 * | parked     | u8     | 1 when nobody tries any more                                   |
 * | last error | string | empty without                                                  |
 */

export interface ScheduleState {
  readonly intendedMicros: number;
  readonly dueMicros: number;
  readonly attempts: number;
  readonly isParked: boolean;
  readonly lastError: string;
}

// (2^36 - 1) ms, some 2.18 years: the reference server refuses more.
const DELAY_MS_MAX = 2 ** 36 - 1;
// A millisecond: what timers can tell apart. Less, or nothing, would keep everybody else from running.
const INTERVAL_MICROS_MIN = 1000;
// A stack's first lines say it all.
const ERROR_CHARACTERS_MAX = 1000;

export function scheduleOf(table: TableDef, row: Row): ScheduleAt {
  return row[table.columns[table.schedule!.column]!.property] as ScheduleAt;
}

/** The key of a scheduled row, as text: bigints must not be keys of Maps. */
export function scheduleKey(table: TableDef, row: Row): string {
  return String(row[table.columns[table.primaryKey!]!.property]);
}

/** Microseconds between two runs, undefined for a row that runs once. */
export function intervalOf(at: ScheduleAt): number | undefined {
  if (at.tag !== 'Interval') return undefined;
  return Math.max(Number(at.value.micros), INTERVAL_MICROS_MIN);
}

/** The state of a row that was stored at `nowMicros`. */
export function firstState(at: ScheduleAt, nowMicros: number): ScheduleState {
  const interval = intervalOf(at);
  const intendedMicros =
    at.tag === 'Interval' ? nowMicros + interval! : Number(at.value.microsSinceUnixEpoch);
  return stateAt(intendedMicros);
}

export function stateAt(intendedMicros: number): ScheduleState {
  return { intendedMicros, dueMicros: intendedMicros, attempts: 0, isParked: false, lastError: '' };
}

/** Throws ScheduleAtDelayTooLong when the row would be due too far in the future. */
export function checkDelay(table: TableDef, row: Row, nowMicros: number): void {
  const delayMs = (firstState(scheduleOf(table, row), nowMicros).intendedMicros - nowMicros) / 1000;
  if (delayMs <= DELAY_MS_MAX) return;
  throw new EngineError(
    'ScheduleAtDelayTooLong',
    `table \`${table.name}\`: a row can be scheduled at most 2.18 years ahead`,
  );
}

export function encodeScheduleState(table: string, key: string, state: ScheduleState): LogSection {
  const writer = new ByteWriter(64);
  writer.writeString(table);
  writer.writeString(key);
  writer.writeI64(BigInt(Math.round(state.intendedMicros)));
  writer.writeI64(BigInt(Math.round(state.dueMicros)));
  writer.writeU32(state.attempts);
  writer.writeU8(state.isParked ? 1 : 0);
  writer.writeString(state.lastError.slice(0, ERROR_CHARACTERS_MAX));
  return { kind: SectionKind.schedule, bytes: writer.finish() };
}

export function decodeScheduleState(bytes: Uint8Array): {
  readonly table: string;
  readonly key: string;
  readonly state: ScheduleState;
} {
  const reader = new ByteReader(bytes);
  const table = reader.readString();
  const key = reader.readString();
  const intendedMicros = Number(reader.readI64());
  const dueMicros = Number(reader.readI64());
  const attempts = reader.readU32();
  const isParked = reader.readU8() === 1;
  const lastError = reader.readString();
  reader.expectEnd();
  return { table, key, state: { intendedMicros, dueMicros, attempts, isParked, lastError } };
}
