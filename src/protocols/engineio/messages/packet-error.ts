export type PacketErrorCode =
  | 'EMPTY_PACKET'
  | 'UNKNOWN_TYPE'
  | 'BAD_BASE64'
  | 'BAD_UTF8'
  | 'BAD_LENGTH'
  | 'TOO_MANY_PACKETS'
  | 'SEPARATOR_IN_TEXT'
  | 'BAD_HANDSHAKE';

/** What came, or was to be sent, is no Engine.IO packet or payload. */
export class PacketError extends Error {
  override readonly name = 'PacketError';
  readonly code: PacketErrorCode;

  constructor(code: PacketErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
