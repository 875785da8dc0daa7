export type LocalConfigErrorCode =
  /** `getString` or `setString` before `init`. */
  | 'NOT_INITIALISED'
  /** A directory, client or key that cannot be used as a name. */
  | 'BAD_NAME'
  /** The folder or the file cannot be read or written; `cause` says why. */
  | 'NOT_ACCESSIBLE'
  /** The file holds something that `setString` did not write. */
  | 'NOT_READABLE';

/** The local configuration cannot do what was asked; the text says what to do. */
export class LocalConfigError extends Error {
  override readonly name = 'LocalConfigError';
  readonly code: LocalConfigErrorCode;
  readonly path: string | undefined;

  constructor(
    code: LocalConfigErrorCode,
    message: string,
    facts: { readonly path?: string; readonly cause?: unknown } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.path = facts.path;
  }
}
