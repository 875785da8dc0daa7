/** Why somebody is not who he says he is. Protocols map the code or the status, never the text. */
export type AuthErrorCode =
  | 'MALFORMED'
  | 'REQUIRED'
  | 'BAD_ALGORITHM'
  | 'BAD_SIGNATURE'
  | 'BAD_CLAIMS'
  | 'IDENTITY_MISMATCH'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'ISSUER_REFUSED'
  | 'ISSUER_UNAVAILABLE'
  | 'BUSY';

/** What HTTP says about it. 503 only for BUSY: the token may be good, and the client should try again. */
export type AuthStatus = 400 | 401 | 503;

/** A token or an Authorization header that was refused. The text is safe to send to whoever presented it. */
export class AuthError extends Error {
  override readonly name = 'AuthError';

  readonly code: AuthErrorCode;

  constructor(code: AuthErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** A header or token that does not have the form of one; the text is the protocol's own. */
  static malformed(cause?: unknown): AuthError {
    return new AuthError('MALFORMED', 'Authorization is invalid: malformed token', { cause });
  }

  /** Anonymous where a token is mandatory. */
  static required(): AuthError {
    return new AuthError('REQUIRED', 'Authorization required');
  }

  get httpStatus(): AuthStatus {
    if (this.code === 'MALFORMED') return 400;
    return this.code === 'BUSY' ? 503 : 401;
  }
}
