import { expect, test } from 'vitest';
import { ByteWriter } from '../../base/byte-writer.js';
import { seededRandom } from '../../base/random.js';
import { asNewRecord, asRead } from '../testing/log-records.js';
import type { TableChange, TransactionRecord } from './commit-log.js';
import { appendRecord, countChangedRows, decodeRecord, readRowChanges } from './record-codec.js';
import { RecordTail } from './record-tail.js';

const random = seededRandom(7);
const below = (end: number): number => random.nextUint32() % end;

const POOL = random.fill(new Uint8Array(400_000));

function record(size: number): TransactionRecord {
  const row = (): Uint8Array => {
    const start = below(POOL.length - size);
    return POOL.subarray(start, start + size);
  };
  return {
    timestampMicros: below(2 ** 31),
    caller: undefined,
    connectionId: undefined,
    functionName: '',
    changes: [{ table: 't', deletes: Array.from({ length: below(3) }, row), inserts: [row()] }],
    sections: below(4) === 0 ? [{ kind: 200, bytes: row() }] : [],
  };
}

test('records of any length, one by one and by batches, come out as they went in while old ones leave', () => {
  const transactionsMax = 300;
  const bytesMax = 600_000;
  const tail = new RecordTail({ transactionsMax, bytesMax });
  let last = 2 ** 40;
  tail.begin(last);
  const model: { readonly offset: number; size: number; readonly record: TransactionRecord }[] = [];
  const batch = new ByteWriter();
  for (let step = 0; step < 1000; step++) {
    const size = [0, below(200), below(5_000), below(30) === 0 ? 300_000 : 5][below(4)]!;
    const isBatch = size < 5_000 && below(2) === 0;
    const records = Array.from({ length: isBatch ? 2 + below(40) : 1 }, () => record(size));
    batch.reset();
    batch.writeU32(0xffff_ffff);
    let at = batch.length;
    for (const each of records) {
      appendRecord(batch, asNewRecord(each));
      model.push({ offset: (last += 1), size: batch.length - at, record: each });
      at = batch.length;
    }
    const first = last - records.length + 1;
    if (isBatch) tail.addAll(first, records.length, batch, 4);
    else {
      const [one] = records;
      tail.append(first, asNewRecord(one!));
      // Without the length of a name, which the tail does not have.
      model.at(-1)!.size -= 4;
    }
    // A sixty-fourth leaves at once.
    if (model.length > transactionsMax || sum(model) > bytesMax) {
      while (model.length > 296 || sum(model) > 590_625) model.shift();
    }
    expect([tail.count, tail.bytes]).toEqual([model.length, sum(model)]);
    expect(tail.completeFrom).toBe(last - model.length);
    if (step % 50 > 0) continue;
    for (const after of [0, last - model.length, last - below(40), last]) {
      const wanted = model.filter(({ offset }) => offset > after);
      const found = tail.after(after);
      expect(found.map(({ offset }) => offset)).toEqual(wanted.map(({ offset }) => offset));
      for (const [i, { bytes }] of found.entries()) {
        const { changes, timestampMicros } = wanted[i]!.record;
        expect(decodeRecord(bytes)).toMatchObject({ timestampMicros });
        expect(
          isEqual(
            readRowChanges(bytes, () => true),
            changes,
          ),
        ).toBe(true);
        expect(readRowChanges(bytes, (table) => table !== 't')).toEqual([]);
        expect(countChangedRows(bytes)).toBe(changes[0]!.deletes.length + 1);
      }
    }
  }
});

/** Vitest takes a second for a thousand long rows. */
function isEqual(found: readonly TableChange[], wanted: readonly TableChange[]): boolean {
  const shapes = (changes: readonly TableChange[]): unknown =>
    changes.map(({ table, deletes, inserts }) => [table, deletes.length, inserts.length]);
  const rows = (changes: readonly TableChange[]): Buffer =>
    Buffer.concat(changes.flatMap(({ deletes, inserts }) => [...deletes, ...inserts]));
  expect(shapes(found)).toEqual(shapes(wanted));
  return rows(found).equals(rows(wanted));
}

function sum(model: readonly { readonly size: number }[]): number {
  return model.reduce((total, { size }) => total + size, 0);
}

test('what cannot be encoded leaves nothing behind, and the next record follows', () => {
  const tail = new RecordTail({ transactionsMax: 10, bytesMax: 10_000 });
  tail.begin(0);
  const good = asNewRecord(record(5));
  tail.append(1, good);
  // What the types refuse, since nothing that they allow fails while it is encoded.
  const bad = { ...good, sections: [{ kind: 200, bytes: undefined as unknown as Uint8Array }] };
  expect(() => tail.append(2, bad)).toThrow(TypeError);
  tail.append(2, good);
  expect(tail.after(0).map(({ offset, bytes }) => [offset, decodeRecord(bytes).changes])).toEqual([
    [1, asRead(good).changes],
    [2, asRead(good).changes],
  ]);
});

test('it keeps nothing before it begins and after it ends', () => {
  const tail = new RecordTail({ transactionsMax: 10, bytesMax: 10_000 });
  const one = asNewRecord(record(5));
  tail.append(1, one);
  expect(tail.count).toBe(0);
  tail.begin(1);
  tail.append(2, one);
  tail.endAfter(3);
  tail.append(3, one);
  expect([tail.isKeeping, tail.count]).toEqual([true, 2]);
  tail.append(4, one);
  expect([tail.isKeeping, tail.count, tail.bytes]).toEqual([false, 0, 0]);
  tail.endAfter(Infinity);
  expect(tail.isKeeping, 'only a new beginning helps').toBe(false);
  tail.begin(4);
  tail.append(5, one);
  expect(tail.after(0).map(({ offset }) => offset)).toEqual([5]);
});
