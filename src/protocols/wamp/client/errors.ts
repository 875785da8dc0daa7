import { NO_ARGS, NO_KWARGS, textIn } from './payload.js';
import type { Args, Dict, Kwargs } from './payload.js';
import type { CancelMode } from './policies.js';
import type { ProtocolUri } from './message.js';

export type ErrorCode =
  /** The connection could not be made, or broke. What was asked for may still have happened. */
  | 'TRANSPORT'
  /** The router ended the session, or did not let it begin. */
  | 'ABORT'
  /** No way to prove who we are, or the router could not prove who it is. */
  | 'AUTH'
  /** Bytes that are not a message. */
  | 'INVALID_MESSAGE'
  /** A message that has no place here. */
  | 'UNEXPECTED_MESSAGE'
  /** Somebody answered with an ERROR; `uri` says which. */
  | 'WAMP'
  /** The client was closed. */
  | 'CLOSED'
  /** The caller does not want an answer any more. */
  | 'INTERRUPT'
  /** More waits than the limit allows. */
  | 'BACKLOG_FULL'
  /** There is no such registration, subscription, transport, ... here. */
  | 'NOT_FOUND'
  /** Not possible in this state: a second result, progress to who wants none, ... */
  | 'MISUSE';

/** Everything that the client throws or rejects with. */
export class BaseError extends Error {
  override readonly name: string = 'BaseError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export class TransportError extends BaseError {
  override readonly name = 'TransportError';

  constructor(message: string, cause?: unknown) {
    super('TRANSPORT', message, cause);
  }
}

/** The router sent ABORT. */
export class AbortError extends BaseError {
  override readonly name = 'AbortError';
  /** A URI, such as `wamp.error.no_such_realm`. */
  readonly reason: string;
  readonly details: Dict;

  constructor(reason: string, details: Dict = NO_KWARGS) {
    super('ABORT', `${reason}: ${textIn(details, 'message') ?? 'refused'}`);
    this.reason = reason;
    this.details = details;
  }
}

export class AuthError extends BaseError {
  override readonly name = 'AuthError';

  constructor(message: string, cause?: unknown) {
    super('AUTH', message, cause);
  }
}

/** Bytes that are not a message. The session ends. */
export class InvalidMessage extends BaseError {
  override readonly name: string = 'InvalidMessage';

  constructor(message: string, cause?: unknown) {
    super('INVALID_MESSAGE', message, cause);
  }
}

/** A message that has no place here. The session ends. */
export class UnexpectedMessageError extends InvalidMessage {
  override readonly name = 'UnexpectedMessageError';
  override readonly code = 'UNEXPECTED_MESSAGE';
  readonly received: string;
  readonly expected: string;

  constructor(received: string, expected: string) {
    super(`received ${received}, expected ${expected}`);
    this.received = received;
    this.expected = expected;
  }
}

/**
 * An ERROR: what a call, registration, ... is rejected with, and what a procedure throws to answer with one.
 *
 *     throw new WampError('com.app.error.no_stock', [articleId], { left: 0 });
 */
export class WampError extends BaseError {
  override readonly name: string = 'WampError';
  readonly uri: string;
  readonly args: Args;
  readonly kwargs: Kwargs;
  readonly details: Dict;

  constructor(uri: string, args: Args = NO_ARGS, kwargs: Kwargs = NO_KWARGS, details: Dict = NO_KWARGS) {
    super('WAMP', typeof args[0] === 'string' ? `${uri}: ${args[0]}` : uri);
    this.uri = uri;
    this.args = args;
    this.kwargs = kwargs;
    this.details = details;
  }
}

/** What is received is a WampError, ... */
export const ErrorResponse = WampError;
export type ErrorResponse = WampError;
/** ... and so is what a procedure throws: an error passes through a caller unchanged. */
export const InvocationError = WampError;
export type InvocationError = WampError;

export class InvalidUri extends WampError {
  override readonly name = 'InvalidUri';

  constructor(args?: Args, kwargs?: Kwargs, details?: Dict) {
    super('wamp.error.invalid_uri' satisfies ProtocolUri, args, kwargs, details);
  }
}

export class ProcedureAlreadyExists extends WampError {
  override readonly name = 'ProcedureAlreadyExists';

  constructor(args?: Args, kwargs?: Kwargs, details?: Dict) {
    super('wamp.error.procedure_already_exists' satisfies ProtocolUri, args, kwargs, details);
  }
}

export class InvalidArgument extends WampError {
  override readonly name = 'InvalidArgument';

  constructor(args?: Args, kwargs?: Kwargs, details?: Dict) {
    super('wamp.error.invalid_argument' satisfies ProtocolUri, args, kwargs, details);
  }
}

/** The client was closed before an answer came. */
export class ClientClosed extends BaseError {
  override readonly name = 'ClientClosed';

  constructor(message = 'the client is closed', cause?: unknown) {
    super('CLOSED', message, cause);
  }
}

/** Why a handler's `signal` is aborted: the caller cancelled, left, or time ran out. */
export class Interrupt extends BaseError {
  override readonly name = 'Interrupt';
  readonly options: Dict;

  constructor(options: Dict = NO_KWARGS) {
    super('INTERRUPT', `interrupted: ${textIn(options, 'reason') ?? 'by the caller'}`);
    this.options = options;
  }

  get cancelMode(): CancelMode {
    return (textIn(this.options, 'mode') ?? 'killnowait') as CancelMode;
  }
}

/** Whether there was no answer because the session ended, rather than an answer that says no. */
export function isSessionLoss(error: unknown): boolean {
  return error instanceof BaseError && !(error instanceof WampError) && error.code !== 'MISUSE';
}
