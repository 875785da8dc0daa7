import { ConnectionError } from '../errors.js';

/** Longer answers are not a token: ours are below 1 KiB, and nothing here is worth more memory. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** As long as the connection itself may take. */
const TIMEOUT_MS = 15_000;

/** Exchanges a token for a short-lived one that may stand in a URL (POST /v1/identity/websocket-token). */
export async function fetchWebSocketToken(socketUrl: URL, token: string): Promise<string> {
  const url = new URL('../../identity/websocket-token', socketUrl);
  url.protocol = socketUrl.protocol === 'wss:' ? 'https:' : 'http:';
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new ConnectionError(
      'CONNECT_FAILED',
      `the server refused the token (${response.status}): ${text.slice(0, 200)}`,
      { httpStatus: response.status },
    );
  }
  return parseToken(text);
}

function parseToken(text: string): string {
  const answer: unknown = text.length <= ANSWER_BYTES_MAX ? JSON.parse(text) : undefined;
  const token = (answer as { readonly token?: unknown } | null | undefined)?.token;
  if (typeof token !== 'string') {
    throw new ConnectionError('CONNECT_FAILED', 'the server answered something else than a WebSocket token');
  }
  return token;
}
