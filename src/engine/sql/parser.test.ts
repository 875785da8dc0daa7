import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Expression, Statement } from './ast.js';
import { EXPRESSION_DEPTH_MAX } from './expression-parser.js';
import { SQL_LENGTH_MAX } from './lexer.js';
import { parseSql } from './parser.js';
import type { SqlDialect } from './parser.js';
import { SqlError } from './sql-error.js';

describe('what is understood', () => {
  const cases: readonly (readonly [sql: string, shown: string])[] = [
    ['SELECT * FROM user', '* | user'],
    ['select * from user;', '* | user'],
    ['SELECT * FROM *', 'all tables'],
    ['select * from * ;', 'all tables'],
    ['SELECT * FROM "player"', '* | player'],
    ['SELECT * FROM "lib"."user"', '* | lib.user'],
    ['SELECT * FROM "pl""ay"', '* | pl"ay'],
    ['SELECT * FROM user AS u', '* | user u'],
    ['SELECT u.* FROM user u', 'u.* | user u'],
    ['SELECT "lib"."user".* FROM "lib"."user"', 'lib.user.* | lib.user'],
    [`SELECT * FROM "player" WHERE "player"."name" = 'O''Brian'`, `* | player | player.name = 'O'Brian'`],
    [
      'SELECT * FROM p WHERE ("p"."name" = \'A\') AND ("p"."id" = 30)',
      "* | p | (p.name = 'A' and p.id = 30)",
    ],
    ['SELECT * FROM p WHERE NOT ("p"."name" = \'Bob\')', "* | p | not p.name = 'Bob'"],
    ['SELECT * FROM p WHERE a = 1 OR b <> 2 AND c != 3', '* | p | (a = 1 or (b <> 2 and c <> 3))'],
    ['SELECT * FROM p WHERE (a = 1 OR b = 2) AND c', '* | p | ((a = 1 or b = 2) and c)'],
    ['SELECT * FROM p WHERE not not online', '* | p | not not online'],
    ['SELECT * FROM p WHERE 5 < x', '* | p | 5 < x'],
    ['SELECT * FROM p WHERE (x) = (-5)', '* | p | x = -5'],
    ['SELECT * FROM p WHERE x = +1.5e-3', '* | p | x = 1.5e-3'],
    ['SELECT * FROM p WHERE x = .5 AND y = 1e3', '* | p | (x = .5 and y = 1e3)'],
    ['SELECT * FROM p WHERE id = 0xC0ffee', '* | p | id = 0xC0ffee'],
    ["SELECT * FROM p WHERE id = X'C0ffee' AND k = x''", '* | p | (id = 0xC0ffee and k = 0x)'],
    ['SELECT * FROM p WHERE owner = :sender', '* | p | owner = :sender'],
    ['SELECT * FROM p WHERE TRUE AND a = False', '* | p | (true and a = false)'],
    ['SELECT * -- all\nFROM p /* a /* nested */ one */ WHERE a', '* | p | a'],
    ["SELECT * FROM p WHERE x = '--' AND y = '/*'", "* | p | (x = '--' and y = '/*')"],
    ['SELECT * FROM größe WHERE ключ = 1', '* | größe | ключ = 1'],
    ['SELECT "b".* FROM "a" JOIN "b" ON "b"."id" = "a"."id"', 'b.* | a join b on b.id = a.id'],
    [
      'SELECT b.* FROM a AS x INNER JOIN b y ON x.i = y.i WHERE x.j = 1',
      'b.* | a x join b y on x.i = y.i | x.j = 1',
    ],
  ];
  test.each(cases)('%s', (sql, shown) => {
    expect(showStatement(parseSql(sql, 'subscription'))).toBe(shown);
  });

  const adHoc: readonly (readonly [sql: string, shown: string])[] = [
    ['SELECT id, name FROM user', 'id, name | user'],
    ['SELECT u.id AS number, "na me" n FROM user u', 'u.id as number, na me as n | user u'],
    ['SELECT COUNT(*) AS n FROM user', 'count as n | user'],
    ['SELECT count(*) n FROM user WHERE online LIMIT 0', 'count as n | user | online | limit 0'],
    ['SELECT * FROM user LIMIT 10;', '* | user | limit 10'],
    ['SELECT * FROM user LIMIT 99999999999999999999', '* | user | limit 9007199254740991'],
  ];
  test.each(adHoc)('ad hoc: %s', (sql, shown) => {
    expect(showStatement(parseSql(sql, 'adHoc'))).toBe(shown);
  });
});

