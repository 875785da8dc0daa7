import {
  BaseError,
  InvalidArgument,
  InvalidUri,
  Interrupt,
  ProcedureAlreadyExists,
  WampError,
} from './errors.js';
import type { ProtocolUri } from './message.js';
import type { MatchPolicy } from './policies.js';
import type { UriPattern } from './uri.js';
import { matchesUri } from '../messages/uri.js';

/** Makes the exception for an ERROR. */
export type ErrorFactory = (error: WampError) => Error;

/** An exception class of the application. */
export type ErrorClass = abstract new (...parameters: never[]) => Error;

/** Answers that were attached to exceptions by hand. */
const attached = new WeakMap<Error, WampError>();

/** Makes `error` answer the caller when `exception` leaves a procedure, whatever its class. */
export function setInvocationError(exception: Error, error: WampError): void {
  attached.set(exception, error);
}

/** Which exception an ERROR becomes, and which ERROR an exception becomes. */
export class ErrorMap {
  /** Whole URIs first, then the longest pattern; of two that are alike, the one that came last. */
  #responses: readonly (UriPattern & { readonly factory: ErrorFactory })[] = [];
  readonly #uris: { readonly errorClass: ErrorClass; readonly uri: string }[] = [];

  constructor() {
    for (const Class of [InvalidUri, ProcedureAlreadyExists, InvalidArgument]) {
      this.registerErrorResponse(
        new Class().uri,
        ({ args, kwargs, details }) => new Class(args, kwargs, details),
      );
    }
  }

  /** ERRORs with this URI become what `factory` makes. Of several patterns that cover a URI the longest counts. */
  registerErrorResponse(
    uri: string,
    factory: ErrorFactory,
    { match = 'exact' }: { readonly match?: MatchPolicy } = {},
  ): void {
    const rank = (one: UriPattern): number => (one.match === 'exact' ? Infinity : one.uri.length);
    const responses = [{ uri, match, factory }, ...this.#responses];
    // Infinity less Infinity is no number, which is taken for 0.
    this.#responses = responses.sort((one, other) => rank(other) - rank(one) || 0);
  }

  /** Exceptions of this class that leave a procedure become ERRORs with this URI, the text their first argument. */
  registerException(errorClass: ErrorClass, uri: string): void {
    // What was registered last is asked first, so that a subclass can be told from what it extends.
    this.#uris.unshift({ errorClass, uri });
  }

  errorToException(error: WampError): Error {
    const response = this.#responses.find(({ uri, match }) => matchesUri(uri, match, error.uri));
    return response?.factory(error) ?? error;
  }

  exceptionToInvocationError(exception: unknown): WampError {
    const answer = attached.get(exception as Error) ?? exception;
    if (answer instanceof WampError) return answer;
    if (exception instanceof Interrupt) return new WampError('wamp.error.canceled' satisfies ProtocolUri);
    const known = this.#uris.find(({ errorClass }) => exception instanceof errorClass);
    const text = exception instanceof Error ? exception.message : String(exception);
    return new WampError(known?.uri ?? ('wamp.error.runtime_error' satisfies ProtocolUri), [text]);
  }
}

/** Whether an ERROR with this URI was the answer. */
export function isWampError(error: unknown, uri?: string): error is WampError {
  return error instanceof BaseError && error instanceof WampError && (uri === undefined || error.uri === uri);
}
