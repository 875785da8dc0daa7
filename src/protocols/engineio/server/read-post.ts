import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';

import { type Packet, type ProtocolVersion } from '../messages/packet.js';
import { PacketError } from '../messages/packet-error.js';
import { decodeBinaryPayloadV3, decodePayloadV3 } from '../messages/payload-v3.js';
import { decodePayload } from '../messages/payload.js';

export type PostOutcome =
  | { readonly kind: 'body'; readonly bytes: Buffer }
  | { readonly kind: 'too large' }
  /** The client went away before the end. */
  | { readonly kind: 'aborted' };

/** Collects a body of at most `bytesMax` octets; `done` is called once. */
export function readPost(
  request: IncomingMessage,
  bytesMax: number,
  done: (outcome: PostOutcome) => void,
): void {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) {
    // Read and forgotten: a client that is cut off while it sends never sees the answer.
    request.resume();
    return done({ kind: 'too large' });
  }
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let bytes = 0;
  let isOver = false;
  const finish = (outcome: PostOutcome): void => {
    if (isOver) return;
    isOver = true;
    first = rest = undefined;
    done(outcome);
  };
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) finish({ kind: 'too large' });
    if (isOver) return;
    if (first === undefined) first = chunk;
    else (rest ??= [first]).push(chunk);
  });
  request.on('end', () =>
    finish({ kind: 'body', bytes: rest === undefined ? (first ?? EMPTY) : Buffer.concat(rest) }),
  );
  request.on('close', () => finish({ kind: 'aborted' }));
}

const EMPTY = Buffer.alloc(0);

/** The packets of a POST. Throws PacketError. */
export function decodePost(
  bytes: Buffer,
  protocol: ProtocolVersion,
  contentType: string | undefined,
  isJsonp: boolean,
): Packet[] {
  if (contentType === 'application/octet-stream') {
    if (protocol === 3) return decodeBinaryPayloadV3(bytes);
    throw new PacketError('UNKNOWN_TYPE', 'a POST of protocol 4 is text');
  }
  if (!isUtf8(bytes)) throw new PacketError('BAD_UTF8', 'a POST is not valid UTF-8');
  const body = bytes.toString('utf8');
  const payload = isJsonp ? readForm(body) : body;
  return protocol === 4 ? decodePayload(payload) : decodePayloadV3(payload);
}

/** The field `d` of a form; forms turn line ends into CR LF, so senders write them as `\n`, and a real `\n` as `\\n`. */
function readForm(body: string): string {
  const field = new URLSearchParams(body).get('d');
  if (field === null) throw new PacketError('EMPTY_PACKET', 'the form has no field d');
  return field.replaceAll(/(\\)?\\n/g, (match: string, escaped?: string) =>
    escaped === undefined ? '\n' : match.slice(1),
  );
}
