import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Commit, LiveQuery, QueryDelta, Row, Viewer } from '../contract.js';
import { Database } from '../database.js';
import { EngineError } from '../errors.js';
import {
  arbitraryCondition,
  arbitraryRow,
  SAMPLED_COLUMNS,
  SENDER,
} from '../sql/testing/arbitrary-condition.js';
import type { Condition } from '../sql/testing/arbitrary-condition.js';
import { runSql } from '../sql/select.js';
import type { Table } from '../tables/table.js';
import { schemaOf, TEST_ORIGIN, testOptions } from '../testing/table-def.js';
import type { TableSketch } from '../testing/table-def.js';
import { LiveQueries } from './live-queries.js';

/*
 * Random tables, conditions and transactions: what a listener has after applying every delta must be what asking again
 * gives, row by row and as often.
 */

const viewer: Viewer = { identity: SENDER, isOwner: false };

type Step =
  | { readonly kind: 'insert' | 'update' | 'deleteEqual'; readonly row: Row }
  | { readonly kind: 'deleteAt'; readonly place: number }
  | { readonly kind: 'clear' };

interface Transaction {
  readonly steps: readonly Step[];
  readonly isAborted: boolean;
}

interface Scenario {
  readonly sketch: TableSketch;
  readonly conditions: readonly Condition[];
  /** Which query is attached anew, or detached, before which transaction. */
  readonly toggles: readonly number[];
  readonly transactions: readonly Transaction[];
}

const scenario = fc
  .record({
    columns: fc
      .subarray(Object.keys(SAMPLED_COLUMNS).filter((name) => name !== 'id'))
      .map((others) => ['id', ...others]),
    hasKey: fc.boolean(),
    indexed: fc.array(fc.nat(), { maxLength: 3 }),
    algorithm: fc.constantFrom('btree' as const, 'hash' as const),
    isEvent: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  })
  .chain(({ columns, hasKey, indexed, algorithm, isEvent }) => {
    const usable = columns.filter((name) => name !== 'nick');
    const pairs = new Map(indexed.map((place) => [usable[place % usable.length]!, place]));
    const sketch: TableSketch = {
      columns: Object.fromEntries(columns.map((name) => [name, SAMPLED_COLUMNS[name]!.type])),
      ...(hasKey ? { primaryKey: 'id' } : {}),
      indexes: [...pairs].map(([name, place]) => {
        const second = usable[(place + 1) % usable.length]!;
        return place % 3 === 0 && second !== name ? [algorithm, name, second] : [algorithm, name];
      }),
      isEvent,
    };
    const row = arbitraryRow(columns);
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 6, arbitrary: row.map((value): Step => ({ kind: 'insert', row: value })) },
      { weight: 3, arbitrary: row.map((value): Step => ({ kind: 'update', row: value })) },
      { weight: 1, arbitrary: row.map((value): Step => ({ kind: 'deleteEqual', row: value })) },
      { weight: 3, arbitrary: fc.nat().map((place): Step => ({ kind: 'deleteAt', place })) },
      { weight: 1, arbitrary: fc.constant<Step>({ kind: 'clear' }) },
    );
    return fc.record<Scenario>({
      sketch: fc.constant(sketch),
      conditions: fc.array(arbitraryCondition(columns), { minLength: 1, maxLength: 6 }),
      toggles: fc.array(fc.nat(), { maxLength: 10 }),
      transactions: fc.array(
        fc.record({
          steps: fc.array(step, { maxLength: 8 }),
          isAborted: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
        }),
        { minLength: 1, maxLength: 8 },
      ),
    });
  });

test('the rows a listener was told of are the rows that asking again gives', () => {
  fc.assert(fc.property(scenario, runScenario), { numRuns: 300 });
});

function runScenario({ sketch, conditions, toggles, transactions }: Scenario): void {
  const database = new Database(schemaOf({ t: sketch }), testOptions());
  const live = new LiveQueries(database, {
    onListenerError: (error) => {
      throw error;
    },
  });
  const table = database.table('t');
  live.recent.keep();
  const followers = conditions.map((condition) => new Follower(live, table, condition));
  const witness = new Witness(live, conditions);
  for (const [turn, transaction] of transactions.entries()) {
    const toggled = followers[(toggles[turn] ?? 0) % followers.length]!;
    if (turn > 0 && toggles[turn] !== undefined) toggled.toggle();
    for (const follower of followers) follower.calls = 0;
    runTransaction(database, table, transaction);
    for (const follower of followers) follower.check(database);
  }
  witness.checkReplays(live, database.log.lastOffset);
  witness.detach();
  for (const follower of followers) if (follower.isAttached) follower.toggle();
  expect(live.queryCount).toBe(0);
}

function runTransaction(database: Database, table: Table, { steps, isAborted }: Transaction): void {
  try {
    database.transact(TEST_ORIGIN, () => {
      for (const step of steps) runStep(table, step);
      if (isAborted) throw new Error('taken back');
    });
  } catch (error) {
    if (!isAborted || (error as Error).message !== 'taken back') throw error;
  }
}

function runStep(table: Table, step: Step): void {
  const rows = table.rows();
  try {
    if (step.kind === 'insert') table.insert(step.row);
    if (step.kind === 'update') table.update(step.row);
    if (step.kind === 'deleteEqual') table.deleteRow(step.row);
    if (step.kind === 'deleteAt' && rows.length > 0) table.deleteRow(rows[step.place % rows.length]!);
    if (step.kind === 'clear') table.clear();
  } catch (error) {
    // A refused change changed nothing; the transaction goes on.
    if (!(error instanceof EngineError)) throw error;
  }
}

