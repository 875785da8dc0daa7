export type UpdateErrorCode =
  /** The bytes are no update: yjs would refuse them as well. */
  | 'MALFORMED'
  /** They are one, and larger than a stated limit. */
  | 'TOO_LARGE'
  /** The document would grow past its limit. */
  | 'DOCUMENT_FULL';

/** An update that is not taken. The text may be told to whoever sent it. */
export class UpdateError extends Error {
  override readonly name = 'UpdateError';
  readonly code: UpdateErrorCode;

  constructor(code: UpdateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
