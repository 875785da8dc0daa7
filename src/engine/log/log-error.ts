export type LogErrorCode =
  /** A write or sync failed: the log takes nothing any more until the process is started again. */
  | 'LOG_FAILED'
  /** What should be there is damaged, and it is not the end of the log that a crash may tear. */
  | 'CORRUPT'
  | 'OTHER_VERSION'
  | 'OTHER_DATABASE'
  /** Another process has the folder. */
  | 'LOCKED'
  /** The disk is so far behind that taking more would use unbounded memory. */
  | 'BACKLOG_FULL'
  | 'CLOSED';

export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
