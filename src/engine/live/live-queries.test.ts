import { beforeEach, describe, expect, test } from 'vitest';
import { primitiveType } from '../../values/algebraic-type.js';
import { Identity } from '../../values/identity.js';
import { IDENTITY_TYPE } from '../../values/special-types.js';
import type { Commit, LiveListener, LiveQuery, QueryDelta, Row, Viewer } from '../contract.js';
import { decodeFromBytes } from '../../values/bsatn/codec.js';
import { Database } from '../database.js';
import { MemoryLog } from '../log/commit-log.js';
import { SqlError } from '../sql/sql-error.js';
import type { Table } from '../tables/table.js';
import { schemaOf, TEST_ORIGIN, testOptions } from '../testing/table-def.js';
import { LiveQueries } from './live-queries.js';
import type { LiveDatabase } from './live-queries.js';

const [ADA, BOB] = [new Identity(1n), new Identity(2n)];
const ada: Viewer = { identity: ADA, isOwner: false };
const bob: Viewer = { identity: BOB, isOwner: false };
const owner: Viewer = { identity: ADA, isOwner: true };

const schema = schemaOf({
  player: {
    columns: {
      id: primitiveType('u32'),
      name: primitiveType('string'),
      level: primitiveType('u32'),
      owner: IDENTITY_TYPE,
    },
    primaryKey: 'id',
    indexes: [['btree', 'level']],
  },
  note: { columns: { text: primitiveType('string') } },
  secret: { columns: { text: primitiveType('string') }, isPublic: false },
  shout: { columns: { text: primitiveType('string') }, isEvent: true },
});

let database: Database;
let live: LiveQueries;
let player: Table;
let trace: string[];

beforeEach(() => {
  trace = [];
  detaches = [];
  database = new Database(schema, testOptions());
  live = new LiveQueries(database, { onListenerError: (error) => trace.push(`thrown: ${String(error)}`) });
  player = database.table('player');
});

describe('a listener', () => {
  test('hears of rows that come, change and go', () => {
    follow('a', 'SELECT * FROM player');
    commit(() => addPlayer(1, 'ada', 5));
    commit(() => player.update({ ...playerRow(1, 'Ada', 5) }));
    commit(() => player.clear());
    expect(trace).toEqual([
      'a + 1 ada 5',
      'a - 1 ada 5, + 1 Ada 5',
      'a - 1 Ada 5',
    ]); // prettier-ignore
  });

  test('sees a row that changes into its condition come, and out of it go', () => {
    follow('a', 'SELECT * FROM player WHERE level >= 5');
    commit(() => addPlayer(1, 'ada', 4));
    commit(() => player.update(playerRow(1, 'ada', 5)));
    commit(() => player.update(playerRow(1, 'ada', 3)));
    expect(trace).toEqual(['a + 1 ada 5', 'a - 1 ada 5']);
  });

  test('hears nothing of what a transaction took back, nor of what it changed and changed again', () => {
    commit(() => addPlayer(1, 'ada', 5));
    follow('a', 'SELECT * FROM player');
    expect(() => commit(() => fail(addPlayer(2, 'bob', 1)))).toThrow('taken back');
    commit(() => {
      player.deleteRow(playerRow(1, 'ada', 5));
      addPlayer(1, 'ada', 5);
      addPlayer(2, 'bob', 1);
      player.deleteRow(playerRow(2, 'bob', 1));
    });
    commit(() => {});
    expect(trace).toEqual([]);
  });

  test('gets all of its queries in one call per commit', () => {
    const listener = new Tracer('a');
    for (const sql of [
      'SELECT * FROM player',
      'SELECT * FROM note',
      'SELECT * FROM player WHERE level = 5',
    ]) {
      live.attach(listener, queryOf(sql));
    }
    commit(() => {
      addPlayer(1, 'ada', 5);
      database.table('note').insert({ text: 'hi' });
    });
    expect(trace).toHaveLength(1);
    expect(listener.lastQueries).toEqual([
      'SELECT * FROM player',
      'SELECT * FROM player WHERE level = 5',
      'SELECT * FROM note',
    ].toSorted()); // prettier-ignore
  });

  test('who attached a query twice hears of it once, until he detached twice', () => {
    const listener = new Tracer('a');
    const query = queryOf('SELECT * FROM player');
    const [first, second] = [live.attach(listener, query), live.attach(listener, query)];
    commit(() => addPlayer(1, 'ada', 5));
    first();
    first();
    commit(() => addPlayer(2, 'bob', 5));
    second();
    commit(() => addPlayer(3, 'eve', 5));
    expect(trace).toEqual(['a + 1 ada 5', 'a + 2 bob 5']);
  });

  test('who detaches another in the middle of a commit silences him at once', () => {
    let detachB = (): void => {};
    const a = new Tracer('a', () => detachB());
    const query = queryOf('SELECT * FROM player');
    live.attach(a, query);
    detachB = live.attach(new Tracer('b'), query);
    commit(() => addPlayer(1, 'ada', 5));
    expect(trace).toEqual(['a + 1 ada 5']);
  });

  test('who throws keeps nobody else from hearing', () => {
    const query = queryOf('SELECT * FROM player');
    live.attach(new Tracer('a', () => fail()), query);
    live.attach(new Tracer('b'), query);
    commit(() => addPlayer(1, 'ada', 5));
    expect(trace).toEqual(['a + 1 ada 5', 'thrown: Error: taken back', 'b + 1 ada 5']);
    expect(player.count).toBe(1);
  });

  test('sees events as they pass, and none of them in a snapshot', () => {
    const query = follow('a', "SELECT * FROM shout WHERE text <> 'psst'");
    commit(() => {
      for (const text of ['hey', 'psst']) database.table('shout').insert({ text });
    });
    expect(trace).toEqual(['a event + hey']);
    expect(query.snapshot().rows).toEqual([]);
  });
});

