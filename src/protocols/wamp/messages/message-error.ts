/**
 * - `UNDECODABLE`: the octets are not of this serializer
 * - `TOO_DEEP`: values are nested deeper than `DEPTH_MAX`
 * - `UNKNOWN_TYPE`: no message has this code
 * - `BAD_FIELD`: a field is missing, or of the wrong type
 * - `BAD_OPTION`: a known option has a value of the wrong type
 * - `UNENCODABLE`: a value has no form in this serializer
 * - `TOO_LONG`: more octets than the peers agreed on
 */
export type MessageErrorCode =
  | 'UNDECODABLE'
  | 'TOO_DEEP'
  | 'UNKNOWN_TYPE'
  | 'BAD_FIELD'
  | 'BAD_OPTION'
  | 'UNENCODABLE'
  | 'TOO_LONG';

/** Octets or values that are no WAMP message. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  readonly code: MessageErrorCode;

  constructor(code: MessageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
