/** What is wrong with a statement. */
export type SqlErrorCode =
  | 'SYNTAX'
  | 'TOO_LONG'
  | 'TOO_DEEP'
  | 'UNSUPPORTED'
  | 'NO_SUCH_TABLE'
  | 'NOT_IN_SCOPE'
  | 'BAD_LITERAL'
  | 'TYPE_MISMATCH';

/** A place in a statement. Line and column count from 1, `offset` from 0; all in UTF-16 units. */
export interface SqlPosition {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/**
 * A statement that cannot be run, for the one who wrote it. The message holds everything: what is wrong, where, and
 * what to do about it where that can be guessed.
 */
export class SqlError extends Error {
  override readonly name = 'SqlError';

  readonly code: SqlErrorCode;
  readonly position: SqlPosition;
  readonly hint: string | undefined;

  constructor(code: SqlErrorCode, text: string, position: SqlPosition, hint?: string) {
    super(`${text} (at ${position.line}:${position.column})${hint === undefined ? '' : ` ${hint}`}`);
    this.code = code;
    this.position = position;
    this.hint = hint;
  }
}

export function positionAt(sql: string, offset: number): SqlPosition {
  let line = 1;
  let lineStart = 0;
  for (let at = sql.indexOf('\n'); at >= 0 && at < offset; at = sql.indexOf('\n', at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { offset, line, column: offset - lineStart + 1 };
}

/** Makes the error for something at `offset` of `sql`. */
export function sqlErrorAt(
  sql: string,
  offset: number,
  code: SqlErrorCode,
  text: string,
  hint?: string,
): SqlError {
  return new SqlError(code, text, positionAt(sql, offset), hint);
}