describe('equal queries', () => {
  test('are one object, however they are written', () => {
    const query = queryOf("SELECT * FROM player WHERE level = 5 AND NOT name = 'x'");
    expect(queryOf(`select p.* from "player" p where (p.name <> 'x') and 5 = p.level`)).toBe(query);
    expect(queryOf("SELECT * FROM player WHERE level = 6 AND NOT name = 'x'")).not.toBe(query);
  });

  test('stay one object when nobody listens any more', () => {
    const query = follow('a', 'SELECT * FROM note');
    detachAll();
    expect(live.queryCount).toBe(0);
    expect(queryOf('SELECT * FROM note')).toBe(query);
  });

  test('with :sender are as many as senders', () => {
    const sql = 'SELECT * FROM player WHERE owner = :sender';
    expect(queryOf(sql, ada)).toBe(queryOf(sql, ada));
    expect(queryOf(sql, ada)).not.toBe(queryOf(sql, bob));
    follow('a', sql, ada);
    follow('b', sql, bob);
    commit(() => addPlayer(1, 'x', 1, BOB));
    expect(trace).toEqual(['b + 1 x 1']);
  });

  test('share what is computed of a delta and of a snapshot', () => {
    const key = Symbol('encoding');
    let count = 0;
    const encode = (): number => ++count;
    const query = queryOf('SELECT * FROM player');
    for (let n = 0; n < 3; n++) {
      const onCommit = (_commit: Commit, [delta]: readonly QueryDelta[]): void =>
        void delta!.memo(key, encode);
      live.attach({ onCommit, onQueryError() {} }, query);
    }
    commit(() => addPlayer(1, 'ada', 5));
    expect(count).toBe(1);
    expect([query.snapshot().memo(key, encode), query.snapshot().memo(key, encode)]).toEqual([2, 2]);
  });
});

describe('a snapshot', () => {
  test('is kept until its table changes, not for changes of other tables', () => {
    const query = queryOf('SELECT * FROM player WHERE level = 5');
    const first = query.snapshot();
    commit(() => database.table('note').insert({ text: 'hi' }));
    expect(query.snapshot()).toBe(first);
    commit(() => addPlayer(1, 'ada', 5));
    expect(query.snapshot()).not.toBe(first);
    expect(query.snapshot().rows.map((row) => showRow(query, row))).toEqual(['1 ada 5']);
  });

  test('cannot be asked for while a transaction is open', () => {
    const query = queryOf('SELECT * FROM player');
    expect(() => commit(() => query.snapshot())).toThrow('between transactions');
  });
});

describe('private tables', () => {
  test('do not exist for others than the owner', () => {
    expect(() => live.compile('SELECT * FROM secret', ada)).toThrow(SqlError);
    expect(live.compile('SELECT * FROM secret', owner)).toHaveLength(1);
    const tables = (viewer: Viewer): string[] =>
      live.compile('SELECT * FROM *', viewer).map(({ table }) => table.name);
    expect(tables(ada)).toEqual(['player', 'note', 'shout']);
    expect(tables(owner)).toEqual(['player', 'note', 'secret', 'shout']);
  });

  test('a query of all tables is the queries of each', () => {
    expect(live.compile('SELECT * FROM *', ada)[1]).toBe(queryOf('SELECT * FROM note'));
  });
});

describe('when the schema is replaced', () => {
  test('by an equal one, queries go on', () => {
    follow('a', "SELECT * FROM player WHERE name = 'ada'");
    database.replaceSchema(structuredClone(schema));
    live.schemaReplaced();
    commit(() => addPlayer(1, 'ada', 5));
    expect(trace).toEqual(['a + 1 ada 5']);
  });

  test('by one that hides a table or loses a column, queries of it end', () => {
    const fake = new FakeDatabase(schema);
    live = new LiveQueries(fake);
    const ended = ['SELECT * FROM note', 'SELECT * FROM player WHERE level = 1'];
    for (const sql of [...ended, 'SELECT * FROM shout']) follow('a', sql);
    follow('o', 'SELECT * FROM secret', owner);
    fake.schema = {
      ...schema,
      tables: schema.tables.map((table) => ({
        ...table,
        isPublic: table.isPublic && table.name !== 'note',
        columns: table.columns.filter(({ name }) => name !== 'level'),
      })),
    };
    live.schemaReplaced();
    expect(trace).toEqual([
      'a lost SELECT * FROM note: no such table: `note`. If the table exists, it may be marked private. (at 1:15)',
      'a lost SELECT * FROM player WHERE level = 1: `level` is not in scope (at 1:28)',
    ]);
    expect(live.queryCount).toBe(2);
  });
});

