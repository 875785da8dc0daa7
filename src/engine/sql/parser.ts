import type { ColumnSelection, Join, Name, Selection, Statement, TableReference } from './ast.js';
import { parseColumnName, parseExpression } from './expression-parser.js';
import { didYouMean, shorten, TokenCursor } from './token-cursor.js';
import { closestWord } from '../../base/closest-word.js';

/*
 * statement := SELECT selection FROM table [alias] { join } [WHERE expression] [LIMIT n] [;]
 * selection := * | table.* | COUNT(*) AS name | column [[AS] name] { , column [[AS] name] }
 * join := [INNER] JOIN table [alias] [ON expression] | , table [alias]
 *
 * Subscriptions allow the two stars only, no LIMIT, and `SELECT * FROM *`.
 */

/** Subscriptions hear of whole rows of one table; ad hoc statements may ask for more. */
export type SqlDialect = 'subscription' | 'adHoc';

const OTHER_STATEMENTS = [
  'INSERT', 'UPDATE', 'DELETE', 'SET', 'SHOW', 'WITH', 'CREATE', 'DROP', 'ALTER', 'TRUNCATE', 'EXPLAIN', 'BEGIN',
  'COMMIT', 'ROLLBACK', 'VALUES', 'GRANT', 'REVOKE', 'COPY', 'MERGE', 'VACUUM',
]; // prettier-ignore
const UNSUPPORTED_CLAUSES = [
  'ORDER', 'GROUP', 'HAVING', 'OFFSET', 'FETCH', 'UNION', 'INTERSECT', 'EXCEPT', 'FOR', 'WINDOW',
]; // prettier-ignore
const OUTER_JOINS = ['LEFT', 'RIGHT', 'FULL', 'CROSS', 'NATURAL'];

/**
 * Reads exactly one statement; a `;` may end it. Throws SqlError.
 *
 * @example
 * parseSql('SELECT * FROM user WHERE online', 'subscription')
 */
export function parseSql(sql: string, dialect: SqlDialect): Statement {
  const cursor = new TokenCursor(sql);
  expectSelect(cursor, dialect);
  const selection = parseSelection(cursor);
  if (dialect === 'subscription' && selection.kind !== 'star') {
    const text =
      'Column projections are not supported in subscriptions; Subscriptions must return a table type';
    throw cursor.unsupported(selection.at, text, 'Write `SELECT *`.');
  }
  expectFrom(cursor, selection);
  if (selection.kind === 'star' && selection.table === undefined && cursor.isSymbol('*')) {
    return parseAllTables(cursor, dialect);
  }
  const from = parseTableReference(cursor);
  const joins = parseJoins(cursor);
  const where = cursor.takeKeyword('WHERE') ? parseExpression(cursor) : undefined;
  const limit = parseLimit(cursor, dialect);
  const lastAlias =
    where === undefined && limit === undefined ? (joins.at(-1)?.table ?? from).alias : undefined;
  expectEnd(cursor, dialect, where === undefined, lastAlias);
  return { kind: 'select', sql, selection, from, joins, where, limit };
}

function expectSelect(cursor: TokenCursor, dialect: SqlDialect): void {
  if (cursor.takeKeyword('SELECT')) return;
  const { token } = cursor;
  const word = token.kind === 'word' ? token.value.toUpperCase() : '';
  if (token.kind === 'end') {
    throw cursor.error(token.start, 'SYNTAX', 'the statement is empty', 'Write `SELECT * FROM …`.');
  }
  if (!OTHER_STATEMENTS.includes(word)) throw cursor.unexpected('`SELECT`', ['SELECT']);
  if (dialect === 'subscription') throw cursor.unsupported(token.start, 'Unsupported: Non-SELECT queries');
  throw cursor.unsupported(token.start, `Unsupported: ${word} statements`, 'This server answers SELECT.');
}

