import type { ColumnName, Comparison, Expression, Literal, Operand } from './ast.js';
import type { Token } from './lexer.js';
import { didYouMean, shorten } from './token-cursor.js';
import type { TokenCursor } from './token-cursor.js';

/*
 * expression := conjunction { OR conjunction }
 * conjunction := negation { AND negation }
 * negation := NOT negation | primary [ comparison primary ]
 * primary := '(' expression ')' | column | literal | :sender
 */

/** 64 parentheses and NOTs inside each other: more than people write, and far less than the stack holds. */
export const EXPRESSION_DEPTH_MAX = 64;

const SYMBOL_COMPARISONS: Readonly<Record<string, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

const UNSUPPORTED_INFIX = new Set([
  'IS',
  'IN',
  'LIKE',
  'ILIKE',
  'BETWEEN',
  'SIMILAR',
  'ISNULL',
  'NOTNULL',
  'COLLATE',
]);
const UNSUPPORTED_SYMBOLS = new Set([
  '+',
  '-',
  '*',
  '/',
  '%',
  '||',
  '::',
  '^',
  '&',
  '|',
  '~',
  '[',
  '?',
  '@',
  '#',
]);
const UNSUPPORTED_PREFIX = new Set([
  'NULL',
  'CASE',
  'CAST',
  'EXISTS',
  'SELECT',
  'ARRAY',
  'INTERVAL',
  'ANY',
  'ALL',
]);

export function parseExpression(cursor: TokenCursor, depth = 0): Expression {
  return parseJunction(cursor, 'or', depth);
}

function parseJunction(cursor: TokenCursor, kind: 'and' | 'or', depth: number): Expression {
  const parseOperand = (): Expression =>
    kind === 'or' ? parseJunction(cursor, 'and', depth) : parseNegation(cursor, depth);
  const first = parseOperand();
  const operands = [first];
  while (cursor.takeKeyword(kind.toUpperCase())) operands.push(parseOperand());
  return operands.length === 1 ? first : { kind, operands, at: first.at };
}

function parseNegation(cursor: TokenCursor, depth: number): Expression {
  const at = cursor.token.start;
  if (cursor.takeKeyword('NOT')) {
    return { kind: 'not', operand: parseNegation(cursor, deeper(cursor, depth)), at };
  }
  const left = parsePrimary(cursor, depth);
  const comparison = cursor.token.kind === 'symbol' ? comparisonOf(cursor.token.value) : undefined;
  if (comparison === undefined) {
    refuseUnsupportedInfix(cursor, left.at);
    return left;
  }
  cursor.next();
  const right = parsePrimary(cursor, depth);
  refuseUnsupportedInfix(cursor, left.at);
  if (!isOperand(left) || !isOperand(right)) throw unsupportedExpression(cursor, left.at);
  if (cursor.token.kind === 'symbol' && comparisonOf(cursor.token.value) !== undefined) {
    cursor.next();
    throw unsupportedExpression(cursor, left.at, 'Comparisons are joined with AND.');
  }
  return { kind: 'compare', comparison, left, right, at: left.at };
}

function parsePrimary(cursor: TokenCursor, depth: number): Expression {
  const { token } = cursor;
  if (cursor.isSymbol('(')) {
    const inside = deeper(cursor, depth);
    cursor.next();
    const expression = parseExpression(cursor, inside);
    cursor.expectSymbol(')');
    return expression;
  }
  if (token.kind === 'parameter') return parseParameter(cursor);
  const literal = parseLiteral(cursor);
  if (literal !== undefined) return literal;
  if (token.kind === 'word' && UNSUPPORTED_PREFIX.has(token.value.toUpperCase())) {
    cursor.next();
    throw unsupportedExpression(cursor, token.start);
  }
  if (!cursor.isName()) throw cursor.unexpected('a column, a literal or `(`');
  if (cursor.isSymbol('(', cursor.peek())) throw unsupportedCall(cursor);
  return parseColumnName(cursor);
}

