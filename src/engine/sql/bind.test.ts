import { describe, expect, test } from 'vitest';
import { arrayType, primitiveType, productType } from '../../values/algebraic-type.js';
import { Identity } from '../../values/identity.js';
import {
  CONNECTION_ID_TYPE,
  IDENTITY_TYPE,
  optionType,
  TIME_DURATION_TYPE,
  TIMESTAMP_TYPE,
  UUID_TYPE,
} from '../../values/special-types.js';
import type { Viewer } from '../contract.js';
import type { TableDef } from '../schema.js';
import { schemaOf } from '../testing/table-def.js';
import { bindSelect, bindSubscription } from './bind.js';
import type { BoundExpression, BoundSelect } from './bound.js';
import { parseSql } from './parser.js';
import { SqlError } from './sql-error.js';

const HEX = 'c200'.padEnd(64, '1');
const schema = schemaOf({
  player: {
    columns: {
      id: primitiveType('u32'),
      name: primitiveType('string'),
      online: primitiveType('bool'),
      big: primitiveType('i128'),
      tiny: primitiveType('i8'),
      speed: primitiveType('f32'),
      owner: IDENTITY_TYPE,
      link: CONNECTION_ID_TYPE,
      seen: TIMESTAMP_TYPE,
      tag: UUID_TYPE,
      raw: arrayType(primitiveType('u8')),
      nick: optionType(primitiveType('string')),
      list: arrayType(primitiveType('u32')),
      wait: TIME_DURATION_TYPE,
      spot: productType({ x: primitiveType('i32') }),
      rank: primitiveType('u32'),
    },
    primaryKey: 'id',
  },
  secret: { columns: { id: primitiveType('u32') }, isPublic: false },
});
const viewer: Viewer = { identity: new Identity(HEX), isOwner: false };
const owner: Viewer = { identity: new Identity(HEX), isOwner: true };

describe('what a condition becomes', () => {
  const cases: readonly (readonly [where: string, shown: string])[] = [
    ['id = 1', 'id = 1'],
    ['1 = id', 'id = 1'],
    ['1 < id', 'id > 1'],
    ['player.id = 1e3', 'id = 1000'],
    ['"player"."id" <> 2.50e1', 'id <> 25'],
    ['NOT id = 1', 'id <> 1'],
    ['NOT (id < 1 AND NOT online)', 'id >= 1 or online = true'],
    ['online', 'online = true'],
    ['NOT online', 'online = false'],
    ['online <> true', 'online = false'],
    ["name = 'b' AND id = 2", 'id = 2 and name = b'],
    ["id = 2 AND name = 'b' AND 2 = id", 'id = 2 and name = b'],
    ['id = 1 AND (tiny = 2 AND (rank = 3))', 'id = 1 and rank = 3 and tiny = 2'],
    ['id = 1 AND true', 'id = 1'],
    ['id = 1 AND false', 'false'],
    ['id = 1 OR true', 'true'],
    ['1 = 1', 'true'],
    ['2e0 > 10', 'false'],
    ['9007199254740993 = 9007199254740992', 'false'],
    ["'a' < 'b'", 'true'],
    ['0xff = 0xFF', 'true'],
    [':sender = :sender', 'true'],
    [`:sender = 0x${HEX}`, 'true'],
    ['id = id', 'true'],
    ['id < id', 'false'],
    ['rank > id', 'id < rank'],
    ['big = -170141183460469231731687303715884105728', 'big = -170141183460469231731687303715884105728'],
    ['tiny = -128', 'tiny = -128'],
    ['speed = 0.1', `speed = ${Math.fround(0.1)}`],
    [`owner = X'${HEX}'`, `owner = ${HEX}`],
    ['owner = :sender', `owner = ${HEX}`],
    ['raw = :sender', `raw = ${HEX}`],
    ["raw = X'00fF'", 'raw = 00ff'],
    ['link = 0x000102030405060708090a0b0c0d0e0f', 'link = 000102030405060708090a0b0c0d0e0f'],
    ["tag = '00010203-0405-0607-0809-0a0b0c0d0e0f'", 'tag = 000102030405060708090a0b0c0d0e0f'],
    ['tag = 0x000102030405060708090a0b0c0d0e0f', 'tag = 000102030405060708090a0b0c0d0e0f'],
    ["seen = '2025-01-01T00:00:00Z'", 'seen = 1735689600000000'],
    ["seen = '2025-01-01 01:30:00.1234567+01:30'", 'seen = 1735689600123456'],
    ["seen < '1969-12-31T23:59:59.999999z'", 'seen < -1'],
  ];
  test.each(cases)('%s', (where, shown) => {
    expect(showExpression(bind(`SELECT * FROM player WHERE ${where}`).where)).toBe(shown);
  });

  test('the same question in other words is the same query', () => {
    const one = bind(`SELECT * FROM "player" WHERE "player"."id" = 7 AND NOT (name <> 'x')`);
    const other = bind(`select p.* from player p where 'x' = p.name and id = 7e0;`);
    expect([other.template, other.constantsKey]).toEqual([one.template, one.constantsKey]);
  });

  test('constants that could be confused stay apart', () => {
    const keys = [`'1","2'`, `'1'`, `'2'`].map(
      (a) => bind(`SELECT * FROM player WHERE name = ${a}`).constantsKey,
    );
    expect(new Set(keys).size).toBe(3);
    const two = bind(`SELECT * FROM player WHERE name < 'a' AND name > 'b,c'`);
    const three = bind(`SELECT * FROM player WHERE name < 'a,b' AND name > 'c'`);
    expect(two.constantsKey).not.toBe(three.constantsKey);
  });

  test('the sender is a constant of the query', () => {
    const query = bind('SELECT * FROM player WHERE owner = :sender');
    expect(query.sender?.toHexString()).toBe(HEX);
    expect(query.constantsKey).toBe(bind(`SELECT * FROM player WHERE owner = 0x${HEX}`).constantsKey);
  });
});

