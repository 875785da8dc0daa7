import { expect, test } from 'vitest';
import { seededRandom } from '../../base/random.js';
import { primitiveType } from '../../values/algebraic-type.js';
import type { LiveQuery, Viewer } from '../contract.js';
import { Database } from '../database.js';
import { SENDER } from '../sql/testing/arbitrary-condition.js';
import { schemaOf, TEST_ORIGIN, testOptions } from '../testing/table-def.js';
import { type CommitLog, MemoryLog, waitUntilDurable } from '../log/commit-log.js';
import { recoverLog } from '../log/recovery.js';
import type { TailLimits } from '../log/record-tail.js';
import { SimulatedDisk } from '../log/simulated-disk.js';
import { LiveQueries } from './live-queries.js';
import type { RecentCommits } from './recent-commits.js';

/* That replays tell what was heard is in live-queries.fuzz.test.ts; here is how far back they reach. */

const viewer: Viewer = { identity: SENDER, isOwner: false };
const LIMITS: TailLimits = { transactionsMax: 4, bytesMax: 1_000_000 };

interface Bench {
  readonly database: Database;
  readonly recent: RecentCommits;
  readonly all: LiveQuery;
  /** Commits one row. */
  readonly insert: (id: number, text?: string) => void;
  /** The offsets of what was missed, or undefined. */
  readonly missed: (from: number) => readonly number[] | undefined;
}

function setUp(limits = LIMITS, log: CommitLog = new MemoryLog()): Bench {
  const database = new Database(
    schemaOf({
      t: { columns: { id: primitiveType('u32'), text: primitiveType('string') }, primaryKey: 'id' },
    }),
    { ...testOptions(), log },
  );
  const live = new LiveQueries(database, { random: seededRandom(1), recentLimits: limits });
  const { recent } = live;
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
  const { database, recent, insert, missed } = setUp();
  insert(1);
  expect(database.log.tail!.count).toBe(0);
  expect(missed(0)).toBeUndefined();
  recent.keep();
  insert(2);
  expect(missed(1)).toEqual([2]);
  expect(missed(0), 'the first commit was not kept').toBeUndefined();
});

test('as many transactions as the limit are told, and one more is not', () => {
  const { recent, insert, missed } = setUp();
  recent.keep();
  for (let id = 1; id <= 4; id++) insert(id);
  expect(missed(0)).toEqual([1, 2, 3, 4]);
  insert(5);
  expect(missed(0)).toBeUndefined();
  expect(missed(1)).toEqual([2, 3, 4, 5]);
  expect(missed(5)).toEqual([]);
});

test('as many bytes as the limit are kept, and no more', () => {
  const { database, recent, insert, missed } = setUp({ transactionsMax: 100, bytesMax: 3_000 });
  recent.keep();
  for (let id = 1; id <= 20; id++) insert(id, 'x'.repeat(500));
  const { count, bytes } = database.log.tail!;
  expect(bytes).toBeLessThanOrEqual(3_000);
  // 532 bytes each.
  expect([count, bytes]).toEqual([5, 2660]);
  expect(missed(14)).toBeUndefined();
  expect(missed(15)).toEqual([16, 17, 18, 19, 20]);
});

test('a transaction that is larger than the limit leaves nothing behind', () => {
  const { database, recent, insert, missed } = setUp({ transactionsMax: 100, bytesMax: 100_000 });
  recent.keep();
  insert(1);
  insert(2, 'x'.repeat(200_000));
  expect([database.log.tail!.count, database.log.tail!.bytes]).toEqual([0, 0]);
  expect(missed(1)).toBeUndefined();
  expect(missed(2)).toEqual([]);
});

test('after the last keeper has gone the history ends, but not at once', () => {
  const { database, recent, insert, missed } = setUp();
  const stop = recent.keep();
  insert(1);
  stop();
  stop();
  for (let id = 2; id <= 5; id++) insert(id);
  expect(missed(1)).toEqual([2, 3, 4, 5]);
  insert(6);
  expect(database.log.tail!.count).toBe(0);
  recent.keep();
  insert(7);
  expect(missed(5)).toBeUndefined();
  expect(missed(6)).toEqual([7]);
});

test('somebody who comes before the history has ended has it go on', () => {
  const { recent, insert, missed } = setUp();
  recent.keep()();
  insert(1);
  recent.keep();
  for (let id = 2; id <= 9; id++) insert(id);
  expect(missed(5)).toEqual([6, 7, 8, 9]);
});

test('a history that begins anew while nobody listens ends, too', () => {
  const { database, recent, insert } = setUp();
  recent.keep()();
  insert(1);
  recent.restart();
  for (let id = 2; id <= 6; id++) insert(id);
  expect(database.log.tail!.count).toBe(0);
});

test('offsets of another epoch mean nothing', () => {
  const { recent, all, insert, missed } = setUp();
  recent.keep();
  insert(1);
  const before = recent.epoch;
  expect(recent.missed('another', 0, [all])).toBeUndefined();
  recent.restart();
  expect(recent.epoch).not.toBe(before);
  expect(recent.missed(before, 1, [all])).toBeUndefined();
  expect(missed(0)).toBeUndefined();
  insert(2);
  expect(missed(1)).toEqual([2]);
});

test('what is on its way to the disk is told, too, in its order, and what never gets there is not', async () => {
  const disk = new SimulatedDisk();
  const { log } = await recoverLog(disk.mount(), { databaseKey: SENDER.key });
  const { recent, database, insert, missed } = setUp({ transactionsMax: 100, bytesMax: 100_000 }, log);
  recent.keep();
  for (const id of [1, 2]) insert(id);
  expect(missed(0), 'forming').toEqual([1, 2]);
  await waitUntilDurable(log);
  expect(missed(0), 'on disk').toEqual([1, 2]);
  let refuse = (): void => {};
  const refused = new Promise<void>((_, reject) => {
    refuse = () => reject(new Error('EIO'));
  });
  disk.faults.delay = () => refused;
  insert(3);
  // The turn ends, and the batch is on its way.
  await new Promise((resolve) => setImmediate(resolve));
  insert(4);
  expect(missed(1), 'flying and forming').toEqual([2, 3, 4]);
  expect(missed(3)).toEqual([4]);
  const failed = new Promise((resolve) => log.onFailed(resolve));
  refuse();
  await failed;
  database.takeBack(log.takeBack());
  expect(missed(0)).toEqual([1, 2]);
});
