import type { ConnectionId } from '../../../../values/identity.js';
import { ConnectionError } from '../errors.js';
import type { CloseInfo } from '../transport/transport.js';

/* Where a connection's socket is, and why it is not there any more. */

export function socketUrl(
  uri: URL,
  databaseName: string,
  connectionId: ConnectionId,
  confirmedReads: boolean | undefined,
): URL {
  const base = new URL(uri);
  base.protocol = uri.protocol === 'https:' || uri.protocol === 'wss:' ? 'wss:' : 'ws:';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  const url = new URL(`v1/database/${encodeURIComponent(databaseName)}/subscribe`, base);
  url.searchParams.set('compression', 'None');
  url.searchParams.set('connection_id', connectionId.toHexString());
  if (confirmedReads !== undefined) url.searchParams.set('confirmed', String(confirmedReads));
  return url;
}

/** The error that a closed transport means. */
export function closeError({ code, reason, cause }: CloseInfo, wasActive: boolean): ConnectionError {
  const detail = reason === '' ? describeCause(cause) : reason;
  const what = wasActive ? 'the connection closed' : 'the connection could not be made';
  return new ConnectionError(
    wasActive ? 'DISCONNECTED' : 'CONNECT_FAILED',
    `${what} (${code}${detail === '' ? '' : `: ${detail}`})`,
    {
      cause,
      closeCode: code,
      closeReason: reason,
      httpStatus: cause instanceof ConnectionError ? cause.httpStatus : undefined,
    },
  );
}

function describeCause(cause: unknown): string {
  if (cause instanceof Error) return cause.message;
  return typeof cause === 'string' ? cause : '';
}
