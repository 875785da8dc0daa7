import type { IncomingMessage, ServerResponse } from 'node:http';
import { createDeflate, createGzip } from 'node:zlib';

import type { Packet, ProtocolVersion } from '../messages/packet.js';
import { encodeBinaryPayloadV3, encodePayloadV3, hasBinary } from '../messages/payload-v3.js';
import { encodePayload } from '../messages/payload.js';
import type { HeaderMap } from './cors.js';
import { endResponse } from './end-response.js';

export interface PollFormat {
  readonly protocol: ProtocolVersion;
  /** Protocol 3 only: the client can read octets. */
  readonly isBinary: boolean;
  /** The digits of `j`, if the answer is to be a script. */
  readonly jsonp: string | undefined;
  readonly compression: { readonly thresholdBytes: number } | undefined;
}

/** Answers a poll. */
export function writePoll(
  request: IncomingMessage,
  response: ServerResponse,
  headers: HeaderMap,
  packets: readonly Packet[],
  format: PollFormat,
): void {
  const payload = encodeFor(packets, format);
  if (format.jsonp !== undefined) {
    headers['content-type'] = 'text/javascript; charset=UTF-8';
    writeBody(
      request,
      response,
      headers,
      `___eio[${format.jsonp}](${scriptString(payload as string)});`,
      format,
    );
    return;
  }
  headers['content-type'] =
    typeof payload === 'string' ? 'text/plain; charset=UTF-8' : 'application/octet-stream';
  writeBody(request, response, headers, payload, format);
}

function encodeFor(packets: readonly Packet[], format: PollFormat): string | Uint8Array {
  if (format.protocol === 4) return encodePayload(packets);
  const isBinary = format.isBinary && format.jsonp === undefined && hasBinary(packets);
  return isBinary ? encodeBinaryPayloadV3(packets) : encodePayloadV3(packets);
}

/** A string literal of JavaScript that is safe in a script element, too. */
export function scriptString(text: string): string {
  return JSON.stringify(text)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
    .replaceAll('<', '\\u003c');
}

function writeBody(
  request: IncomingMessage,
  response: ServerResponse,
  headers: HeaderMap,
  body: string | Uint8Array,
  { compression }: PollFormat,
): void {
  headers['cache-control'] = 'no-store';
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const encoding =
    compression !== undefined && bytes >= compression.thresholdBytes ? acceptedEncoding(request) : undefined;
  if (encoding === undefined) {
    headers['content-length'] = String(bytes);
    response.writeHead(200, headers);
    endResponse(response, body, bytes);
    return;
  }
  headers['content-encoding'] = encoding;
  headers['vary'] =
    headers['vary'] === undefined ? 'Accept-Encoding' : `${String(headers['vary'])}, Accept-Encoding`;
  response.writeHead(200, headers);
  const compressor = encoding === 'gzip' ? createGzip() : createDeflate();
  compressor.pipe(response);
  compressor.end(body);
}

function acceptedEncoding(request: IncomingMessage): 'gzip' | 'deflate' | undefined {
  const accepted = request.headers['accept-encoding'];
  if (typeof accepted !== 'string') return undefined;
  const names = accepted.split(',').map((part) => part.split(';')[0]!.trim().toLowerCase());
  return names.find((name): name is 'gzip' | 'deflate' => name === 'gzip' || name === 'deflate');
}
