/*
 * npx tsx src/engine/live/live.bench.ts
 *
 * What a commit costs while many listen: one row of 10,000 changes, for which the constant of one subscription stands.
 * The figure is the whole transaction with deltas and dispatch; "alone" is the same without any subscription.
 * Then what many subscriptions without an equality cost, and what it costs to subscribe.
 */
import { seededRandom } from '../../base/random.js';
import { primitiveType } from '../../values/algebraic-type.js';
import { Identity } from '../../values/identity.js';
import { IDENTITY_TYPE } from '../../values/special-types.js';
import { Database } from '../database.js';
import { schemaOf, TEST_ORIGIN, testOptions } from '../testing/table-def.js';
import { LiveQueries } from './live-queries.js';

const ROWS = 10_000;
const COMMITS = 100_000;
const ROUNDS = 5;

const ownerOf = (n: number): Identity => new Identity((BigInt(n) << 64n) + 7n);

interface Bench {
  readonly database: Database;
  readonly live: LiveQueries;
  heard: number;
}

function openBench(): Bench {
  const columns = {
    id: primitiveType('u32'),
    owner: IDENTITY_TYPE,
    level: primitiveType('u32'),
    name: primitiveType('string'),
  };
  const database = new Database(
    schemaOf({ player: { columns, primaryKey: 'id', indexes: [['btree', 'owner']] } }),
    testOptions(),
  );
  const player = database.table('player');
  database.transact(TEST_ORIGIN, () => {
    for (let id = 0; id < ROWS; id++)
      player.insert({ id, owner: ownerOf(id), level: id % 100, name: `player ${id}` });
  });
  return { database, live: new LiveQueries(database), heard: 0 };
}

/** Each subscription is of a listener of its own. Gives microseconds per subscription, with its first snapshot. */
function subscribe(bench: Bench, count: number, condition: (n: number) => string): number {
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    const viewer = { identity: ownerOf(n), isOwner: false };
    const [query] = bench.live.compile(`SELECT * FROM player WHERE ${condition(n)}`, viewer);
    query!.snapshot();
    bench.live.attach({ onCommit: () => void (bench.heard += 1), onQueryError() {} }, query!);
  }
  return ((performance.now() - start) * 1000) / count;
}

/** Microseconds per commit; each changes one random row. */
function commits({ database }: Bench, count: number): number {
  const player = database.table('player');
  const random = seededRandom(7);
  const figures: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let n = 0; n < count; n++) {
      const id = random.nextUint32() % ROWS;
      const row = { id, owner: ownerOf(id), level: n % 100, name: 'somebody' };
      database.transact(TEST_ORIGIN, () => player.update(row));
    }
    figures.push(((performance.now() - start) * 1000) / count);
  }
  return figures.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

function report(name: string, micros: number, extra = ''): void {
  process.stdout.write(`${name.padEnd(56)} ${micros.toFixed(2).padStart(9)} us ${extra}\n`);
}

const alone = openBench();
commits(alone, COMMITS);
report('commit, alone', commits(alone, COMMITS));

for (const count of [1, 1000, 100_000]) {
  const bench = openBench();
  const heapBefore = heapUsed();
  report(
    `subscribe, ${count} x owner = :sender`,
    subscribe(bench, count, () => 'owner = :sender'),
  );
  const perQuery = (heapUsed() - heapBefore) / count;
  bench.heard = 0;
  const micros = commits(bench, COMMITS);
  const heard = `heard ${(bench.heard / (COMMITS * ROUNDS)).toFixed(3)} per commit, heap ${perQuery.toFixed(0)} B per subscription`;
  report(`commit, ${count} x owner = :sender`, micros, heard);
}

const noMatch = (n: number): string => `id = ${ROWS + n} AND level > 5`;
for (const count of [1000, 100_000]) {
  const bench = openBench();
  subscribe(bench, count, noMatch);
  report(
    `commit, ${count} that never match (id = n AND level > 5)`,
    commits(bench, COMMITS),
    `heard ${bench.heard}`,
  );
}

const ranges = openBench();
subscribe(ranges, 1000, (n) => `level >= 50 AND name > 'z${n}'`);
report(
  'commit, 1000 x level >= 50 AND name > … (no equality)',
  commits(ranges, 2000),
  `heard ${ranges.heard}`,
);

const same = openBench();
subscribe(same, 1000, () => 'level >= 0');
report(
  'commit, 1000 listeners of one query',
  commits(same, 10_000),
  `heard ${same.heard / (10_000 * ROUNDS)} per commit`,
);

function heapUsed(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
