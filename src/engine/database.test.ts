import { describe, expect, test } from 'vitest';
import { arrayType, primitiveType } from '../values/algebraic-type.js';
import { IDENTITY_TYPE, optionType } from '../values/special-types.js';
import { Identity } from '../values/identity.js';
import type { Commit, Row, TableDelta } from './contract.js';
import { Database } from './database.js';
import { EngineError } from './errors.js';
import { SchemaError } from './schema-check.js';
import type { DatabaseSchema } from './schema.js';
import { RecordingLog, schemaOf, TEST_ORIGIN, testOptions } from './testing/table-def.js';
import type { KeyRange } from './tables/ordered-keys.js';
import type { TableSketch } from './testing/table-def.js';

const u64 = primitiveType('u64');
const u32 = primitiveType('u32');
const string = primitiveType('string');

const PLAYER: TableSketch = {
  columns: { id: u64, name: string, level: u32 },
  primaryKey: 'id',
  unique: [['name']],
  indexes: [['btree', 'level']],
  autoInc: 'id',
};
const EDGE: TableSketch = { columns: { from: u32, to: u32 }, indexes: [['btree', 'from', 'to']] };
const EVENT: TableSketch = { columns: { id: u32, text: string }, primaryKey: 'id', isEvent: true };
const SCHEMA = schemaOf({ player: PLAYER, edge: EDGE, shout: EVENT });

function open(schema: DatabaseSchema = SCHEMA): {
  database: Database;
  log: RecordingLog;
  run: <R>(body: () => R) => R;
  commitOf: (body: () => unknown) => Commit;
} {
  const log = new RecordingLog();
  const database = new Database(schema, testOptions(log));
  const transact = <R>(body: () => R) => database.transact(TEST_ORIGIN, body);
  return {
    database,
    log,
    run: (body) => transact(body).result,
    commitOf: (body) => transact(body).commit,
  };
}

const ada = { id: 1n, name: 'ada', level: 3 };
const bob = { id: 2n, name: 'bob', level: 3 };

/** One line per change: `- player {...}`. */
function trace(deltas: readonly TableDelta[]): string[] {
  const line = (sign: string, table: string, row: Row): string =>
    `${sign} ${table} ${Object.values(row).map(String).join(' ')}`;
  return deltas.flatMap(({ table, deletes, inserts }) => [
    ...deletes.map(({ row }) => line('-', table.name, row)),
    ...inserts.map(({ row }) => line('+', table.name, row)),
  ]);
}

function codeOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof EngineError) return `${error.code} ${error.errno}`;
    throw error;
  }
  return 'no error';
}

