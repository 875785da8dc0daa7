/** Why a connection ended, as `disconnect` handlers are told; python-engineio's words. */
export const reason = {
  CLIENT_DISCONNECT: 'client disconnect',
  SERVER_DISCONNECT: 'server disconnect',
  TRANSPORT_ERROR: 'transport error',
} as const;

/** One of the constants, or what `disconnect({ reason })` was given. */
export type DisconnectReason = (typeof reason)[keyof typeof reason] | (string & {});
