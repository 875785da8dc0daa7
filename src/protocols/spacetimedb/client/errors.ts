/** A reducer or procedure refused: what its author threw as SenderError. */
export class SenderError extends Error {
  override readonly name = 'SenderError';
}

/** A reducer or procedure broke, does not exist, or was called with arguments that do not fit. */
export class InternalError extends Error {
  override readonly name = 'InternalError';
}

export type ConnectionErrorCode =
  /** The connection closed; `closeCode` and `closeReason` say how. */
  | 'DISCONNECTED'
  /** The connection broke before the answer came: the call may have taken effect or not. */
  | 'OUTCOME_UNKNOWN'
  /** The server could not be reached or refused. */
  | 'CONNECT_FAILED'
  /** No answer within the time given; what was asked for may still happen. */
  | 'TIMEOUT'
  /** Too much waits to be sent or answered. */
  | 'BACKLOG_FULL'
  /** The arguments do not fit their types, or are too long to be sent. */
  | 'BAD_ARGUMENTS'
  /** The server sent something that is not the protocol. */
  | 'PROTOCOL'
  /** The server refused or dropped a subscription. */
  | 'SUBSCRIPTION';

/** Something is wrong with the connection, or with what was asked of it. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ConnectionErrorCode;
  readonly closeCode: number | undefined;
  readonly closeReason: string | undefined;
  /** What the server answered instead of a connection, where the platform tells. */
  readonly httpStatus: number | undefined;

  constructor(
    code: ConnectionErrorCode,
    message: string,
    facts: {
      readonly cause?: unknown;
      readonly closeCode?: number;
      readonly closeReason?: string;
      readonly httpStatus?: number | undefined;
    } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.closeCode = facts.closeCode;
    this.closeReason = facts.closeReason;
    this.httpStatus = facts.httpStatus;
  }
}

export type ProblemLevel = 'warn' | 'error';

/** Where a client reports what it cannot answer with an exception. The console, unless the builder was told otherwise. */
export type ProblemLog = (level: ProblemLevel, message: string, cause?: unknown) => void;

export const consoleProblemLog: ProblemLog = (level, message, cause) => {
  const write = level === 'warn' ? console.warn : console.error;
  if (cause === undefined) write(`chorale: ${message}`);
  else write(`chorale: ${message}`, cause);
};
