import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

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
  try {
    // Ends the body's iterator when the client goes away, and cuts the connection when the iterator throws.
    await pipeline(Readable.from(body), out);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
