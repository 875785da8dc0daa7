import { beforeEach, expect, test } from 'vitest';
import { primitiveType } from '../../values/algebraic-type.js';
import { Identity } from '../../values/identity.js';
import type { Viewer } from '../contract.js';
import { Database } from '../database.js';
import { schemaOf, TEST_ORIGIN, testOptions } from '../testing/table-def.js';
import type { QueryIndex } from './candidates.js';
import type { QueryDatabase, SelectResult } from './select.js';
import { runSql } from './select.js';
import { SqlError } from './sql-error.js';

const viewer: Viewer = { identity: new Identity(1n), isOwner: false };
let database: Database;

beforeEach(() => {
  const columns = {
    id: primitiveType('u32'),
    name: primitiveType('string'),
    a: primitiveType('u32'),
    b: primitiveType('u32'),
    c: primitiveType('u32'),
  };
  database = new Database(
    schemaOf({
      thing: {
        columns,
        primaryKey: 'id',
        indexes: [
          ['btree', 'a', 'b'],
          ['hash', 'c'],
        ],
      },
      secret: { columns, isPublic: false },
    }),
    testOptions(),
  );
  database.transact(TEST_ORIGIN, () => {
    for (let id = 0; id < 100; id++) {
      database.table('thing').insert({ id, name: `n${id}`, a: id % 10, b: id % 5, c: id % 4 });
    }
  });
});

test('columns come in the order and under the names asked for, with their types', () => {
  expect(run('SELECT name AS label, id, t.id "again" FROM thing t WHERE id = 7')).toEqual({
    columns: [
      { name: 'label', type: primitiveType('string') },
      { name: 'id', type: primitiveType('u32') },
      { name: 'again', type: primitiveType('u32') },
    ],
    rows: [['n7', 7, 7]],
  });
  const all = run('SELECT * FROM thing WHERE id = 7');
  expect(all.columns.map(({ name }) => name)).toEqual(['id', 'name', 'a', 'b', 'c']);
  expect(all.rows).toEqual([[7, 'n7', 7, 2, 3]]);
});

test('a count is one row of u64', () => {
  expect(run('SELECT COUNT(*) AS n FROM thing WHERE c = 3')).toEqual({
    columns: [{ name: 'n', type: primitiveType('u64') }],
    rows: [[25n]],
  });
  expect(run('SELECT COUNT(*) AS n FROM thing LIMIT 0').rows).toEqual([]);
  expect(run('SELECT COUNT(*) AS n FROM thing WHERE false').rows).toEqual([[0n]]);
});

test('a limit is a limit', () => {
  expect(run('SELECT id FROM thing LIMIT 3').rows).toHaveLength(3);
  expect(run('SELECT id FROM thing LIMIT 0').rows).toEqual([]);
  expect(run('SELECT id FROM thing LIMIT 1000').rows).toHaveLength(100);
});

test.each([
  ['id = 7', ['thing_id_idx_btree']],
  ['id = 7 AND a = 7', ['thing_id_idx_btree']],
  ['a = 7 AND b = 2', ['thing_a_b_idx_btree']],
  ['a = 7', ['thing_a_b_idx_btree']],
  ["c = 3 AND name <> 'x'", ['thing_c_idx_hash']],
  ['id = 1 OR id = 2 OR 3 = id', ['thing_id_idx_btree', 'thing_id_idx_btree', 'thing_id_idx_btree']],
  ['id = 1 OR c = 3', ['thing_id_idx_btree', 'thing_c_idx_hash']],
  ['false', []],
  ['b = 2', ['scan']],
  ['id <> 7', ['scan']],
  ['id = 1 OR b = 2', ['scan']],
])('WHERE %s reads %j', (where, expected) => {
  const reads: string[] = [];
  const rows = runSql(watch(reads), `SELECT id FROM thing WHERE ${where}`, viewer).rows;
  expect(reads.toSorted()).toEqual([...expected].toSorted());
  const [[count]] = run(`SELECT COUNT(*) AS n FROM thing WHERE NOT (${where})`).rows as [[bigint]];
  expect(rows.length + Number(count)).toBe(100);
});

test('what others may not read does not exist for them', () => {
  expect(() => run('SELECT * FROM secret')).toThrow(SqlError);
  expect(runSql(database, 'SELECT * FROM secret', { ...viewer, isOwner: true }).rows).toEqual([]);
});

function run(sql: string): SelectResult {
  return runSql(database, sql, viewer);
}

/** The database, which notes what is read of its tables. */
function watch(reads: string[]): QueryDatabase {
  return {
    schema: database.schema,
    table(name) {
      const table = database.table(name);
      const watched = new Map(
        [...new Set(table.indexes.values())].map((index): [string, QueryIndex] => [
          index.def.name,
          {
            kind: index.kind,
            def: index.def,
            filter(prefix: readonly unknown[]) {
              reads.push(index.def.name);
              return index.filter(prefix);
            },
          },
        ]),
      );
      return {
        def: table.def,
        indexes: watched,
        scan() {
          reads.push('scan');
          return table.scan();
        },
      };
    },
  };
}