describe('rows', () => {
  test('an inserted row is found by primary key, unique column and ordered index', () => {
    const { database, run } = open();
    const player = database.table('player');
    run(() => [player.insert(ada), player.insert(bob)]);
    expect(player.uniqueIndex('id').find(1n)).toEqual(ada);
    expect(player.uniqueIndex('name').find('bob')).toEqual(bob);
    expect(player.index('level').filter([3])).toEqual([ada, bob]);
    expect([...player]).toEqual([ada, bob]);
    expect(player.count).toBe(2);
  });

  test('an update by primary key moves the row in the indexes of the columns that changed', () => {
    const { database, run } = open();
    const player = database.table('player');
    run(() => player.insert(ada));
    run(() => player.update({ ...ada, level: 9 }));
    expect(player.index('level').filter([3])).toEqual([]);
    expect(player.index('level').filter([9])).toEqual([{ ...ada, level: 9 }]);
  });

  test('an update by another unique index may change the primary key', () => {
    const { database, run, commitOf } = open();
    const player = database.table('player');
    run(() => player.insert(ada));
    const commit = commitOf(() => player.uniqueIndex('name').update({ ...ada, id: 7n }));
    expect(trace(commit.deltas)).toEqual(['- player 1 ada 3', '+ player 7 ada 3']);
    expect(player.uniqueIndex('id').find(1n)).toBeUndefined();
    expect(player.uniqueIndex('id').find(7n)).toEqual({ ...ada, id: 7n });
  });

  test('a row is deleted only when every column is equal', () => {
    const { database, run } = open();
    const player = database.table('player');
    run(() => player.insert(ada));
    expect(run(() => player.deleteRow({ ...ada, level: 4 }))).toBe(false);
    expect(run(() => player.deleteRow(ada))).toBe(true);
    expect(player.count).toBe(0);
  });

  test('a table without unique constraints is a set', () => {
    const { database, run, commitOf } = open();
    const edge = database.table('edge');
    run(() => edge.insert({ from: 1, to: 2 }));
    expect(commitOf(() => edge.insert({ from: 1, to: 2 })).deltas).toEqual([]);
    expect(edge.count).toBe(1);
    expect(run(() => edge.deleteRow({ from: 1, to: 2 }))).toBe(true);
    expect(edge.count).toBe(0);
  });

  test('an identical row in a table with a unique constraint violates it', () => {
    const { database, run } = open();
    run(() => database.table('player').insert(ada));
    expect(codeOf(() => run(() => database.table('player').insert(ada)))).toBe('UniqueAlreadyExists 12');
  });

  test('iteration shows the rows as they were when it began', () => {
    const { database, run } = open();
    const edge = database.table('edge');
    run(() => edge.insert({ from: 1, to: 1 }));
    run(() => {
      for (const row of edge) {
        edge.deleteRow(row);
        edge.insert({ from: 1, to: (row['to'] as number) + 1 });
      }
    });
    expect([...edge]).toEqual([{ from: 1, to: 2 }]);
  });

  test.each([
    ['a hash index by part of its columns', 'edge_to_from_idx_hash', [1], undefined],
    [
      'a hash index by range',
      'edge_to_from_idx_hash',
      [1],
      { from: { kind: 'unbounded' }, to: { kind: 'unbounded' } },
    ],
  ] as const)('asking %s gives WrongIndexAlgo', (_name, index, prefix, range) => {
    const { database } = open(
      schemaOf({ edge: { columns: { from: u32, to: u32 }, indexes: [['hash', 'to', 'from']] } }),
    );
    expect(codeOf(() => database.table('edge').index(index).filter(prefix, range))).toBe('WrongIndexAlgo 10');
  });

  test('an ordered index finds by value, by first columns and by range, also an empty or inverted one', () => {
    const { database, run } = open();
    const edge = database.table('edge');
    run(() => {
      for (const from of [1, 2]) for (const to of [5, 6, 7]) edge.insert({ from, to });
    });
    const index = edge.index('edge_from_to_idx_btree');
    const found = (prefix: readonly unknown[], range?: KeyRange): string =>
      index
        .filter(prefix, range)
        .map((row) => `${String(row['from'])}${String(row['to'])}`)
        .join(' ');
    const unbounded = { kind: 'unbounded' } as const;
    expect(found([])).toBe('15 16 17 25 26 27');
    expect(found([2])).toBe('25 26 27');
    expect(found([1, 6])).toBe('16');
    expect(found([1], { from: { kind: 'included', value: 6 }, to: unbounded })).toBe('16 17');
    expect(found([1], { from: unbounded, to: { kind: 'excluded', value: 6 } })).toBe('15');
    expect(found([], { from: { kind: 'excluded', value: 1 }, to: { kind: 'included', value: 2 } })).toBe(
      '25 26 27',
    );
    expect(found([1], { from: { kind: 'included', value: 9 }, to: { kind: 'included', value: 2 } })).toBe('');
    expect(found([1], { from: { kind: 'excluded', value: 6 }, to: { kind: 'excluded', value: 6 } })).toBe('');
    expect(codeOf(() => found(['x']))).toBe('BsatnDecodeError 3');
  });

  test('what the caller does to his row or to its nested values afterwards changes nothing', () => {
    const { database, run } = open(
      schemaOf({
        bag: { columns: { id: u32, data: arrayType(primitiveType('u8')), tags: arrayType(string) } },
      }),
    );
    const bag = database.table('bag');
    const row = { id: 1, data: new Uint8Array([1, 2]), tags: ['a'] };
    run(() => bag.insert(row));
    row.data[0] = 9;
    row.tags.push('b');
    row.id = 2;
    expect([...bag]).toEqual([{ id: 1, data: new Uint8Array([1, 2]), tags: ['a'] }]);
  });

  test('values that are the same on the wire are stored the same', () => {
    const { database, run } = open(
      schemaOf({
        mixed: {
          columns: { f: primitiveType('f32'), s: string, o: optionType(u32) },
          indexes: [['hash', 's']],
        },
      }),
    );
    const mixed = database.table('mixed');
    const stored = run(() => mixed.insert({ f: 0.1, s: '\ud800', o: null }));
    expect(stored).toEqual({ f: Math.fround(0.1), s: '\ufffd', o: undefined });
    expect(run(() => mixed.deleteRow({ f: 0.1, s: '\ufffd' }))).toBe(true);
  });
});

