import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

import type { HttpBody, HttpResponse } from './http-message.js';

/**
 * Writes an answer. A stream is written at the speed of the client and returned (its `finally` runs) when the
 * client goes away; if it throws, the connection is cut, so that nobody takes the part for the whole.
 */
export async function writeResponse(
  out: ServerResponse,
  response: HttpResponse,
  isHead: boolean,
  signal: AbortSignal,
): Promise<void> {
  for (const [name, value] of Object.entries(response.headers ?? {})) {
    out.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  out.statusCode = response.status;
  const { body } = response;
  if (!isStream(body)) {
    if (response.status !== 204 && response.status !== 304) {
      out.setHeader('content-length', body === undefined ? 0 : Buffer.byteLength(body));
    }
    out.end(isHead ? undefined : body);
  } else if (isHead) {
    out.end();
  } else {
    await writeStream(out, body, signal);
  }
}

function isStream(body: HttpBody | undefined): body is AsyncIterable<string | Uint8Array> {
  return body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array);
}

async function writeStream(
  out: ServerResponse,
  body: AsyncIterable<string | Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  out.flushHeaders();
  const iterator = body[Symbol.asyncIterator]();
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal.aborted) resolve('aborted');
    else signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
  for (;;) {
    // A stream may wait for ever for its next piece, its client does not.
    const next = await Promise.race([iterator.next(), aborted]);
    if (next === 'aborted') {
      await iterator.return?.();
      return;
    }
    if (next.done === true) break;
    if (!out.write(next.value)) await Promise.race([once(out, 'drain'), aborted]);
  }
  out.end();
}