function expectFrom(cursor: TokenCursor, selection: Selection): void {
  if (cursor.takeKeyword('FROM')) return;
  const lastColumn = selection.kind === 'columns' ? selection.columns.at(-1) : undefined;
  // `SELECT id FORM user`: the mistyped keyword was taken for an alias.
  const meant = meantKeyword(lastColumn?.alias, ['FROM']);
  throw cursor.unexpected(selection.kind === 'columns' ? '`,` or `FROM`' : '`FROM`', ['FROM'], meant);
}

function parseSelection(cursor: TokenCursor): Selection {
  const at = cursor.token.start;
  if (cursor.isKeyword('DISTINCT')) throw cursor.unsupported(at, 'Unsupported: DISTINCT');
  if (cursor.takeSymbol('*')) return { kind: 'star', table: undefined, at };
  if (cursor.isName() && cursor.isSymbol('(', cursor.peek())) return parseCount(cursor);
  const table = parseTableStar(cursor);
  if (table !== undefined) return { kind: 'star', table, at };
  const columns = [parseColumnSelection(cursor)];
  while (cursor.takeSymbol(',')) columns.push(parseColumnSelection(cursor));
  return { kind: 'columns', columns, at };
}

/** `t.*` when that is what comes next; nothing is taken otherwise. */
function parseTableStar(cursor: TokenCursor): Name | undefined {
  let count = 0;
  while (cursor.isName(cursor.peek(count)) && cursor.isSymbol('.', cursor.peek(count + 1))) count += 2;
  if (count === 0 || !cursor.isSymbol('*', cursor.peek(count))) return undefined;
  const table = cursor.expectDottedName('a table');
  cursor.expectSymbol('.');
  cursor.expectSymbol('*');
  return table;
}

function parseColumnSelection(cursor: TokenCursor): ColumnSelection {
  const { token } = cursor;
  if (cursor.isSymbol('*')) {
    throw cursor.unsupported(token.start, 'Unsupported: `*` together with columns');
  }
  const isLiteral = token.kind === 'number' || token.kind === 'string' || token.kind === 'hex';
  if (isLiteral || token.kind === 'parameter' || cursor.isSymbol('(')) {
    const text = `Unsupported expression: ${shorten(cursor.textOf(token))}`;
    throw cursor.unsupported(token.start, text, 'Only columns, `*` and `COUNT(*)` can be selected.');
  }
  if (!cursor.isName()) throw cursor.unexpected('`*`, a column or `COUNT(*)`');
  if (cursor.isSymbol('(', cursor.peek())) {
    const text = `Unsupported: ${token.value}(...) together with columns`;
    throw cursor.unsupported(token.start, text);
  }
  const column = parseColumnName(cursor);
  if (cursor.isSymbol('.') || cursor.isSymbol('*')) throw cursor.unexpected('`,` or `FROM`', ['FROM']);
  return { column, alias: parseAlias(cursor) };
}

function parseCount(cursor: TokenCursor): Selection {
  const token = cursor.next();
  if (!cursor.isKeyword('COUNT', token)) {
    const text = `Unsupported expression: ${shorten(token.value)}(...)`;
    throw cursor.unsupported(token.start, text, 'The only aggregate is `COUNT(*)`.');
  }
  cursor.expectSymbol('(');
  if (!cursor.takeSymbol('*')) {
    throw cursor.unsupported(
      token.start,
      'Unsupported expression: COUNT of a column',
      'Write `COUNT(*) AS n`.',
    );
  }
  cursor.expectSymbol(')');
  const alias = parseAlias(cursor);
  if (alias === undefined) {
    throw cursor.error(token.start, 'SYNTAX', '`COUNT(*)` needs a name', 'Write `COUNT(*) AS n`.');
  }
  if (cursor.isSymbol(',')) {
    throw cursor.unsupported(cursor.token.start, 'Unsupported: COUNT(*) together with columns');
  }
  return { kind: 'count', alias, at: token.start };
}

function parseAlias(cursor: TokenCursor): Name | undefined {
  if (cursor.takeKeyword('AS')) return cursor.expectName('an alias');
  return cursor.isName() ? cursor.expectName('an alias') : undefined;
}