describe('what is refused, and in which words', () => {
  const cases: readonly (readonly [dialect: SqlDialect, sql: string, message: string])[] = [
    ['adHoc', '', 'the statement is empty (at 1:1) Write `SELECT * FROM …`.'],
    ['adHoc', ' -- nothing\n', 'the statement is empty (at 2:1) Write `SELECT * FROM …`.'],
    ['adHoc', 'SELEC * FROM user', 'expected `SELECT`, got `SELEC` (at 1:1) Did you mean `SELECT`?'],
    ['adHoc', 'SELECT * FORM user', 'expected `FROM`, got `FORM` (at 1:10) Did you mean `FROM`?'],
    ['adHoc', 'SELECT id FORM user', 'expected `,` or `FROM`, got `user` (at 1:16) Did you mean `FROM`? `FORM` reads as an alias.'],
    ['adHoc', 'SELECT *\nFROM', 'expected a table, got the end of the statement (at 2:5)'],
    ['adHoc', 'SELECT * FROM order', 'expected a table, got `order` (at 1:15) A name that is also a keyword is written in quotes: `"order"`.'],
    ['adHoc', 'SELECT , FROM user', 'expected `*`, a column or `COUNT(*)`, got `,` (at 1:8)'],
    ['adHoc', 'SELECT * FROM user WHER id = 1', 'expected `WHERE`, `JOIN`, `LIMIT` or the end, got `id` (at 1:25) Did you mean `WHERE`? `WHER` reads as an alias.'],
    ['adHoc', 'SELECT * FROM user u WHER id = 1', 'expected `WHERE`, `JOIN`, `LIMIT` or the end, got `WHER` (at 1:22) Did you mean `WHERE`?'],
    ['subscription', 'SELECT * FROM user WHERE a = 1 ADN b', 'expected `AND`, `OR` or the end, got `ADN` (at 1:32) Did you mean `AND`?'],
    ['adHoc', 'SELECT * FROM user WHERE', 'expected a column, a literal or `(`, got the end of the statement (at 1:25)'],
    ['adHoc', 'SELECT * FROM user WHERE a =', 'expected a column, a literal or `(`, got the end of the statement (at 1:29)'],
    ['adHoc', 'SELECT * FROM user WHERE (a = 1', 'expected `)`, got the end of the statement (at 1:32)'],
    ['adHoc', 'SELECT * FROM user WHERE a = 1)', 'expected `AND`, `OR`, `LIMIT` or the end, got `)` (at 1:31)'],
    ['adHoc', "SELECT * FROM user WHERE a = 'x", "this string has no end (at 1:30) Close it with `'`."],
    ['adHoc', 'SELECT * FROM "user', 'this quoted name has no end (at 1:15) Close it with `"`.'],
    ['adHoc', 'SELECT * FROM ""', 'a quoted name needs at least one character (at 1:15)'],
    ['adHoc', 'SELECT * FROM `user`', 'the character "`" has no meaning here (at 1:15) Names are quoted with `"`.'],
    ['adHoc', 'SELECT * FROM user /* x', 'this comment has no end (at 1:20) Close it with `*/`.'],
    ['adHoc', 'SELECT * FROM user WHERE a = 12ab', '`12ab` is neither a number nor a name (at 1:30)'],
    ['adHoc', 'SELECT * FROM user WHERE a = 0xfg', '`0xfg` is not hexadecimal (at 1:30) Digits are 0-9 and a-f.'],
    ['adHoc', "SELECT * FROM user WHERE a = X'0g'", "`X'0g'` is not hexadecimal (at 1:30) Digits are 0-9 and a-f."],
    ['adHoc', 'SELECT * FROM user WHERE a = :owner', 'there is no parameter `:owner` (at 1:30) The only parameter is `:sender`.'],
    ['adHoc', 'SELECT * FROM user WHERE a = :Sender', 'there is no parameter `:Sender` (at 1:30) Did you mean `:sender`?'],
    ['adHoc', 'SELECT * FROM user; SELECT * FROM user', 'Unsupported: more than one statement (at 1:21) Send them one by one.'],
    ['adHoc', 'SELECT * FROM user ORDER BY id', 'Unsupported: ORDER BY (at 1:20)'],
    ['adHoc', 'SELECT * FROM user LIMIT 1 OFFSET 2', 'Unsupported: OFFSET (at 1:28)'],
    ['adHoc', 'SELECT * FROM user LIMIT -1', 'expected an unsigned integer, got `-` (at 1:26)'],
    ['adHoc', 'SELECT * FROM user LIMIT 1.5', 'expected an unsigned integer, got `1.5` (at 1:26)'],
    ['adHoc', 'SELECT DISTINCT id FROM user', 'Unsupported: DISTINCT (at 1:8)'],
    ['adHoc', 'SELECT SUM(id) AS s FROM user', 'Unsupported expression: SUM(...) (at 1:8) The only aggregate is `COUNT(*)`.'],
    ['adHoc', 'SELECT COUNT(*) FROM user', '`COUNT(*)` needs a name (at 1:8) Write `COUNT(*) AS n`.'],
    ['adHoc', 'SELECT COUNT(id) AS n FROM user', 'Unsupported expression: COUNT of a column (at 1:8) Write `COUNT(*) AS n`.'],
    ['adHoc', 'SELECT 1 FROM user', 'Unsupported expression: 1 (at 1:8) Only columns, `*` and `COUNT(*)` can be selected.'],
    ['adHoc', 'SELECT id, * FROM user', 'Unsupported: `*` together with columns (at 1:12)'],
    ['adHoc', 'SELECT * FROM *', 'Unsupported: FROM * (at 1:15) Only a subscription can ask for all tables.'],
    ['adHoc', 'SELECT * FROM (SELECT * FROM user)', 'Unsupported: subqueries (at 1:15)'],
    ['adHoc', 'SELECT * FROM a LEFT JOIN b ON a.i = b.i', 'Unsupported: LEFT JOIN (at 1:17) Only inner joins exist.'],
    ['adHoc', 'DELETE FROM user', 'Unsupported: DELETE statements (at 1:1) This server answers SELECT.'],
    ['subscription', 'DELETE FROM user', 'Unsupported: Non-SELECT queries (at 1:1)'],
    ['subscription', 'SELECT id FROM user', 'Column projections are not supported in subscriptions; Subscriptions must return a table type (at 1:8) Write `SELECT *`.'],
    ['subscription', 'SELECT COUNT(*) AS n FROM user', 'Column projections are not supported in subscriptions; Subscriptions must return a table type (at 1:8) Write `SELECT *`.'],
    ['subscription', 'SELECT * FROM user LIMIT 1', 'Unsupported: LIMIT in subscriptions (at 1:20)'],
    ['adHoc', 'SELECT * FROM user WHERE a IS NOT NULL', 'Unsupported expression: a IS NOT NULL (at 1:26)'],
    ['adHoc', 'SELECT * FROM user WHERE a IN (1, 2)', 'Unsupported expression: a IN (at 1:26) Write `a = 1 OR a = 2`.'],
    ['adHoc', 'SELECT * FROM user WHERE a NOT LIKE 1', 'Unsupported expression: a NOT LIKE (at 1:26)'],
    ['adHoc', 'SELECT * FROM user WHERE a = b + 1', 'Unsupported expression: a = b + (at 1:26)'],
    ['adHoc', 'SELECT * FROM user WHERE a = NULL', 'Unsupported expression: NULL (at 1:30)'],
    ['adHoc', 'SELECT * FROM user WHERE lower(a) = 1', 'Unsupported expression: lower(...) (at 1:26) There are no functions here.'],
    ['adHoc', 'SELECT * FROM user WHERE 1 < a < 3', 'Unsupported expression: 1 < a < (at 1:26) Comparisons are joined with AND.'],
    ['adHoc', 'SELECT * FROM user WHERE (a = 1) = true', 'Unsupported expression: a = 1) = true (at 1:27)'],
  ]; // prettier-ignore
  test.each(cases)('%s: %s', (dialect, sql, message) => {
    expect(messageOf(() => parseSql(sql, dialect))).toBe(message);
  });

  test('an error carries its code, its place and its hint as fields', () => {
    const error = errorOf(() => parseSql('SELECT *\n  FORM user', 'adHoc'));
    expect(error.code).toBe('SYNTAX');
    expect(error.position).toEqual({ offset: 11, line: 2, column: 3 });
    expect(error.hint).toBe('Did you mean `FROM`?');
  });
});