test.each([[['speed']], [['speed', 'id']]] as const)(
  'NaN in an ordered index over %j goes as it came',
  (indexed) => {
    const columns = { id: u32, speed: primitiveType('f64') };
    const { database, run } = open(schemaOf({ t: { columns, indexes: [['btree', ...indexed]] } }));
    const table = database.table('t');
    run(() => [1, Number.NaN, 0].map((speed, id) => table.insert({ id, speed })));
    const index = [...table.indexes.values()][0]!;
    const found = (range?: KeyRange): unknown[] => index.filter([], range).map(({ id }) => id);
    expect(found()).toEqual([2, 0, 1]);
    const from = { kind: 'excluded', value: 0 } as const;
    expect(found({ from, to: { kind: 'unbounded' } })).toEqual([0, 1]);
    expect(index.filter([Number.NaN])).toHaveLength(1);
    expect(() =>
      run(() => {
        table.clear();
        throw new Error('taken back');
      }),
    ).toThrow('taken back');
    expect(found()).toEqual([2, 0, 1]);
    run(() => table.deleteRow({ id: 1, speed: Number.NaN }));
    expect(found()).toEqual([2, 0]);
  },
);

describe('transactions', () => {
  test('a throw takes everything back, in every index', () => {
    const { database, run } = open();
    const player = database.table('player');
    run(() => player.insert(ada));
    const attempt = () =>
      run(() => {
        player.update({ ...ada, level: 8 });
        player.deleteRow({ ...ada, level: 8 });
        player.insert({ id: 5n, name: 'ada', level: 1 });
        throw new Error('no');
      });
    expect(attempt).toThrow('no');
    expect(database.inTransaction).toBe(false);
    expect([...player]).toEqual([ada]);
    expect(player.uniqueIndex('name').find('ada')).toEqual(ada);
    expect(player.index('level').filter([])).toEqual([ada]);
  });

  test('deltas hold the net change', () => {
    const { database, run, commitOf } = open();
    const player = database.table('player');
    run(() => [player.insert(ada), player.insert(bob)]);
    const commit = commitOf(() => {
      player.deleteRow(ada);
      player.insert(ada);
      player.insert({ id: 3n, name: 'eve', level: 1 });
      player.uniqueIndex('id').delete(3n);
      player.update({ ...bob, level: 4 });
      player.update({ ...bob, level: 5 });
    });
    expect(trace(commit.deltas)).toEqual(['- player 2 bob 3', '+ player 2 bob 5']);
  });

  test('a row that comes back in another cell, by moving primary keys, is no change', () => {
    const { database, run, commitOf } = open();
    const player = database.table('player');
    run(() => [player.insert(ada), player.insert({ ...bob, level: 3 })]);
    const byName = player.uniqueIndex('name');
    const commit = commitOf(() => {
      player.update({ ...ada, name: 'eve' });
      byName.update({ id: 9n, name: 'eve', level: 3 });
      byName.update({ ...bob, id: 1n });
      player.update(ada);
    });
    expect([...player]).toEqual([ada, { id: 9n, name: 'eve', level: 3 }]);
    expect(trace(commit.deltas)).toEqual(['- player 2 bob 3', '+ player 9 eve 3']);
  });

  test('clear deletes all, and is taken back whole', () => {
    const { database, run, commitOf } = open();
    const player = database.table('player');
    run(() => [player.insert(ada), player.insert(bob)]);
    expect(() =>
      run(() => {
        expect(player.clear()).toBe(2);
        throw new Error('no');
      }),
    ).toThrow('no');
    expect([...player]).toEqual([ada, bob]);
    expect(trace(commitOf(() => player.clear()).deltas)).toEqual(['- player 1 ada 3', '- player 2 bob 3']);
  });

  test('a refused change leaves the transaction able to go on', () => {
    const { database, run, commitOf } = open();
    const player = database.table('player');
    run(() => player.insert(ada));
    const commit = commitOf(() => {
      expect(() => player.insert({ id: 0n, name: 'ada', level: 1 })).toThrow(EngineError);
      expect(() => player.update({ ...ada, level: -1 })).toThrow(EngineError);
      player.insert(bob);
    });
    expect(trace(commit.deltas)).toEqual(['+ player 2 bob 3']);
  });

  test('bytes handed out stay as they are when later transactions reuse the buffer', () => {
    const { database, commitOf } = open();
    const player = database.table('player');
    const commits = Array.from({ length: 3000 }, (_, n) =>
      commitOf(() =>
        player.insert({ id: BigInt(n + 1), name: `player ${n} ${'x'.repeat(n % 97)}`, level: n }),
      ),
    );
    for (const { deltas } of commits) {
      const { row, bytes } = deltas[0]!.inserts[0]!;
      expect(bytes).toEqual(player.encodeRow(row));
    }
  });

  test('an update back to what was there is no change', () => {
    const { database, run, commitOf } = open();
    const player = database.table('player');
    run(() => player.insert(ada));
    const commit = commitOf(() => [player.update({ ...ada, level: 4 }), player.update(ada)]);
    expect(commit).toMatchObject({ offset: 1, deltas: [] });
  });

  test('the log hears of all rows, and transactions share a buffer until it is full', () => {
    const { database, log, commitOf } = open();
    const buffers = new Set<ArrayBufferLike>();
    const rows: Uint8Array[] = [];
    // Rows of 8 bytes, 32 KB in all, of a buffer of 64.
    for (let to = 0; to < 4000; to++) {
      const { deltas } = commitOf(() => database.table('edge').insert({ from: 1, to }));
      const { bytes } = deltas[0]!.inserts[0]!;
      buffers.add(bytes.buffer);
      rows.push(bytes);
    }
    expect(log.records.map(({ changes }) => changes)).toEqual(
      rows.map((row) => [{ table: 'edge', deletes: [], inserts: [row] }]),
    );
    expect(buffers.size).toBe(1);
  });

  test('a transaction that changes nothing is not logged and has the offset of the last one', () => {
    const { database, log, run, commitOf } = open();
    run(() => database.table('player').insert(ada));
    expect(commitOf(() => 7)).toMatchObject({ offset: 1, deltas: [] });
    expect(log.records).toHaveLength(1);
  });

  test('the observer hears of a commit after the log has it and before transact returns', () => {
    const { database, log, run } = open();
    const heard: string[] = [];
    database.setCommitObserver((commit) => {
      heard.push(
        `${commit.offset}/${log.lastOffset} open=${database.inTransaction}`,
        ...trace(commit.deltas),
      );
    });
    run(() => database.table('player').insert(ada));
    expect(heard).toEqual(['1/1 open=false', '+ player 1 ada 3']);
  });

  test('a transaction that the log refuses is taken back', () => {
    const { database, log, run } = open();
    log.refusal = new Error('disk full');
    expect(() => run(() => database.table('player').insert(ada))).toThrow('disk full');
    expect(database.table('player').count).toBe(0);
    log.refusal = undefined;
    run(() => database.table('player').insert(ada));
    expect(log.records).toHaveLength(1);
  });

  test('a function that returns a promise is refused and taken back', () => {
    const { database, run } = open();
    const attempt = () =>
      run(async () => {
        database.table('player').insert(ada);
        throw new Error('a rejection that nobody handles');
      });
    expect(attempt).toThrow(
      'a transaction is synchronous: its function must not be async or return a promise',
    );
    expect(database.table('player').count).toBe(0);
  });

  test('transactions do not nest, and an observer must not start one', () => {
    const { database, run } = open();
    expect(codeOf(() => run(() => run(() => 1)))).toBe('WouldBlockTransaction 17');
    database.setCommitObserver(() => void run(() => 1));
    expect(() => run(() => database.table('player').insert(ada))).toThrow('must not start a transaction');
    database.setCommitObserver(undefined);
    expect(run(() => 2)).toBe(2);
  });

  test('changes outside a transaction are refused', () => {
    const { database, run } = open();
    const player = database.table('player');
    run(() => player.insert(ada));
    for (const write of [
      () => player.insert(bob),
      () => player.update(ada),
      () => player.deleteRow(ada),
      () => player.clear(),
      () => player.uniqueIndex('id').delete(9n),
    ]) {
      expect(codeOf(write)).toBe('NotInTransaction 2');
    }
  });

  test('rows of an event table are seen and checked in their transaction, told, and gone', () => {
    const { database, run, commitOf } = open();
    const shout = database.table('shout');
    const commit = commitOf(() => {
      shout.insert({ id: 1, text: 'hey' });
      expect(shout.count).toBe(1);
      expect(codeOf(() => shout.insert({ id: 1, text: 'ho' }))).toBe('UniqueAlreadyExists 12');
    });
    expect(trace(commit.deltas)).toEqual(['+ shout 1 hey']);
    expect(shout.count).toBe(0);
    expect(run(() => shout.insert({ id: 1, text: 'again' }))).toEqual({ id: 1, text: 'again' });
  });
});

