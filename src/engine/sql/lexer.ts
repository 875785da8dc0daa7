import { sqlErrorAt } from './sql-error.js';

/*
 * Statement text to tokens, as PostgreSQL reads it.
 *
 * | kind       | text                                | value                                   |
 * | word       | user, SELECT                        | as written; keywords are words          |
 * | quotedName | "user", "a""b"                      | without quotes, "" is one quote         |
 * | string     | 'O''Brian'                          | without quotes, '' is one quote         |
 * | number     | 30, 1.5, .5, 1e3                    | as written, never a sign                |
 * | hex        | 0xC0FFEE, X'C0FFEE'                 | the digits                              |
 * | parameter  | :sender                             | the name                                |
 * | symbol     | ( ) , . ; * + - / % = <> != < <= …  | as written                              |
 * | end        |                                     | empty                                   |
 *
 * Comments are `-- to the end of the line` and nested slash-star ones.
 */

export type TokenKind = 'word' | 'quotedName' | 'string' | 'number' | 'hex' | 'parameter' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  readonly value: string;
  /** Where it starts and ends in the statement. */
  readonly start: number;
  readonly end: number;
}

/** 50,000: about a thousand comparisons. Who sends more has a program that should ask differently. */
export const SQL_LENGTH_MAX = 50_000;

const SPACE = /\s+/y;
const LINE_COMMENT = /--[^\n]*/y;
const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const HEX = /0[xX]([0-9a-fA-F]*)/y;
const SYMBOL = /<>|!=|<=|>=|::|\|\||[()[\],.;*+\-/%=<>|&^~!:?@#{}]/y;

export function tokenize(sql: string): Token[] {
  if (sql.length > SQL_LENGTH_MAX) {
    throw sqlErrorAt(
      sql,
      SQL_LENGTH_MAX,
      'TOO_LONG',
      `the statement is longer than ${SQL_LENGTH_MAX} characters`,
    );
  }
  const tokens: Token[] = [];
  let at = skipBlanks(sql, 0);
  while (at < sql.length) {
    const token = readToken(sql, at);
    tokens.push(token);
    at = skipBlanks(sql, token.end);
  }
  tokens.push({ kind: 'end', value: '', start: sql.length, end: sql.length });
  return tokens;
}

function skipBlanks(sql: string, from: number): number {
  let at = from;
  for (;;) {
    const next = sql.startsWith('/*', at) ? endOfBlockComment(sql, at) : at + lengthOfBlank(sql, at);
    if (next === at) return at;
    at = next;
  }
}

function lengthOfBlank(sql: string, at: number): number {
  return (matchAt(SPACE, sql, at) ?? matchAt(LINE_COMMENT, sql, at))?.[0].length ?? 0;
}

function endOfBlockComment(sql: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(sql); found !== null; found = mark.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  throw sqlErrorAt(sql, start, 'SYNTAX', 'this comment has no end', 'Close it with `*/`.');
}

function readToken(sql: string, start: number): Token {
  const first = sql[start]!;
  if (first === "'") return readQuoted(sql, start, 'string');
  if (first === '"') return readQuoted(sql, start, 'quotedName');
  if ((first === 'x' || first === 'X') && sql[start + 1] === "'") return readHexString(sql, start);
  if (first === '0' && (sql[start + 1] === 'x' || sql[start + 1] === 'X')) return readHexNumber(sql, start);
  const number = matchAt(NUMBER, sql, start);
  if (number !== undefined) return readNumber(sql, start, number[0]);
  const word = matchAt(WORD, sql, start);
  if (word !== undefined) return makeToken('word', word[0], start, word[0].length);
  if (first === ':') {
    const name = matchAt(WORD, sql, start + 1);
    if (name !== undefined) return makeToken('parameter', name[0], start, name[0].length + 1);
  }
  const symbol = matchAt(SYMBOL, sql, start);
  if (symbol !== undefined) return makeToken('symbol', symbol[0], start, symbol[0].length);
  const shown = JSON.stringify(String.fromCodePoint(sql.codePointAt(start)!));
  throw sqlErrorAt(sql, start, 'SYNTAX', `the character ${shown} has no meaning here`, quoteHint(first));
}

function quoteHint(character: string): string | undefined {
  if (character === '`') return 'Names are quoted with `"`.';
  return character === '‘' || character === '’' ? "Strings are quoted with `'`." : undefined;
}

function readNumber(sql: string, start: number, text: string): Token {
  const tail = matchAt(WORD, sql, start + text.length);
  if (tail !== undefined) {
    throw sqlErrorAt(sql, start, 'SYNTAX', `\`${text}${tail[0]}\` is neither a number nor a name`);
  }
  return makeToken('number', text, start, text.length);
}

function readHexNumber(sql: string, start: number): Token {
  const digits = matchAt(HEX, sql, start)![1]!;
  const token = makeToken('hex', digits, start, digits.length + 2);
  const tail = matchAt(WORD, sql, token.end) ?? matchAt(NUMBER, sql, token.end);
  if (digits === '' || tail !== undefined) {
    const shown = `${sql.slice(start, token.end)}${tail?.[0] ?? ''}`;
    throw sqlErrorAt(sql, start, 'SYNTAX', `\`${shown}\` is not hexadecimal`, 'Digits are 0-9 and a-f.');
  }
  return token;
}

function readHexString(sql: string, start: number): Token {
  const text = readQuoted(sql, start + 1, 'string');
  if (!/^[0-9a-fA-F]*$/.test(text.value)) {
    const shown = sql.slice(start, text.end);
    throw sqlErrorAt(sql, start, 'SYNTAX', `\`${shown}\` is not hexadecimal`, 'Digits are 0-9 and a-f.');
  }
  return { kind: 'hex', value: text.value, start, end: text.end };
}

/** Text between two quotes, in which a doubled quote stands for one. */
function readQuoted(sql: string, start: number, kind: 'string' | 'quotedName'): Token {
  const quote = sql[start]!;
  let at = start + 1;
  for (;;) {
    const close = sql.indexOf(quote, at);
    if (close < 0) {
      const what = kind === 'string' ? 'this string' : 'this quoted name';
      throw sqlErrorAt(sql, start, 'SYNTAX', `${what} has no end`, `Close it with \`${quote}\`.`);
    }
    if (sql[close + 1] !== quote) {
      const value = sql.slice(start + 1, close).replaceAll(quote + quote, quote);
      if (kind === 'quotedName' && value === '') {
        throw sqlErrorAt(sql, start, 'SYNTAX', 'a quoted name needs at least one character');
      }
      return { kind, value, start, end: close + 1 };
    }
    at = close + 2;
  }
}

function makeToken(kind: TokenKind, value: string, start: number, length: number): Token {
  return { kind, value, start, end: start + length };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
