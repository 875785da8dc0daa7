import { closestWord } from '../base/closest-word.js';

/**
 * What can go wrong in the database through no fault of its own. The numbers are those that SpacetimeDB's host gives to
 * modules (`errno`), so that typed error classes on the module's side fit.
 */
export const ENGINE_ERROR_NUMBERS = {
  HostCallFailure: 1,
  NotInTransaction: 2,
  /** The row or value does not have the column's type. */
  BsatnDecodeError: 3,
  NoSuchTable: 4,
  NoSuchIndex: 5,
  WrongIndexAlgo: 10,
  UniqueAlreadyExists: 12,
  ScheduleAtDelayTooLong: 13,
  IndexNotUnique: 14,
  NoSuchRow: 15,
  AutoIncOverflow: 16,
  WouldBlockTransaction: 17,
} as const;

export type EngineErrorCode = keyof typeof ENGINE_ERROR_NUMBERS;

/** A refused operation. Nothing was changed by it; the transaction may go on. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  /** The number a SpacetimeDB module knows the error by. */
  readonly errno: number;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.errno = ENGINE_ERROR_NUMBERS[code];
  }
}

/** A value for a message: short, on one line. */
export function describeValue(value: unknown): string {
  const text = textOf(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(describeValue).join(', ')}]`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value !== 'object' || value === null) return String(value);
  for (const method of ['toHexString', 'toISOString', 'toMillis'] as const) {
    const format: unknown = (value as Record<string, unknown>)[method];
    if (typeof format === 'function') return String(format.call(value));
  }
  return `{${Object.keys(value).slice(0, 4).join(', ')}}`;
}

/** ` (did you mean \`x\`?)`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const closest = closestWord(word, candidates);
  return closest === undefined ? '' : ` (did you mean \`${closest}\`?)`;
}
