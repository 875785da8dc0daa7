import { EngineError } from '../engine/errors.js';
import type { EngineErrorCode } from '../engine/errors.js';

/**
 * Thrown by a reducer to refuse: everything it did is undone and the caller gets the message.
 *
 * @example
 * if (name === '') throw new SenderError('a name needs at least one letter');
 */
export class SenderError extends Error {
  override readonly name = 'SenderError';
}

/** A class for `instanceof` that knows errors of the database by their code, whoever made them. */
interface HostErrorClass {
  new (message: string): EngineError;
  [Symbol.hasInstance](value: unknown): boolean;
}

function hostError(code: EngineErrorCode): HostErrorClass {
  return class extends EngineError {
    constructor(message: string) {
      super(code, message);
    }

    static override [Symbol.hasInstance](value: unknown): boolean {
      return value instanceof EngineError && value.code === code;
    }
  };
}

/**
 * What the database refuses, as classes, so that a reducer can catch one kind.
 *
 * @example
 * try {
 *   ctx.db.user.insert({ id, name });
 * } catch (error) {
 *   if (error instanceof errors.UniqueAlreadyExists) throw new SenderError(`${name} is taken`);
 *   throw error;
 * }
 */
export const errors = {
  HostCallFailure: hostError('HostCallFailure'),
  NotInTransaction: hostError('NotInTransaction'),
  BsatnDecodeError: hostError('BsatnDecodeError'),
  NoSuchTable: hostError('NoSuchTable'),
  NoSuchIndex: hostError('NoSuchIndex'),
  WrongIndexAlgo: hostError('WrongIndexAlgo'),
  UniqueAlreadyExists: hostError('UniqueAlreadyExists'),
  ScheduleAtDelayTooLong: hostError('ScheduleAtDelayTooLong'),
  IndexNotUnique: hostError('IndexNotUnique'),
  NoSuchRow: hostError('NoSuchRow'),
  AutoIncOverflow: hostError('AutoIncOverflow'),
  WouldBlockTransaction: hostError('WouldBlockTransaction'),
} as const;