function parseParameter(cursor: TokenCursor): Operand {
  const token = cursor.next();
  if (token.value === 'sender') return { kind: 'sender', at: token.start };
  const isCase = token.value.toLowerCase() === 'sender';
  throw cursor.error(
    token.start,
    'NOT_IN_SCOPE',
    `there is no parameter \`:${shorten(token.value)}\``,
    isCase ? didYouMean(':sender') : 'The only parameter is `:sender`.',
  );
}

/** A column, qualified or not. */
export function parseColumnName(cursor: TokenCursor): ColumnName {
  const first = cursor.expectName('a column');
  const parts = [first.text];
  let name = first;
  while (cursor.takeSymbol('.')) {
    name = cursor.expectName('a column');
    parts.push(name.text);
  }
  const table = parts.length === 1 ? undefined : { text: parts.slice(0, -1).join('.'), at: first.at };
  return { kind: 'column', table, name, at: first.at };
}

function parseLiteral(cursor: TokenCursor): Literal | undefined {
  const start = cursor.token.start;
  const form = literalForm(cursor, cursor.token);
  if (form !== undefined) {
    const token = cursor.next();
    const value = form === 'bool' ? token.value.toLowerCase() : token.value;
    return { kind: 'literal', form, value, text: cursor.textOf(token), at: start };
  }
  const isSigned = cursor.isSymbol('-') || cursor.isSymbol('+');
  if (!isSigned || cursor.peek().kind !== 'number') return undefined;
  const sign = cursor.next().value;
  const { value } = cursor.next();
  const signed = sign === '-' ? `-${value}` : value;
  return { kind: 'literal', form: 'number', value: signed, text: cursor.textSince(start), at: start };
}

function literalForm(cursor: TokenCursor, token: Token): Literal['form'] | undefined {
  if (token.kind === 'number' || token.kind === 'string' || token.kind === 'hex') return token.kind;
  return cursor.isKeyword('TRUE', token) || cursor.isKeyword('FALSE', token) ? 'bool' : undefined;
}

function isOperand(expression: Expression): expression is Operand {
  return expression.kind === 'column' || expression.kind === 'literal' || expression.kind === 'sender';
}

function comparisonOf(symbol: string): Comparison | undefined {
  return Object.hasOwn(SYMBOL_COMPARISONS, symbol) ? SYMBOL_COMPARISONS[symbol] : undefined;
}

/** Arithmetic, IS, IN, LIKE and the like: known, but not part of this dialect. */
function refuseUnsupportedInfix(cursor: TokenCursor, start: number): void {
  const { token } = cursor;
  const isWord = token.kind === 'word' && UNSUPPORTED_INFIX.has(token.value.toUpperCase());
  const isNegated = cursor.isKeyword('NOT') && UNSUPPORTED_INFIX.has(cursor.peek().value.toUpperCase());
  const isSymbol = token.kind === 'symbol' && UNSUPPORTED_SYMBOLS.has(token.value);
  if (!isWord && !isNegated && !isSymbol) return;
  const word = (isNegated ? cursor.peek() : token).value.toUpperCase();
  cursor.next();
  if (isNegated) cursor.next();
  cursor.takeKeyword('NOT');
  cursor.takeKeyword('NULL');
  throw unsupportedExpression(cursor, start, infixHint(word));
}

function infixHint(word: string): string | undefined {
  if (word === 'IN') return 'Write `a = 1 OR a = 2`.';
  if (word === 'BETWEEN') return 'Write `a >= 1 AND a <= 2`.';
  return undefined;
}

function unsupportedExpression(cursor: TokenCursor, start: number, hint?: string): Error {
  return cursor.unsupported(start, `Unsupported expression: ${shorten(cursor.textSince(start))}`, hint);
}

function unsupportedCall(cursor: TokenCursor): Error {
  const token = cursor.next();
  const text = `Unsupported expression: ${shorten(cursor.textOf(token))}(...)`;
  return cursor.unsupported(token.start, text, 'There are no functions here.');
}

function deeper(cursor: TokenCursor, depth: number): number {
  if (depth < EXPRESSION_DEPTH_MAX) return depth + 1;
  const text = `the expression is nested deeper than ${EXPRESSION_DEPTH_MAX} levels`;
  throw cursor.error(cursor.token.start, 'TOO_DEEP', text);
}