describe('messages', () => {
  const { database, run } = open();
  const player = database.table('player');
  run(() => player.insert(ada));

  test.each<[string, () => unknown, string]>([
    ['an unknown table', () => database.table('playr'), 'there is no table `playr` (did you mean `player`?)'],
    ['an unknown index', () => player.index('nme'), 'table `player` has no index `nme`'],
    [
      'an index that is not unique',
      () => player.uniqueIndex('level'),
      'table `player`: index `level` is not unique',
    ],
    [
      'an unknown column',
      () => player.insert({ id: 0n, nam: 'eve', level: 1 }),
      'table `player` has no column `nam` (did you mean `name`?)',
    ],
    [
      'a missing column',
      () => player.insert({ id: 0n, name: 'eve' }),
      'table `player`: column `level` is missing',
    ],
    [
      'a wrong type',
      () => player.insert({ id: 0n, name: 7, level: 1 }),
      'player.name: expected string, got number',
    ],
    [
      'no row at all',
      () => player.insert(undefined as unknown as Row),
      'table `player`: a row is an object, got undefined',
    ],
    [
      'a unique value that is taken',
      () => player.insert({ id: 0n, name: 'ada', level: 1 }),
      'table `player`: a row with name = "ada" exists already (unique constraint `player_name_key`)',
    ],
    [
      'no such row',
      () => player.update({ ...ada, id: 77n }),
      'table `player`: there is no row with id = 77 to update',
    ],
    [
      'a lookup with the wrong type',
      () => player.uniqueIndex('id').find(1),
      'table `player`: column `id` is looked up by a bigint, got number 1',
    ],
  ])('%s', (_name, body, message) => {
    expect(() => run(body)).toThrow(new EngineError('HostCallFailure', message).message);
    expect([...player]).toEqual([ada]);
  });
});