describe('limits', () => {
  test('a statement of exactly the longest length is read, one more is refused', () => {
    const sql = 'SELECT * FROM user'.padEnd(SQL_LENGTH_MAX, ' ');
    expect(showStatement(parseSql(sql, 'adHoc'))).toBe('* | user');
    expect(errorOf(() => parseSql(`${sql} `, 'adHoc')).code).toBe('TOO_LONG');
  });

  test.each([
    ['(', ')'],
    ['NOT ', ''],
  ])('nesting of %j is read to the limit and refused one past it', (open, close) => {
    const nested = (depth: number): string =>
      `SELECT * FROM t WHERE ${open.repeat(depth)}a${close.repeat(depth)}`;
    expect(() => parseSql(nested(EXPRESSION_DEPTH_MAX), 'adHoc')).not.toThrow();
    expect(errorOf(() => parseSql(nested(EXPRESSION_DEPTH_MAX + 1), 'adHoc')).code).toBe('TOO_DEEP');
    expect(errorOf(() => parseSql(nested(9000), 'adHoc')).code).toBe('TOO_DEEP');
  });

  test('long chains are no nesting', () => {
    const sql = `SELECT * FROM t WHERE ${Array.from({ length: 5000 }, () => 'a').join(' OR ')}`;
    expect(() => parseSql(sql, 'adHoc')).not.toThrow();
  });
});

