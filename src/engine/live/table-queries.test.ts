import { describe, expect, test } from 'vitest';
import { primitiveType } from '../../values/algebraic-type.js';
import { Identity } from '../../values/identity.js';
import type { Row } from '../contract.js';
import { bindSubscription } from '../sql/bind.js';
import { parseSql } from '../sql/parser.js';
import { schemaOf } from '../testing/table-def.js';
import { instanceKey, QueryInstance } from './query-instance.js';
import { TableQueries } from './table-queries.js';

const u32 = primitiveType('u32');
const schema = schemaOf({
  t: {
    columns: { id: u32, group: u32, flag: primitiveType('bool'), other: u32 },
    primaryKey: 'id',
    indexes: [['btree', 'group']],
  },
});
const viewer = { identity: new Identity(1n), isOwner: false };

describe('a query is filed under the equality that selects most', () => {
  test.each([
    ['id = 1 AND "group" = 2 AND other = 3', 'id=1'],
    ['flag AND other = 3 AND "group" = 2', 'group=2'],
    ['flag AND other = 3', 'other=3'],
    ['flag', 'flag=true'],
    ['id = 1 OR id = 2', 'id=1 id=2'],
    ['(id = 1 OR other = 2) AND "group" = 5', 'group=5'],
    ['(id = 1 OR other = 2) AND flag', 'id=1 other=2'],
    ['id = 1 OR other > 2', 'every row'],
    ['id <> 1', 'every row'],
    ['true', 'every row'],
    ['id = 1 AND false', 'no row'],
  ])('%s: %s', (where, filed) => {
    const queries = new TableQueries(schema.tables[0]!);
    const query = queryOf(where);
    queries.add(query);
    const equalities = query.placement?.equalities?.map(
      ({ column, constant }) => `${column.property}=${String(constant.value)}`,
    );
    expect(equalities?.toSorted().join(' ') ?? 'every row').toBe(filed === 'no row' ? '' : filed);
  });
});

test('a changed row is shown to the queries it fulfils, once each', () => {
  const queries = new TableQueries(schema.tables[0]!);
  for (const where of [
    'id = 1',
    'id = 2',
    'id = 1 AND other = 9',
    'other = 7',
    'id = 1 OR other = 7',
    'flag',
    'true',
  ]) {
    queries.add(queryOf(where));
  }
  expect(visitsOf(queries, { id: 1, group: 0, flag: false, other: 7 })).toEqual([
    'id = 1',
    'id = 1 OR other = 7',
    'other = 7',
    'true',
  ]);
});

test('what is taken out is not asked again, and leaves nothing behind', () => {
  const queries = new TableQueries(schema.tables[0]!);
  const [one, two, rest] = ['id = 1', 'id = 1 AND other = 7', 'other > 1'].map(queryOf);
  for (const query of [one!, two!, rest!]) queries.add(query);
  const row = { id: 1, group: 0, flag: false, other: 7 };
  expect(visitsOf(queries, row)).toHaveLength(3);
  queries.remove(one!);
  expect(visitsOf(queries, row)).toEqual(['id = 1 AND other = 7', 'other > 1']);
  queries.remove(two!);
  queries.remove(rest!);
  expect(visitsOf(queries, row)).toEqual([]);
  expect(queries.isEmpty).toBe(true);
});

function queryOf(where: string): QueryInstance {
  const statement = parseSql(`SELECT * FROM t WHERE ${where}`, 'subscription');
  const [bound] = bindSubscription(statement, schema, viewer);
  return new QueryInstance(instanceKey(bound!), bound!, () => expect.fail('nobody asked for a snapshot'));
}

function visitsOf(queries: TableQueries, row: Row): string[] {
  const visits: string[] = [];
  const change = { row, bytes: Uint8Array.of() };
  const delta = { table: schema.tables[0]!, deletes: [], inserts: [change] };
  queries.match(delta, {
    visit: ({ sql }) => void visits.push(sql.replace('SELECT * FROM t WHERE ', '')),
    fail: (_query, error) => expect.fail(String(error)),
  });
  return visits.toSorted();
}
