import { primitiveType, productType } from '../../values/algebraic-type.js';
import { TIMESTAMP_TYPE } from '../../values/special-types.js';
import { Timestamp } from '../../values/timestamp.js';
import type { Row } from '../contract.js';
import type { TableDef } from '../schema.js';
import type { QueryDatabase } from '../sql/select.js';
import type { ScheduleBook } from './schedule-book.js';

/*
 * `st_scheduled_failure`: the scheduled rows whose last run failed, as SQL reads them. It follows from the log like the rows
 * themselves, so it is the same after a restart; nobody writes to it.
 *
 * | table_name   | string    | the scheduled table                                        |
 * | scheduled_id | u64       | primary key of the row in that table                       |
 * | attempts     | u32       | failures in a row                                          |
 * | last_error   | string    | what the last run threw, its first 1000 characters         |
 * | intended     | timestamp | when the row was due by its schedule                       |
 * | next_attempt | timestamp | when it is tried again; no more when `parked`              |
 * | parked       | bool      | nobody tries any more: update the row to begin anew        |
 */

const NAME = 'st_scheduled_failure';

const rowType = productType({
  table_name: primitiveType('string'),
  scheduled_id: primitiveType('u64'),
  attempts: primitiveType('u32'),
  last_error: primitiveType('string'),
  intended: TIMESTAMP_TYPE,
  next_attempt: TIMESTAMP_TYPE,
  parked: primitiveType('bool'),
});

/** Private, so that it exists for the owner only. */
const FAILURE_TABLE: TableDef = {
  name: NAME,
  sourceName: NAME,
  columns: rowType.elements.map(({ property, type }) => ({ name: property, property, type })),
  rowType,
  // Of no typespace: modules do not see it.
  rowTypeRef: -1,
  primaryKey: undefined,
  indexes: [],
  uniqueConstraints: [],
  sequences: [],
  schedule: undefined,
  isPublic: false,
  isEvent: false,
};

/** The same database with the table beside its own. A module's table of that name goes first. */
export function withScheduledFailures(
  database: QueryDatabase & { readonly schedules: ScheduleBook },
): QueryDatabase {
  const { schema, schedules } = database;
  if (schema.tables.some(({ name }) => name === NAME)) return database;
  const failures = { def: FAILURE_TABLE, indexes: new Map(), scan: () => failedRows(schedules) };
  return {
    schema: { ...schema, tables: [...schema.tables, FAILURE_TABLE] },
    table: (name) => (name === NAME ? failures : database.table(name)),
  };
}

function* failedRows(schedules: ScheduleBook): Iterable<Row> {
  for (const { table, key, state } of schedules.entries()) {
    const { attempts, lastError, intendedMicros, dueMicros, isParked } = state;
    if (attempts === 0) continue;
    yield {
      table_name: table,
      scheduled_id: BigInt(key),
      attempts,
      last_error: lastError,
      intended: new Timestamp(BigInt(Math.round(intendedMicros))),
      next_attempt: new Timestamp(BigInt(Math.round(dueMicros))),
      parked: isParked,
    };
  }
}
