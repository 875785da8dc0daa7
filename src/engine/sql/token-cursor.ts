import { closestWord } from '../../base/closest-word.js';
import { SqlError, sqlErrorAt } from './sql-error.js';
import type { SqlErrorCode } from './sql-error.js';
import { tokenize } from './lexer.js';
import type { Token } from './lexer.js';
import type { Name } from './ast.js';

/** Words that cannot be a name or an alias unless they are quoted. */
const RESERVED = new Set(
  (
    'SELECT FROM WHERE AND OR NOT AS ON JOIN INNER LEFT RIGHT FULL OUTER CROSS NATURAL USING LIMIT OFFSET FETCH ' +
    'ORDER GROUP HAVING UNION INTERSECT EXCEPT DISTINCT ALL CASE WHEN THEN ELSE END CAST NULL TRUE FALSE ' +
    'IS IN LIKE ILIKE BETWEEN WITH FOR WINDOW RETURNING'
  ).split(' '),
);

/** Walks over the tokens of one statement and makes the errors that name a place in it. */
export class TokenCursor {
  readonly sql: string;
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(sql: string) {
    this.sql = sql;
    this.#tokens = tokenize(sql);
  }

  get token(): Token {
    return this.#tokens[this.#index]!;
  }

  /** The token `count` places further; the end repeats for ever. */
  peek(count = 1): Token {
    return this.#tokens[Math.min(this.#index + count, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.token;
    if (token.kind !== 'end') this.#index += 1;
    return token;
  }

  isKeyword(keyword: string, token: Token = this.token): boolean {
    return token.kind === 'word' && token.value.toUpperCase() === keyword;
  }

  isSymbol(symbol: string, token: Token = this.token): boolean {
    return token.kind === 'symbol' && token.value === symbol;
  }

  takeKeyword(keyword: string): boolean {
    const isHere = this.isKeyword(keyword);
    if (isHere) this.next();
    return isHere;
  }

  takeSymbol(symbol: string): boolean {
    const isHere = this.isSymbol(symbol);
    if (isHere) this.next();
    return isHere;
  }

  expectKeyword(keyword: string): void {
    if (!this.takeKeyword(keyword)) throw this.unexpected(`\`${keyword}\``, [keyword]);
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.unexpected(`\`${symbol}\``);
  }

  /** True when the token can be a name as it stands. */
  isName(token: Token = this.token): boolean {
    return token.kind === 'quotedName' || (token.kind === 'word' && !RESERVED.has(token.value.toUpperCase()));
  }

  expectName(what: string): Name {
    if (!this.isName())
      throw this.unexpected(what, [], this.token.kind === 'word' ? reservedHint(this.token) : undefined);
    const token = this.next();
    return { text: token.value, at: token.start };
  }

  /** `a.b.c`, with the dots part of the name. */
  expectDottedName(what: string): Name {
    const first = this.expectName(what);
    let text = first.text;
    while (this.isSymbol('.') && this.isName(this.peek())) {
      this.next();
      text += `.${this.next().value}`;
    }
    return { text, at: first.at };
  }

  textOf(token: Token): string {
    return this.sql.slice(token.start, token.end);
  }

  /** The text from `start` to the end of the last token taken. */
  textSince(start: number): string {
    return this.sql.slice(start, this.#tokens[Math.max(0, this.#index - 1)]!.end);
  }

  unexpected(expected: string, keywords: readonly string[] = [], hint?: string): SqlError {
    const { token } = this;
    const got = token.kind === 'end' ? 'the end of the statement' : `\`${shorten(this.textOf(token))}\``;
    const meant = token.kind === 'word' ? closestWord(token.value, keywords) : undefined;
    return this.error(
      token.start,
      'SYNTAX',
      `expected ${expected}, got ${got}`,
      meant === undefined ? hint : didYouMean(meant),
    );
  }

  unsupported(at: number, text: string, hint?: string): SqlError {
    return this.error(at, 'UNSUPPORTED', text, hint);
  }

  error(at: number, code: SqlErrorCode, text: string, hint?: string): SqlError {
    return sqlErrorAt(this.sql, at, code, text, hint);
  }
}

export function didYouMean(word: string): string {
  return `Did you mean \`${word}\`?`;
}

/** Long names and literals are cut in messages. */
export function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function reservedHint(token: Token): string {
  return `A name that is also a keyword is written in quotes: \`"${token.value}"\`.`;
}
