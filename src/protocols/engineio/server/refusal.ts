/*
 * What a client is told when a request cannot be served, as the reference server tells it.
 *
 *   code  message                       HTTP   when
 *   0     Transport unknown             400    `transport` is none that is on
 *   1     Session ID unknown            400    `sid` names no session
 *   2     Bad handshake method          400    a handshake that is no GET
 *   3     Bad request                   400    wrong transport for the session, invalid origin, and the like
 *   4     Forbidden                     403    the application refused
 *   5     Unsupported protocol version  400    EIO is not 4 (or 3, where that is on)
 */
export const RefusalCode = {
  unknownTransport: 0,
  unknownSid: 1,
  badHandshakeMethod: 2,
  badRequest: 3,
  forbidden: 4,
  unsupportedProtocolVersion: 5,
} as const;
export type RefusalCode = (typeof RefusalCode)[keyof typeof RefusalCode];

export const REFUSAL_MESSAGES = [
  'Transport unknown',
  'Session ID unknown',
  'Bad handshake method',
  'Bad request',
  'Forbidden',
  'Unsupported protocol version',
] as const;

export interface Refusal {
  readonly kind: 'refuse';
  readonly code: RefusalCode;
  readonly status: number;
  /** JSON for HTTP. */
  readonly body: string;
  /** Text for WebSocket handshakes. */
  readonly message: string;
  /** For those who run the server; clients do not see it. */
  readonly context: Readonly<Record<string, unknown>>;
}

export function refuse(
  code: RefusalCode,
  context: Readonly<Record<string, unknown>> = {},
  message: string = REFUSAL_MESSAGES[code],
): Refusal {
  const status = code === RefusalCode.forbidden ? 403 : 400;
  return { kind: 'refuse', code, status, message, body: JSON.stringify({ code, message }), context };
}

/** A refusal in words of the application's own, such as python-engineio's 401 with any JSON. */
export function refuseWith(status: number, reason: unknown): Refusal {
  const body = JSON.stringify(reason) ?? 'null';
  const message = typeof reason === 'string' ? reason : body;
  return { kind: 'refuse', code: RefusalCode.forbidden, status, message, body, context: { message } };
}