describe('what cannot be bound, and in which words', () => {
  const cases: readonly (readonly [sql: string, message: string])[] = [
    ['SELECT * FROM plaer', 'no such table: `plaer`. If the table exists, it may be marked private. (at 1:15) Did you mean `player`?'],
    ['SELECT * FROM secret', 'no such table: `secret`. If the table exists, it may be marked private. (at 1:15)'],
    ['SELECT * FROM Secret', 'no such table: `Secret`. If the table exists, it may be marked private. (at 1:15)'],
    ['SELECT * FROM player WHERE nam = 1', '`nam` is not in scope (at 1:28) Did you mean `name`?'],
    ['SELECT * FROM player WHERE player.q = 1', '`q` is not in scope (at 1:35)'],
    ['SELECT * FROM player p WHERE player.id = 1', '`player` is not in scope (at 1:30)'],
    ['SELECT plyer.* FROM player', '`plyer` is not in scope (at 1:8) Did you mean `player`?'],
    ['SELECT p.id FROM player', '`p` is not in scope (at 1:8)'],
    ['SELECT * FROM player WHERE id = -1', 'The literal expression `-1` cannot be parsed as type `U32` (at 1:33) Write a whole number that the type can hold.'],
    ['SELECT * FROM player WHERE id = 4294967296', 'The literal expression `4294967296` cannot be parsed as type `U32` (at 1:33) Write a whole number that the type can hold.'],
    ['SELECT * FROM player WHERE tiny = 128', 'The literal expression `128` cannot be parsed as type `I8` (at 1:35) Write a whole number that the type can hold.'],
    ['SELECT * FROM player WHERE id = 1.5', 'The literal expression `1.5` cannot be parsed as type `U32` (at 1:33) Write a whole number that the type can hold.'],
    ['SELECT * FROM player WHERE id = 1e999999999', 'The literal expression `1e999999999` cannot be parsed as type `U32` (at 1:33) Write a whole number that the type can hold.'],
    ["SELECT * FROM player WHERE id = '1'", "The literal expression `'1'` cannot be parsed as type `U32` (at 1:33) Write a whole number that the type can hold."],
    ['SELECT * FROM player WHERE name = 5', "The literal expression `5` cannot be parsed as type `String` (at 1:35) Write it in single quotes: `'text'`."],
    ['SELECT * FROM player WHERE speed = 1e40', 'The literal expression `1e40` cannot be parsed as type `F32` (at 1:36) Write a number, e.g. `1.5`.'],
    ['SELECT * FROM player WHERE owner = 0xff', 'The literal expression `0xff` cannot be parsed as type `Identity` (at 1:36) Write `:sender` or 64 hexadecimal digits after `0x`.'],
    ['SELECT * FROM player WHERE raw = 0xfff', "The literal expression `0xfff` cannot be parsed as type `Array<U8>` (at 1:34) Write hexadecimal digits, two per byte: `0x00ff` or `X'00ff'`."],
    ["SELECT * FROM player WHERE seen = '2025-02-29T00:00:00Z'", "The literal expression `'2025-02-29T00:00:00Z'` cannot be parsed as type `Timestamp` (at 1:35) Write it as `'2025-01-01T00:00:00Z'`."],
    ["SELECT * FROM player WHERE seen = 'now'", "The literal expression `'now'` cannot be parsed as type `Timestamp` (at 1:35) Write it as `'2025-01-01T00:00:00Z'`."],
    ['SELECT * FROM player WHERE name', 'Unexpected type: (expected) Bool != String (inferred) (at 1:28)'],
    ['SELECT * FROM player WHERE 1', 'Unexpected type: (expected) Bool != Number (inferred) (at 1:28)'],
    ['SELECT * FROM player WHERE id = true', 'Unexpected type: (expected) U32 != Bool (inferred) (at 1:33)'],
    ['SELECT * FROM player WHERE id = name', 'Unexpected type: (expected) U32 != String (inferred) (at 1:33)'],
    ['SELECT * FROM player WHERE id = :sender', 'Unexpected type: (expected) U32 != Identity (inferred) (at 1:33)'],
    ["SELECT * FROM player WHERE 1 = 'a'", 'Unexpected type: (expected) Number != String (inferred) (at 1:32)'],
    ['SELECT * FROM player WHERE nick = 1', 'Invalid binary operator `=` for type `Option<String>` (at 1:28)'],
    ['SELECT * FROM player WHERE list < list', 'Invalid binary operator `<` for type `Array<U32>` (at 1:28)'],
    ['SELECT * FROM player WHERE wait = 1', 'Invalid binary operator `=` for type `TimeDuration` (at 1:28)'],
    ['SELECT * FROM player WHERE spot = 1', 'Invalid binary operator `=` for type `Product` (at 1:28)'],
    ['SELECT * FROM player JOIN secret ON player.id = secret.id', 'SELECT * is not supported for joins (at 1:8) Write `SELECT t.*`.'],
    ['SELECT player.* FROM player JOIN player p ON player.id = p.id', 'joins are not supported yet (at 1:29)'],
  ]; // prettier-ignore
  test.each(cases)('%s', (sql, message) => {
    expect(messageOf(() => bind(sql))).toBe(message);
  });

  test('hints never name what the asker may not know of', () => {
    expect(messageOf(() => bind('SELECT * FROM secre'))).not.toContain('secret');
    expect(messageOf(() => bind('SELECT * FROM secre', owner))).toContain('Did you mean `secret`?');
  });
});

