import { mergeUpdates } from 'yjs';

import { ByteWriter } from '../base/byte-writer.js';
import { VarReader } from '../base/var-reader.js';
import { readStruct, StructKind, StructView } from './read-struct.js';
import { StructJoiner, writeVarUint } from './struct-joiner.js';

/** Structs of one client whose clocks follow one another, as they stand in an update. */
interface Run {
  readonly bytes: Uint8Array;
  /** Of the first struct. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

type ByClient<T> = Map<number, T[]>;

// yjs 13 merges a list in time quadratic in its length; by 100 it is linear in the bytes.
const FAN_IN = 100;
const EMPTY = Uint8Array.of(0, 0);

/**
 * One update that does what all of them do together: linear in their bytes. The updates must be valid, as those that were
 * scanned are; throws WireError otherwise.
 */
export function mergeAll(updates: readonly Uint8Array[]): Uint8Array {
  if (updates.length === 0) return EMPTY;
  if (updates.length === 1) return updates[0]!;
  const runs: ByClient<Run> = new Map();
  const deletes: ByClient<number> = new Map();
  for (const update of updates) readUpdate(update, runs, deletes);
  const out = new ByteWriter(updates.reduce((bytes, update) => bytes + update.length, 16));
  if (!writeRuns(out, runs)) return mergeByTree(updates);
  writeDeletes(out, deletes);
  return out.finish();
}

/** For structs that are cut differently in different updates: only yjs cuts contents. */
function mergeByTree(updates: readonly Uint8Array[]): Uint8Array {
  let level = updates;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += FAN_IN) {
      const group = level.slice(i, i + FAN_IN);
      next.push(group.length === 1 ? group[0]! : mergeUpdates(group));
    }
    level = next;
  }
  return mergeAll([level[0]!, EMPTY]);
}

function readUpdate(update: Uint8Array, runs: ByClient<Run>, deletes: ByClient<number>): void {
  const reader = new VarReader(update);
  for (let blocks = reader.readVarUint(); blocks > 0; blocks--) readBlock(reader, runs);
  for (let clients = reader.readVarUint(); clients > 0; clients--) {
    const client = reader.readVarUint();
    const ranges = listOf(deletes, client);
    for (let count = reader.readVarUint(); count > 0; count--) {
      const from = reader.readVarUint();
      ranges.push(from, from + reader.readVarUint());
    }
  }
}

const view = new StructView();

function readBlock(reader: VarReader, runs: ByClient<Run>): void {
  const count = reader.readVarUint();
  const own = listOf(runs, reader.readVarUint());
  const { bytes } = reader;
  let clock = reader.readVarUint();
  let from = clock;
  let at = reader.offset;
  for (let i = 0; i < count; i++) {
    readStruct(reader, view);
    if (view.kind === StructKind.skip) {
      if (clock > from) own.push({ bytes, at, from, to: clock });
      from = clock + view.length;
      at = reader.offset;
    }
    clock += view.length;
  }
  if (clock > from) own.push({ bytes, at, from, to: clock });
}

function listOf<T>(map: ByClient<T>, client: number): T[] {
  let list = map.get(client);
  if (list === undefined) map.set(client, (list = []));
  return list;
}

/** Highest client first, as yjs writes them, so that equal documents are equal bytes. False when a struct would have to be cut. */
function writeRuns(out: ByteWriter, runs: ByClient<Run>): boolean {
  const clients = [...runs].filter(([, own]) => own.length > 0).toSorted(([a], [b]) => b - a);
  writeVarUint(out, clients.length);
  const structs = new ByteWriter(1024);
  for (const [client, own] of clients) {
    own.sort((a, b) => a.from - b.from);
    const joiner = new StructJoiner(structs);
    if (!joinRuns(joiner, client, own)) return false;
    writeVarUint(out, joiner.count);
    writeVarUint(out, client);
    writeVarUint(out, own[0]!.from);
    out.writeRaw(structs.bytes.subarray(0, structs.length));
    structs.reset();
  }
  return true;
}

function joinRuns(joiner: StructJoiner, client: number, runs: readonly Run[]): boolean {
  let next = runs[0]!.from;
  for (const { bytes, at, from, to } of runs) {
    if (to <= next) continue;
    if (from > next) joiner.skip(from - next);
    const reader = new VarReader(bytes, at);
    for (let clock = from; clock < to; clock += view.length) {
      readStruct(reader, view);
      const isKnown = clock + view.length <= next;
      if (!isKnown && clock < next) return false;
      if (!isKnown) joiner.add(bytes, view, client, clock);
    }
    next = to;
  }
  joiner.finish();
  return true;
}

function writeDeletes(out: ByteWriter, deletes: ByClient<number>): void {
  const clients = [...deletes].filter(([, ranges]) => ranges.length > 0).toSorted(([a], [b]) => b - a);
  writeVarUint(out, clients.length);
  for (const [client, ranges] of clients) {
    const united = unite(ranges);
    writeVarUint(out, client);
    writeVarUint(out, united.length / 2);
    for (let i = 0; i < united.length; i += 2) {
      writeVarUint(out, united[i]!);
      writeVarUint(out, united[i + 1]! - united[i]!);
    }
  }
}

/** from, to, … in any order, overlapping or not: the same clocks in as few ranges as can be, ascending. */
function unite(ranges: readonly number[]): number[] {
  const starts = Array.from({ length: ranges.length / 2 }, (_, i) => i * 2);
  starts.sort((a, b) => ranges[a]! - ranges[b]!);
  const united: number[] = [];
  for (const i of starts) {
    const last = united.length - 1;
    if (last > 0 && ranges[i]! <= united[last]!) united[last] = Math.max(united[last]!, ranges[i + 1]!);
    else united.push(ranges[i]!, ranges[i + 1]!);
  }
  return united;
}
