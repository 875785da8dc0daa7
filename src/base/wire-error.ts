/** What can be wrong with bytes that came from outside. */
export type WireErrorCode =
  | 'SHORT_READ'
  | 'TRAILING_BYTES'
  | 'BAD_BOOL'
  | 'BAD_TAG'
  | 'BAD_UTF8'
  | 'BAD_LENGTH'
  | 'BAD_VALUE'
  | 'TOO_DEEP'
  | 'OUT_OF_RANGE';

/** Bytes or values that do not fit their type. Carries the facts; the text is for people. */
export class WireError extends Error {
  override readonly name = 'WireError';

  readonly code: WireErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: WireErrorCode, message: string, facts: Readonly<Record<string, string | number>> = {}) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}