describe('a query that fails while a row is looked at', () => {
  const [note, playerDef] = [schema.tables[1]!, schema.tables[0]!];

  test.each([
    ['found by its constant', 'SELECT * FROM player WHERE owner = :sender'],
    ['tested with every row', 'SELECT * FROM player WHERE owner > :sender'],
  ])('%s ends for everybody, before the others hear of the commit', (_name, sql) => {
    const fake = new FakeDatabase(schema);
    live = new LiveQueries(fake);
    follow('a', sql);
    follow('b', sql);
    follow('c', 'SELECT * FROM note');
    const broken = { row: { id: 1, name: 'x', level: 1, owner: undefined }, bytes: Uint8Array.of() };
    const fine = { row: { text: 'hi' }, bytes: Uint8Array.of(2, 0, 0, 0, 104, 105) };
    const deltas = [
      { table: playerDef, deletes: [], inserts: [broken] },
      { table: note, deletes: [], inserts: [fine] },
    ];
    fake.observer({ offset: 1, origin: TEST_ORIGIN, deltas });
    expect(trace.map((line) => line.replace(/: Cannot read .*/, ''))).toEqual([
      `a lost ${sql}`,
      `b lost ${sql}`,
      'c + hi',
    ]);
    trace.length = 0;
    fake.observer({ offset: 2, origin: TEST_ORIGIN, deltas });
    expect(trace).toEqual(['c + hi']);
    detachAll();
    expect(live.queryCount).toBe(0);
  });
});

test('identities that are equal in their low 64 bits are told apart, and 10,000 of them file in linear time', () => {
  const identity = (n: number): Identity => new Identity((BigInt(n) << 64n) + 7n);
  const sql = 'SELECT * FROM player WHERE owner = :sender';
  for (let n = 0; n < 10_000; n++) follow(`p${n}`, sql, { identity: identity(n), isOwner: false });
  commit(() => addPlayer(1, 'x', 1, identity(9_999)));
  expect(trace).toEqual(['p9999 + 1 x 1']);
});

/** A database that says what the test wants. */
class FakeDatabase implements LiveDatabase {
  readonly inTransaction = false;
  readonly log = new MemoryLog();
  schema: LiveDatabase['schema'];
  observer: (commit: Commit) => void = () => {};

  constructor(initial: LiveDatabase['schema']) {
    this.schema = initial;
  }

  table(name: string): ReturnType<LiveDatabase['table']> {
    return database.table(name);
  }

  setCommitObserver(observer: (commit: Commit) => void): void {
    this.observer = observer;
  }
}

/** Writes down what it hears, one line per commit. */
class Tracer implements LiveListener {
  lastQueries: string[] = [];
  readonly #name: string;
  readonly #then: () => void;

  constructor(name: string, then: () => void = () => {}) {
    this.#name = name;
    this.#then = then;
  }

  onCommit(_commit: Commit, deltas: readonly QueryDelta[]): void {
    this.lastQueries = deltas.map(({ query }) => query.sql).toSorted();
    const rows = deltas.flatMap(({ query, deletes, inserts, isEvent }) => [
      ...deletes.map((row) => `- ${showRow(query, row)}`),
      ...inserts.map((row) => `${isEvent ? 'event ' : ''}+ ${showRow(query, row)}`),
    ]);
    trace.push(`${this.#name} ${rows.join(', ')}`);
    this.#then();
  }

  onQueryError(query: LiveQuery, message: string): void {
    trace.push(`${this.#name} lost ${query.sql}: ${message}`);
  }
}

let detaches: (() => void)[] = [];

function follow(name: string, sql: string, viewer = ada): LiveQuery {
  const query = queryOf(sql, viewer);
  detaches.push(live.attach(new Tracer(name), query));
  return query;
}

function detachAll(): void {
  for (const detach of detaches) detach();
  detaches = [];
}

function queryOf(sql: string, viewer = ada): LiveQuery {
  const [query, ...more] = live.compile(sql, viewer);
  expect(more).toEqual([]);
  return query!;
}

function commit(body: () => unknown): void {
  database.transact(TEST_ORIGIN, () => void body());
}

function fail(_after?: unknown): never {
  throw new Error('taken back');
}

function playerRow(id: number, name: string, level: number, of = ADA): Row {
  return { id, name, level, owner: of };
}

function addPlayer(id: number, name: string, level: number, of = ADA): Row {
  return player.insert(playerRow(id, name, level, of));
}

function showRow(query: LiveQuery, bytes: Uint8Array): string {
  const row = decodeFromBytes(database.table(query.table.name).codec, bytes);
  return Object.values(row)
    .filter((value) => !(value instanceof Identity))
    .join(' ');
}