test('the owner reads private tables', () => {
  expect(bind('SELECT * FROM secret', owner).table.name).toBe('secret');
});

test('all tables are those that the asker may read', () => {
  const tables = (who: Viewer): string[] =>
    bindSubscription(parseSql('SELECT * FROM *', 'subscription'), schema, who).map(({ table }) => table.name);
  expect(tables(viewer)).toEqual(['player']);
  expect(tables(owner)).toEqual(['player', 'secret']);
});

test('columns and tables answer to their canonical and to their author’s names, tables also to their class', () => {
  const [player] = schema.tables;
  const columns = player!.columns.map((column, index) =>
    index === 0 ? { ...column, name: 'player_id', property: 'playerId' } : column,
  );
  const renamed = {
    ...schema,
    tables: [{ ...player!, name: 'the_player', sourceName: 'thePlayer', columns }],
  };
  for (const sql of [
    'SELECT player_id FROM the_player',
    'SELECT "thePlayer"."playerId" FROM "thePlayer"',
    'SELECT the_player.player_id FROM "thePlayer"',
    'SELECT ThePlayer.player_id FROM ThePlayer',
    'SELECT p.player_id FROM "ThePlayer" AS p',
  ]) {
    const bound = bindSelect(selectOf(sql), renamed, viewer);
    expect(bound.projection).toEqual({ kind: 'columns', columns: [{ name: 'player_id', index: 0 }] });
  }
  // Where names keep their case, TypeScript and Python make different classes of them; a table's own name goes first.
  const [mixed, taken] = ['thePlayer', 'ThePlayer'].map((name) => ({ ...player!, name, sourceName: name }));
  const tableOf = (name: string, tables: readonly TableDef[]): string =>
    bindSelect(selectOf(`SELECT * FROM ${name}`), { ...schema, tables }, viewer).table.name;
  expect(['ThePlayer', 'Theplayer'].map((name) => tableOf(name, [mixed!]))).toEqual([
    'thePlayer',
    'thePlayer',
  ]);
  expect(tableOf('ThePlayer', [mixed!, taken!])).toBe('ThePlayer');
});

function selectOf(sql: string): Extract<ReturnType<typeof parseSql>, { kind: 'select' }> {
  const statement = parseSql(sql, 'adHoc');
  if (statement.kind !== 'select') throw new Error('not a SELECT');
  return statement;
}

function bind(sql: string, who = viewer): BoundSelect {
  return bindSelect(selectOf(sql), schema, who);
}

function messageOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(SqlError);
    return (error as SqlError).message;
  }
  return 'no error';
}

function showExpression(expression: BoundExpression): string {
  switch (expression.kind) {
    case 'constant':
      return String(expression.value);
    case 'compareConstant':
      return `${expression.column.property} ${expression.comparison} ${showValue(expression.constant.value)}`;
    case 'compareColumns':
      return `${expression.left.property} ${expression.comparison} ${expression.right.property}`;
    default:
      return expression.operands.map(showExpression).join(` ${expression.kind} `);
  }
}

function showValue(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  const special = value as { toHexString?(): string; microsSinceUnixEpoch?: bigint };
  return special.toHexString?.() ?? String(special.microsSinceUnixEpoch ?? value);
}
