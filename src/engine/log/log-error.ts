export type LogErrorCode =
  /** A write or sync failed: the log takes nothing any more until the process is started again. */
  | 'LOG_FAILED'
  /** What should be there is damaged, and it is not the end of the log that a crash may tear. */
  | 'CORRUPT'
  | 'OTHER_VERSION'
  | 'OTHER_DATABASE'
  /** The past that was asked for is not kept any more, or not there yet. */
  | 'TOO_OLD'
  /** Another process has the folder. */
  | 'LOCKED'
  /** The disk is so far behind that taking more would use unbounded memory. */
  | 'BACKLOG_FULL'
  | 'CLOSED';

/** For a file that another version of Chorale wrote. */
export function otherVersion(file: string, found: number, readable: number | string): LogError {
  return new LogError(
    'OTHER_VERSION',
    `${file} has format version ${found}, this version of Chorale reads format version ${readable}: ` +
      `run it with the version of Chorale that wrote it, or use another data directory. Nothing was changed.`,
  );
}

export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
