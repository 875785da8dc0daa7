/*
 * npx tsx src/engine/live/live.bench.ts
 *
 * What a commit costs while many listen: one row of 10,000 changes. The figures are CPU time of the whole transaction,
 * with deltas and dispatch, median of five rounds and their range. Then what subscriptions without an equality cost,
 * and many listeners of one query. With `--expose-gc` the memory of a subscription is right, too.
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
/** One for all, so that no round repeats the changes of another. */
const random = seededRandom(7);

const owners = Array.from({ length: 100_000 }, (_, n) => new Identity((BigInt(n) << 64n) + 7n));
const ownerOf = (n: number): Identity => owners[n]!;

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

/** CPU microseconds per commit; each changes one random row. */
function commits({ database }: Bench, count: number): number {
  const player = database.table('player');
  const start = process.cpuUsage();
  for (let n = 0; n < count; n++) {
    const id = random.nextUint32() % ROWS;
    const row = { id, owner: ownerOf(id), level: n % 100, name: 'somebody' };
    database.transact(TEST_ORIGIN, () => player.update(row));
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / count;
}

function report(name: string, micros: number, extra = ''): void {
  process.stdout.write(`${name.padEnd(56)} ${micros.toFixed(2).padStart(9)} us ${extra}\n`);
}

/** Measures the contestants in turns, so that whatever else the machine does befalls all alike. */
function compare(contestants: Readonly<Record<string, Bench>>, count: number): void {
  const figures = new Map(Object.keys(contestants).map((name): [string, number[]] => [name, []]));
  for (const bench of Object.values(contestants)) commits(bench, count);
  for (const bench of Object.values(contestants)) bench.heard = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, bench] of Object.entries(contestants)) figures.get(name)!.push(commits(bench, count));
  }
  for (const [name, bench] of Object.entries(contestants)) {
    const sorted = figures.get(name)!.sort((a, b) => a - b);
    const spread = `${sorted[0]!.toFixed(2)} … ${sorted.at(-1)!.toFixed(2)}`;
    report(
      name,
      sorted[ROUNDS >> 1]!,
      `(${spread}) heard ${(bench.heard / (count * ROUNDS)).toFixed(3)} per commit`,
    );
  }
}

function listeningTo(count: number, condition: (n: number) => string): Bench {
  const bench = openBench();
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const micros = subscribe(bench, count, condition);
  globalThis.gc?.();
  const bytes = (process.memoryUsage().heapUsed - heapBefore) / count;
  if (count > 1) report(`subscribe, ${count} x ${condition(0)}`, micros, `${bytes.toFixed(0)} B each`);
  return bench;
}

const noMatch = (n: number): string => `id = ${ROWS + n} AND level > 5`;
compare(
  {
    'commit, nobody listens': openBench(),
    'commit, 1 that never matches': listeningTo(1, noMatch),
    'commit, 1000 that never match': listeningTo(1000, noMatch),
    'commit, 100000 that never match': listeningTo(100_000, noMatch),
  },
  COMMITS,
);
compare(
  {
    'commit, 10000 x owner = :sender': listeningTo(10_000, () => 'owner = :sender'),
    'commit, 100000 x owner = :sender': listeningTo(100_000, () => 'owner = :sender'),
  },
  COMMITS,
);
compare(
  { 'commit, 1000 without an equality': listeningTo(1000, (n) => `level >= 50 AND name > 'z${n}'`) },
  2000,
);
compare({ 'commit, 1000 listeners of one query': listeningTo(1000, () => 'level >= 0') }, 5000);
