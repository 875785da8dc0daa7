import { ConnectionError } from '../errors.js';
import type { ConnectionErrorCode } from '../errors.js';

export type SpacetimeDBExceptionCode =
  | ConnectionErrorCode
  /** The client is not connected, or not yet. */
  | 'NOT_CONNECTED'
  /** `close()` or `forceClose()` was called. */
  | 'CLOSED'
  /** What was handed in is not a generated package, or is used by another client. */
  | 'BAD_PACKAGE';

/** What goes wrong with a SpacetimeDBAsyncClient. `code` is stable; the text is for people. */
export class SpacetimeDBException extends Error {
  override readonly name = 'SpacetimeDBException';
  readonly code: SpacetimeDBExceptionCode;

  constructor(code: SpacetimeDBExceptionCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** The same trouble in this class; what it is already stays. */
  static from(error: unknown): SpacetimeDBException {
    if (error instanceof SpacetimeDBException) return error;
    if (error instanceof ConnectionError) {
      if (error.cause instanceof SpacetimeDBException) return error.cause;
      return new SpacetimeDBException(error.code, error.message, error.cause ?? error);
    }
    return new SpacetimeDBException(
      'PROTOCOL',
      error instanceof Error ? error.message : String(error),
      error,
    );
  }
}