/** One listener of one query, who believes what he is told. */
class Follower {
  calls = 0;
  readonly #live: LiveQueries;
  readonly #table: Table;
  readonly #condition: Condition;
  readonly #query: LiveQuery;
  #rows = new Map<string, number>();
  #detach: (() => void) | undefined;

  constructor(live: LiveQueries, table: Table, condition: Condition) {
    this.#live = live;
    this.#table = table;
    this.#condition = condition;
    this.#query = live.compile(`SELECT * FROM t WHERE ${condition.sql}`, viewer)[0]!;
    this.toggle();
  }

  get isAttached(): boolean {
    return this.#detach !== undefined;
  }

  toggle(): void {
    if (this.#detach !== undefined) {
      this.#detach();
      this.#detach = undefined;
      return;
    }
    this.#rows = bagOf(this.#query.snapshot().rows);
    this.#detach = this.#live.attach(this, this.#query);
  }

  onCommit(commit: Commit, deltas: readonly QueryDelta[]): void {
    this.calls += 1;
    expect(this.calls, 'one call per commit').toBe(1);
    expect(deltas.map(({ query }) => query)).toEqual([this.#query]);
    const [{ inserts, deletes, isEvent }] = deltas as [QueryDelta];
    expect(inserts.length + deletes.length, 'only commits that matter').toBeGreaterThan(0);
    const [gone, come] = [bagOf(deletes), bagOf(inserts)];
    for (const row of gone.keys()) expect(come.has(row), 'no row on both sides').toBe(false);
    if (isEvent) {
      expect(deletes).toEqual([]);
      expect(come).toEqual(this.#expectedOf(commit.deltas[0]!.inserts.map(({ row }) => row)));
      return;
    }
    for (const [row, count] of gone) this.#change(row, -count);
    for (const [row, count] of come) this.#change(row, count);
  }

  onQueryError(_query: LiveQuery, message: string): void {
    throw new Error(message);
  }

  check(database: Database): void {
    const expected = this.#expectedOf(this.#table.rows());
    if (this.isAttached) expect(this.#rows).toEqual(expected);
    expect(bagOf(this.#query.snapshot().rows)).toEqual(expected);
    const sql = `SELECT COUNT(*) AS n FROM t WHERE ${this.#condition.sql}`;
    expect(runSql(database, sql, viewer).rows).toEqual([
      [BigInt([...expected.values()].reduce((a, b) => a + b, 0))],
    ]);
  }

  #expectedOf(rows: readonly Row[]): Map<string, number> {
    return bagOf(
      rows.filter((row) => this.#condition.isTrueOf(row)).map((row) => this.#table.encodeRow(row)),
    );
  }

  #change(row: string, by: number): void {
    const count = (this.#rows.get(row) ?? 0) + by;
    expect(count, 'nothing is taken that was not given').toBeGreaterThanOrEqual(0);
    if (count === 0) this.#rows.delete(row);
    else this.#rows.set(row, count);
  }
}

/** Hears of everything from the first commit on: what replays must repeat. */
class Witness {
  readonly #heard: { readonly offset: number; readonly text: string }[] = [];
  readonly #queries: readonly LiveQuery[];
  readonly #detachers: readonly (() => void)[];

  constructor(live: LiveQueries, conditions: readonly Condition[]) {
    const texts = conditions.map(({ sql }) => `SELECT * FROM t WHERE ${sql}`);
    this.#queries = [...new Set(texts.flatMap((sql) => live.compile(sql, viewer)))];
    this.#detachers = this.#queries.map((query) => live.attach(this, query));
  }

  onCommit({ offset }: Commit, deltas: readonly QueryDelta[]): void {
    this.#heard.push({ offset, text: this.#describe(deltas) });
  }

  onQueryError(_query: LiveQuery, message: string): void {
    throw new Error(message);
  }

  detach(): void {
    for (const detach of this.#detachers) detach();
  }

  /** From each offset on, the replay is what was heard. */
  checkReplays(live: LiveQueries, last: number): void {
    for (let from = 0; from <= last; from++) {
      const missed = live.recent.missed(live.recent.epoch, from, this.#queries) ?? [];
      expect(missed.map(({ offset, deltas }) => ({ offset, text: this.#describe(deltas) }))).toEqual(
        this.#heard.filter(({ offset }) => offset > from),
      );
    }
  }

  #describe(deltas: readonly QueryDelta[]): string {
    const hex = (rows: readonly Uint8Array[]): string =>
      rows.map((row) => Buffer.from(row).toString('hex')).join();
    return deltas
      .map(
        ({ query, isEvent, inserts, deletes }) =>
          `${this.#queries.indexOf(query)} ${isEvent} +${hex(inserts)} -${hex(deletes)}`,
      )
      .toSorted()
      .join('; ');
  }
}

function bagOf(rows: readonly Uint8Array[]): Map<string, number> {
  const bag = new Map<string, number>();
  for (const row of rows) {
    const key = Buffer.from(row).toString('hex');
    bag.set(key, (bag.get(key) ?? 0) + 1);
  }
  return bag;
}