describe('schema', () => {
  const withColumn = (name: string): DatabaseSchema => {
    const schema = schemaOf({ t: { columns: { x: u32 } } });
    const [table] = schema.tables;
    const columns = [{ ...table!.columns[0]!, name, property: name }];
    const rowType = { kind: 'product' as const, elements: [{ name, property: name, type: u32 }] };
    return { ...schema, tables: [{ ...table!, columns, rowType }] };
  };

  test.each(['__proto__', 'a"b', 'a`b', "a'b", 'a b', '', 'a;b', '1a', 'ä'])(
    'a column called %j is refused',
    (name) => {
      expect(() => open(withColumn(name))).toThrow(SchemaError);
    },
  );

  test.each(['constructor', 'toString', '$', 'hasOwnProperty', '_'].filter((name) => name !== '$'))(
    'a column called %s is an ordinary column',
    (name) => {
      const { database, run } = open(withColumn(name));
      expect(codeOf(() => run(() => database.table('t').insert({})))).toBe('BsatnDecodeError 3');
      run(() => database.table('t').insert({ [name]: 1 }));
      expect([...database.table('t')]).toEqual([{ [name]: 1 }]);
    },
  );

  test('an equal schema is taken, and one with more tables; one that lacks or changes a table is refused', () => {
    const { database, run } = open();
    database.replaceSchema(schemaOf({ player: PLAYER, edge: EDGE, shout: EVENT }));
    run(() => database.table('edge').insert({ from: 1, to: 2 }));
    const before = database.schemaHash;
    const fresh = { columns: { id: u32 }, primaryKey: 'id' };
    // In front of the others, so that their types stand elsewhere.
    database.replaceSchema(schemaOf({ fresh, player: PLAYER, edge: EDGE, shout: EVENT }));
    expect(database.schemaHash).not.toBe(before);
    run(() => database.table('fresh').insert({ id: 7 }));
    expect([database.table('edge').count, [...database.table('fresh')]]).toEqual([1, [{ id: 7 }]]);
    const other = { ...EDGE, columns: { ...EDGE.columns, weight: u32 } };
    expect(() =>
      database.replaceSchema(schemaOf({ fresh, player: PLAYER, edge: other, shout: EVENT })),
    ).toThrow(/differs from that of the stored data in table `edge`/);
    expect(() => database.replaceSchema(schemaOf({ player: PLAYER, edge: EDGE }))).toThrow(SchemaError);
    expect(database.schemaHash).toMatch(/^[0-9a-f]{64}$/);
  });
});

test('10,000 identities that are equal in their low 64 bits cost no more than others', () => {
  const timeOf = (identityOf: (n: bigint) => Identity): number => {
    const { database, run } = open(
      schemaOf({ user: { columns: { identity: IDENTITY_TYPE }, primaryKey: 'identity' } }),
    );
    const user = database.table('user');
    const start = performance.now();
    run(() => {
      for (let n = 0n; n < 10_000n; n++) user.insert({ identity: identityOf(n) });
    });
    for (let n = 0n; n < 10_000n; n++) {
      if (user.uniqueIndex('identity').find(identityOf(n)) === undefined) throw new Error('lost');
    }
    return performance.now() - start;
  };
  timeOf((n) => new Identity(n));
  const spread = timeOf((n) => new Identity(n * 0x9e37_79b9_7f4a_7c15n));
  const colliding = timeOf((n) => new Identity(n << 64n));
  // Quadratic, it would be hundreds of times slower.
  expect(colliding).toBeLessThan(spread * 10 + 50);
});
