import { expect, test } from 'vitest';
import { ByteWriter } from '../../base/byte-writer.js';
import { seededRandom } from '../../base/random.js';
import { CommitPieces } from './commit-pieces.js';

test('commits of any length come out as they went in, while old ones leave', () => {
  const random = seededRandom(7);
  const below = (end: number): number => random.nextUint32() % end;
  const pieces = new CommitPieces();
  const source = new ByteWriter(1_000_000);
  random.fill(source.bytes);
  let model: { offset: number; rowCount: number; changes: Uint8Array }[] = [];
  let offset = 2 ** 40;
  for (let step = 0; step < 2900; step++) {
    const size = [0, below(200), below(20_000), below(100) === 0 ? 300_000 : 5][below(4)]!;
    const start = below(source.bytes.length - size);
    offset += 1 + below(3);
    const commit = { offset, rowCount: below(9), changes: source.bytes.subarray(start, start + size) };
    pieces.add(commit.offset, commit.rowCount, { writer: source, start, end: start + size });
    model.push(commit);
    // Now and then to the last one.
    for (let left = step % 500 === 499 ? model.length : below(2); left > 0 && model.length > 0; left--)
      expect(pieces.removeOldest()).toBe(model.shift()!.offset);
    if (step % 50 > 0) continue;
    expect(pieces.count).toBe(model.length);
    expect(pieces.bytes).toBe(model.reduce((sum, { changes }) => sum + 16 + changes.length, 0));
    for (const after of [0, model[0]?.offset ?? 0, offset - below(40), offset]) {
      const found = pieces.after(after).map((each) => ({ ...each, changes: Buffer.from(each.changes) }));
      const wanted = model.filter((each) => each.offset > after);
      expect(found.map((each) => [each.offset, each.rowCount])).toEqual(
        wanted.map((each) => [each.offset, each.rowCount]),
      );
      expect(found.every((each, i) => each.changes.equals(wanted[i]!.changes))).toBe(true);
    }
  }
  expect(model.length).toBeGreaterThan(0);
  pieces.clear();
  model = [];
  expect([pieces.count, pieces.bytes, pieces.after(0)]).toEqual([0, 0, []]);
});