function parseAllTables(cursor: TokenCursor, dialect: SqlDialect): Statement {
  const star = cursor.next();
  if (dialect === 'adHoc') {
    throw cursor.unsupported(
      star.start,
      'Unsupported: FROM *',
      'Only a subscription can ask for all tables.',
    );
  }
  cursor.takeSymbol(';');
  if (cursor.token.kind !== 'end') throw cursor.unexpected('the end of the statement');
  return { kind: 'selectAllTables', sql: cursor.sql };
}

function parseTableReference(cursor: TokenCursor): TableReference {
  if (cursor.isSymbol('(')) throw cursor.unsupported(cursor.token.start, 'Unsupported: subqueries');
  const name = cursor.expectDottedName('a table');
  if (cursor.isSymbol('(')) throw cursor.unsupported(name.at, 'Unsupported: table functions');
  return { name, alias: parseAlias(cursor) };
}

function parseJoins(cursor: TokenCursor): Join[] {
  const joins: Join[] = [];
  for (;;) {
    const at = cursor.token.start;
    const outer = OUTER_JOINS.find((word) => cursor.isKeyword(word));
    if (outer !== undefined) {
      throw cursor.unsupported(at, `Unsupported: ${outer} JOIN`, 'Only inner joins exist.');
    }
    if (cursor.takeSymbol(',')) {
      joins.push({ table: parseTableReference(cursor), on: undefined, at });
      continue;
    }
    const isInner = cursor.takeKeyword('INNER');
    if (!cursor.isKeyword('JOIN') && !isInner) return joins;
    cursor.expectKeyword('JOIN');
    const table = parseTableReference(cursor);
    joins.push({ table, on: cursor.takeKeyword('ON') ? parseExpression(cursor) : undefined, at });
  }
}

function parseLimit(cursor: TokenCursor, dialect: SqlDialect): number | undefined {
  const at = cursor.token.start;
  if (!cursor.takeKeyword('LIMIT')) return undefined;
  if (dialect === 'subscription') throw cursor.unsupported(at, 'Unsupported: LIMIT in subscriptions');
  const { token } = cursor;
  if (token.kind !== 'number' || !/^\d+$/.test(token.value)) throw cursor.unexpected('an unsigned integer');
  cursor.next();
  // A limit beyond 2^53 rows is none.
  return Math.min(Number(token.value), Number.MAX_SAFE_INTEGER);
}

function expectEnd(
  cursor: TokenCursor,
  dialect: SqlDialect,
  couldFilter: boolean,
  alias: Name | undefined,
): void {
  const semicolon = cursor.takeSymbol(';');
  const { token } = cursor;
  if (token.kind === 'end') return;
  if (semicolon) {
    throw cursor.unsupported(token.start, 'Unsupported: more than one statement', 'Send them one by one.');
  }
  const clause = UNSUPPORTED_CLAUSES.find((word) => cursor.isKeyword(word));
  if (clause !== undefined) throw cursor.unsupported(token.start, `Unsupported: ${clauseName(clause)}`);
  const keywords = couldFilter ? ['WHERE', 'JOIN'] : ['AND', 'OR'];
  if (dialect === 'adHoc') keywords.push('LIMIT');
  const expected = keywords.map((word) => `\`${word}\``).join(', ');
  throw cursor.unexpected(`${expected} or the end`, keywords, meantKeyword(alias, keywords));
}

/** `FROM user WHER id = 1`: a keyword with a slip in it was taken for an alias. */
function meantKeyword(alias: Name | undefined, keywords: readonly string[]): string | undefined {
  const meant = alias === undefined ? undefined : closestWord(alias.text, keywords);
  return meant === undefined
    ? undefined
    : `${didYouMean(meant)} \`${shorten(alias!.text)}\` reads as an alias.`;
}

function clauseName(clause: string): string {
  return clause === 'ORDER' || clause === 'GROUP' ? `${clause} BY` : clause;
}
