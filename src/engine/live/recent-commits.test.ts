import { expect, test } from 'vitest';
import { seededRandom } from '../../base/random.js';
import { primitiveType } from '../../values/algebraic-type.js';
import type { LiveQuery, Viewer } from '../contract.js';
import { Database } from '../database.js';
import { SENDER } from '../sql/testing/arbitrary-condition.js';
import { schemaOf, TEST_ORIGIN, testOptions } from '../testing/table-def.js';
import { LiveQueries } from './live-queries.js';
import { RecentCommits } from './recent-commits.js';
import type { RecentCommitsLimits } from './recent-commits.js';

/* That replays tell what was heard is in live-queries.fuzz.test.ts; here is how far back they reach. */

const viewer: Viewer = { identity: SENDER, isOwner: false };
const LIMITS: RecentCommitsLimits = { transactionsMax: 4, bytesMax: 1_000_000 };

interface Bench {
  readonly database: Database;
  readonly recent: RecentCommits;
  readonly all: LiveQuery;
  /** Commits one row. */
  readonly insert: (id: number, text?: string) => void;
  /** The offsets of what was missed, or undefined. */
  readonly missed: (from: number) => readonly number[] | undefined;
}

function setUp(limits = LIMITS): Bench {
  const database = new Database(
    schemaOf({
      t: { columns: { id: primitiveType('u32'), text: primitiveType('string') }, primaryKey: 'id' },
    }),
    testOptions(),
  );
  const recent = new RecentCommits(seededRandom(1), limits);
  const live = new LiveQueries(database, { recent });
  const all = live.compile('SELECT * FROM t', viewer)[0]!;
  return {
    database,
    recent,
    all,
    insert: (id, text = '') =>
      void database.transact(TEST_ORIGIN, () => database.table('t').insert({ id, text })),
    missed: (from) => recent.missed(recent.epoch, from, [all])?.map(({ offset }) => offset),
  };
}

test('nothing is kept before somebody asks for it', () => {
  const { recent, insert, missed } = setUp();
  insert(1);
  expect(recent.commitCount).toBe(0);
  expect(missed(0)).toBeUndefined();
  recent.keep(1);
  insert(2);
  expect(missed(1)).toEqual([2]);
  expect(missed(0), 'the first commit was not kept').toBeUndefined();
});

test('as many transactions as the limit are told, and one more is not', () => {
  const { recent, insert, missed } = setUp();
  recent.keep(0);
  for (let id = 1; id <= 4; id++) insert(id);
  expect(missed(0)).toEqual([1, 2, 3, 4]);
  insert(5);
  expect(missed(0)).toBeUndefined();
  expect(missed(1)).toEqual([2, 3, 4, 5]);
  expect(missed(5)).toEqual([]);
});

test('as many bytes as the limit are kept, and no more', () => {
  const { recent, insert, missed } = setUp({ transactionsMax: 100, bytesMax: 3_000 });
  recent.keep(0);
  for (let id = 1; id <= 20; id++) insert(id, 'x'.repeat(500));
  expect(recent.bytes).toBeLessThanOrEqual(3_000);
  // 535 bytes each.
  expect([recent.commitCount, recent.bytes]).toEqual([5, 2675]);
  expect(missed(14)).toBeUndefined();
  expect(missed(15)).toEqual([16, 17, 18, 19, 20]);
});

test('a transaction that is larger than the limit leaves nothing behind', () => {
  const { recent, insert, missed } = setUp({ transactionsMax: 100, bytesMax: 100_000 });
  recent.keep(0);
  insert(1);
  insert(2, 'x'.repeat(200_000));
  expect([recent.commitCount, recent.bytes]).toEqual([0, 0]);
  expect(missed(1)).toBeUndefined();
  expect(missed(2)).toEqual([]);
});

test('after the last keeper has gone the history ends, but not at once', () => {
  const { recent, insert, missed } = setUp();
  const stop = recent.keep(0);
  insert(1);
  stop();
  stop();
  for (let id = 2; id <= 5; id++) insert(id);
  expect(missed(1)).toEqual([2, 3, 4, 5]);
  insert(6);
  expect(recent.commitCount).toBe(0);
  recent.keep(6);
  insert(7);
  expect(missed(5)).toBeUndefined();
  expect(missed(6)).toEqual([7]);
});

test('offsets of another epoch mean nothing', () => {
  const { recent, all, insert, missed } = setUp();
  recent.keep(0);
  insert(1);
  const before = recent.epoch;
  expect(recent.missed('another', 0, [all])).toBeUndefined();
  recent.restart(1);
  expect(recent.epoch).not.toBe(before);
  expect(recent.missed(before, 1, [all])).toBeUndefined();
  expect(missed(0)).toBeUndefined();
  insert(2);
  expect(missed(1)).toEqual([2]);
});
