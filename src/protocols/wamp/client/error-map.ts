import {
  BaseError,
  InvalidArgument,
  InvalidUri,
  Interrupt,
  ProcedureAlreadyExists,
  WampError,
} from './errors.js';
import type { Args, Dict, Kwargs } from './payload.js';
import { MatchPolicy } from './policies.js';
import type { UriPattern } from './uri.js';
import { matchesUri } from '../messages/uri.js';
import * as Uris from '../messages/uris.js';

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

type BuiltIn = new (args?: Args, kwargs?: Kwargs, details?: Dict) => WampError;

const BUILT_IN: readonly (readonly [string, BuiltIn])[] = [
  [Uris.invalidUri, InvalidUri],
  [Uris.procedureAlreadyExists, ProcedureAlreadyExists],
  [Uris.invalidArgument, InvalidArgument],
];

/** Which exception an ERROR becomes, and which ERROR an exception becomes. */
export class ErrorMap {
  readonly #exact = new Map<string, ErrorFactory>();
  /** The longest first; of two that are as long, the one that came last. */
  #patterns: readonly (UriPattern & { readonly factory: ErrorFactory })[] = [];
  readonly #uris: { readonly errorClass: ErrorClass; readonly uri: string }[] = [];

  constructor() {
    for (const [uri, Class] of BUILT_IN) {
      this.registerErrorResponse(uri, ({ args, kwargs, details }) => new Class(args, kwargs, details));
    }
  }

  /** ERRORs with this URI become what `factory` makes. Of several patterns that cover a URI the longest counts. */
  registerErrorResponse(
    uri: string,
    factory: ErrorFactory,
    { match = MatchPolicy.exact }: { readonly match?: MatchPolicy } = {},
  ): void {
    if (match === MatchPolicy.exact) this.#exact.set(uri, factory);
    else {
      const patterns = [{ uri, match, factory }, ...this.#patterns];
      this.#patterns = patterns.sort((one, other) => other.uri.length - one.uri.length);
    }
  }

  /** Exceptions of this class that leave a procedure become ERRORs with this URI, the text their first argument. */
  registerException(errorClass: ErrorClass, uri: string): void {
    // What was registered last is asked first, so that a subclass can be told from what it extends.
    this.#uris.unshift({ errorClass, uri });
  }

  errorToException(error: WampError): Error {
    const pattern = this.#patterns.find(({ uri, match }) => matchesUri(uri, match, error.uri));
    return (this.#exact.get(error.uri) ?? pattern?.factory)?.(error) ?? error;
  }

  exceptionToInvocationError(exception: unknown): WampError {
    if (!(exception instanceof Error)) return new WampError(Uris.runtimeError, [String(exception)]);
    const byHand = attached.get(exception);
    if (byHand !== undefined) return byHand;
    if (exception instanceof WampError) return exception;
    if (exception instanceof Interrupt) return new WampError(Uris.canceled);
    const uri = this.#uris.find(({ errorClass }) => exception instanceof errorClass)?.uri;
    return new WampError(uri ?? Uris.runtimeError, [exception.message]);
  }
}

/** Whether an ERROR with this URI was the answer. */
export function isWampError(error: unknown, uri?: string): error is WampError {
  return error instanceof BaseError && error instanceof WampError && (uri === undefined || error.uri === uri);
}
