import type { IncomingMessage } from 'node:http';

import { HttpError } from './http-error.js';

/** The whole body. Throws HttpError 413 as soon as it is known to be larger than `bytesMax`. */
export function readBody(message: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const announced = Number(message.headers['content-length'] ?? 0);
  if (announced > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const onData = (chunk: Uint8Array): void => {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        stop();
        // The rest is read and forgotten: a client that is cut off while it sends never sees the answer.
        message.resume();
        reject(tooLarge(bytesMax));
      } else chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      resolve(Buffer.concat(chunks, bytes));
    };
    const onGone = (): void => {
      stop();
      reject(new HttpError(400, 'the request ended before its body was complete'));
    };
    const stop = (): void => {
      message.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
    };
    if (message.destroyed) onGone();
    else message.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

function tooLarge(bytesMax: number): HttpError {
  return new HttpError(413, `the body is larger than ${bytesMax} bytes`);
}