describe('arbitrary text', () => {
  const pieces = fc.constantFrom(
    'SELECT', '*', 'FROM', 'user', '"user"', 'WHERE', 'a', '.', '=', '<>', '<', '(', ')', 'AND', 'OR', 'NOT', '1', "'s'",
    '1e9', '0xff', "X'00'", ':sender', ':', ',', ';', 'AS', 'JOIN', 'ON', 'LIMIT', 'COUNT', 'NULL', 'IS', 'IN', '--',
    '/*', '*/', '"', "'", '\n', '\0', '-', '+', '💥', '\ud800',
  ); // prettier-ignore
  const soup = fc.array(pieces, { maxLength: 40 }).map((words) => words.join(' '));
  const mutated = fc.tuple(fc.nat(), fc.nat(8), fc.string({ maxLength: 4 })).map(([start, length, text]) => {
    const sql = `SELECT u.* FROM "user" AS u WHERE (u.a = 'x''y' OR NOT u.b >= -1.5e3) AND u.c = 0xff`;
    const at = start % sql.length;
    return sql.slice(0, at) + text + sql.slice(at + length);
  });

  test.each([
    ['random characters', fc.string({ maxLength: 200, unit: 'binary' })],
    ['random tokens', soup],
    ['a statement with a wound', mutated],
  ])('%s either parse or throw SqlError', (_name, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, fc.constantFrom('adHoc', 'subscription'), (sql, dialect) => {
        const error = thrownBy(() => parseSql(sql, dialect));
        expect(error === undefined || error instanceof SqlError).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

function showStatement(statement: Statement): string {
  if (statement.kind === 'selectAllTables') return 'all tables';
  const { selection, from, joins, where, limit } = statement;
  const table = ({ name, alias }: typeof from): string =>
    alias === undefined ? name.text : `${name.text} ${alias.text}`;
  const on = joins.map(
    (join) => ` join ${table(join.table)}${join.on === undefined ? '' : ` on ${showExpression(join.on)}`}`,
  );
  const parts = [showSelection(selection), table(from) + on.join('')];
  if (where !== undefined) parts.push(showExpression(where));
  if (limit !== undefined) parts.push(`limit ${limit}`);
  return parts.join(' | ');
}

function showSelection(selection: Extract<Statement, { kind: 'select' }>['selection']): string {
  if (selection.kind === 'star') return selection.table === undefined ? '*' : `${selection.table.text}.*`;
  if (selection.kind === 'count') return `count as ${selection.alias.text}`;
  return selection.columns
    .map(({ column, alias }) => showExpression(column) + (alias === undefined ? '' : ` as ${alias.text}`))
    .join(', ');
}

function showExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'column':
      return expression.table === undefined
        ? expression.name.text
        : `${expression.table.text}.${expression.name.text}`;
    case 'literal':
      if (expression.form === 'string') return `'${expression.value}'`;
      return expression.form === 'hex' ? `0x${expression.value}` : expression.value;
    case 'sender':
      return ':sender';
    case 'compare':
      return `${showExpression(expression.left)} ${expression.comparison} ${showExpression(expression.right)}`;
    case 'not':
      return `not ${showExpression(expression.operand)}`;
    default:
      return `(${expression.operands.map(showExpression).join(` ${expression.kind} `)})`;
  }
}

function thrownBy(body: () => unknown): unknown {
  try {
    body();
    return undefined;
  } catch (error) {
    return error;
  }
}

function errorOf(body: () => unknown): SqlError {
  const error = thrownBy(body);
  expect(error).toBeInstanceOf(SqlError);
  return error as SqlError;
}

function messageOf(body: () => unknown): string {
  return errorOf(body).message;
}
