import { ByteWriter } from '../../../base/byte-writer.js';
import type { LiveQuery, QueryDelta } from '../../../engine/contract.js';
import { ServerTag } from '../messages/server-messages.js';
import { packRows, writeRows } from '../messages/row-list.js';
import type { RowList } from '../messages/row-list.js';

/*
 * What a commit means to one connection, written once for all connections that see it alike: rows are packed once per
 * query, whole messages once per (query sets, queries) that occur.
 */

const PACKED_ROWS = Symbol('rows as a BsatnRowList');
const UPDATE_ROWS = Symbol('delta as TableUpdateRows');
const MESSAGES = Symbol('TransactionUpdate messages by shape');
const NUMBER = Symbol('number of the delta');

/** One query's change, for one of the sets that hold the query. */
interface Entry {
  readonly querySetId: number;
  readonly delta: QueryDelta;
}

/** The rows of a query as they are now, packed at most once until they change. */
export function snapshotRows(query: LiveQuery): RowList {
  const snapshot = query.snapshot();
  return snapshot.memo(PACKED_ROWS, () => packRows(snapshot.rows));
}

/** Which sets hold a query, ascending, with repetitions. */
export type SetsOf = (query: LiveQuery) => readonly number[];

/**
 * The whole TransactionUpdate message of a connection whose query sets are `setsOf`, shared by all connections that
 * hold the same queries under the same ids. Undefined when nothing is held any more.
 */
export function encodeTransactionUpdate(
  scratch: ByteWriter,
  deltas: readonly QueryDelta[],
  setsOf: SetsOf,
): Uint8Array | undefined {
  const entries = collectEntries(deltas, setsOf);
  const first = entries[0];
  if (first === undefined) return undefined;
  const messages = first.delta.memo(MESSAGES, () => new Map<string | number, Uint8Array>());
  const shape = entries.length === 1 ? first.querySetId : shapeOf(entries);
  let message = messages.get(shape);
  if (message === undefined) {
    scratch.reset();
    scratch.writeU8(ServerTag.transactionUpdate);
    writeEntries(scratch, entries);
    message = scratch.finish();
    messages.set(shape, message);
  }
  return message;
}

/** The body of a TransactionUpdate: the caller's own changes, inside of his ReducerResult. */
export function writeQuerySetUpdates(
  writer: ByteWriter,
  deltas: readonly QueryDelta[],
  setsOf: SetsOf,
): void {
  writeEntries(writer, collectEntries(deltas, setsOf));
}

function collectEntries(deltas: readonly QueryDelta[], setsOf: SetsOf): Entry[] {
  const entries: Entry[] = [];
  for (const delta of deltas) {
    if (delta.inserts.length === 0 && delta.deletes.length === 0) continue;
    for (const querySetId of setsOf(delta.query)) entries.push({ querySetId, delta });
  }
  if (entries.length > 1) entries.sort(compareEntries);
  return entries;
}

function compareEntries(a: Entry, b: Entry): number {
  if (a.querySetId !== b.querySetId) return a.querySetId - b.querySetId;
  const [left, right] = [a.delta.query.table.name, b.delta.query.table.name];
  if (left !== right) return left < right ? -1 : 1;
  return numberOf(a.delta) - numberOf(b.delta);
}

let deltaCount = 0;

/** Numbers deltas, so that a shape can name them. */
export function numberOf(delta: QueryDelta): number {
  return delta.memo(NUMBER, () => ++deltaCount);
}

function shapeOf(entries: readonly Entry[]): string {
  let shape = '';
  for (const { querySetId, delta } of entries) shape += `${querySetId}:${numberOf(delta)},`;
  return shape;
}

/** Writes entries, sorted by set and table, as QuerySetUpdates. */
function writeEntries(writer: ByteWriter, entries: readonly Entry[]): void {
  const setsAt = reserveCount(writer);
  let setCount = 0;
  let at = 0;
  while (at < entries.length) {
    const end = endOfRun(entries, at, (entry) => entry.querySetId === entries[at]!.querySetId);
    writer.writeU32(entries[at]!.querySetId);
    writeTables(writer, entries, at, end);
    setCount++;
    at = end;
  }
  writer.view.setUint32(setsAt, setCount, true);
}

function writeTables(writer: ByteWriter, entries: readonly Entry[], start: number, end: number): void {
  const tablesAt = reserveCount(writer);
  let tableCount = 0;
  let at = start;
  while (at < end) {
    const table = entries[at]!.delta.query.table.name;
    const runEnd = Math.min(
      end,
      endOfRun(entries, at, (entry) => entry.delta.query.table.name === table),
    );
    writer.writeString(table);
    writer.writeU32(runEnd - at);
    for (; at < runEnd; at++) writer.writeRaw(updateRows(entries[at]!.delta));
    tableCount++;
  }
  writer.view.setUint32(tablesAt, tableCount, true);
}

/** Leaves room for a count; where it stands. */
function reserveCount(writer: ByteWriter): number {
  const at = writer.length;
  writer.writeU32(0);
  return at;
}

function endOfRun(entries: readonly Entry[], start: number, belongs: (entry: Entry) => boolean): number {
  let end = start + 1;
  while (end < entries.length && belongs(entries[end]!)) end++;
  return end;
}

/** A delta as TableUpdateRows. */
function updateRows(delta: QueryDelta): Uint8Array {
  return delta.memo(UPDATE_ROWS, () => {
    const writer = rowsWriter;
    writer.reset();
    writer.writeU8(delta.isEvent ? 1 : 0);
    writeRows(writer, delta.inserts);
    if (!delta.isEvent) writeRows(writer, delta.deletes);
    return writer.finish();
  });
}

const rowsWriter = new ByteWriter(16 * 1024);
