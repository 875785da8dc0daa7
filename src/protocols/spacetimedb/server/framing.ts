import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { ByteWriter } from '../../../base/byte-writer.js';
import type { TxOffset } from '../../../engine/log/commit-log.js';
import { Compression, SERVER_FRAME_BYTES } from '../messages/frame.js';
import { encodeResumeServerMessage } from '../messages/resume-messages.js';

/** A message: bytes, or text in the versions that speak JSON. */
export type Payload = Uint8Array | string;

/** The other end of a session: a WebSocket, or memory. */
export interface SessionLink {
  /** False once either side has begun to close. */
  readonly isOpen: boolean;
  /** One binary message made of the parts, which do not change any more. */
  send(...parts: Uint8Array[]): void;
  sendText(text: string): void;
  close(code: number, reason: string): void;
}

/** A message and the newest transaction that it reflects, 0 if none. */
export interface OutgoingMessage {
  readonly payload: Payload;
  readonly offset: TxOffset;
}

/** How messages become frames. */
export interface Framing {
  /** Whether a frame may hold several messages. */
  readonly joins: boolean;
  /** Gives the first `count` messages to the link. */
  send(link: SessionLink, messages: readonly OutgoingMessage[], count: number): void;
}

/** The compression byte of a frame that is not compressed. */
const PLAIN = Uint8Array.of(Compression.none);

/** v3: as few frames as the size of a frame allows; a longer message goes alone. */
export const joinedFrames: Framing = {
  joins: true,
  send(link, messages, count) {
    sendJoined(link, messages, count);
  },
};

/** The same, and each frame ends with the position that it brings the client to. */
export const resumableFrames: Framing = {
  joins: true,
  send(link, messages, count) {
    sendJoined(link, messages, count, positionMessage);
  },
};

function sendJoined(
  link: SessionLink,
  messages: readonly OutgoingMessage[],
  count: number,
  endOfFrame?: (offset: TxOffset) => Uint8Array,
): void {
  let at = 0;
  while (at < count) {
    const parts: Uint8Array[] = [PLAIN];
    let bytes = 0;
    let offset: TxOffset = 0;
    do {
      const next = messages[at++]!;
      parts.push(next.payload as Uint8Array);
      bytes += next.payload.length;
      offset = Math.max(offset, next.offset);
    } while (at < count && bytes + messages[at]!.payload.length <= SERVER_FRAME_BYTES);
    if (offset > 0 && endOfFrame !== undefined) parts.push(endOfFrame(offset));
    link.send(...parts);
  }
}

let knownPosition: { readonly offset: TxOffset; readonly bytes: Uint8Array } | undefined;

/** One commit goes to many connections, one after the other: the last one is kept. */
function positionMessage(offset: TxOffset): Uint8Array {
  if (knownPosition?.offset !== offset) {
    const writer = new ByteWriter(16);
    encodeResumeServerMessage(writer, { kind: 'position', offset });
    knownPosition = { offset, bytes: writer.finish() };
  }
  return knownPosition.bytes;
}

/** v2, and v1.bsatn for clients that did not ask for compression. */
export const singleFrames: Framing = {
  joins: false,
  send(link, messages, count) {
    for (let i = 0; i < count; i++) link.send(PLAIN, messages[i]!.payload as Uint8Array);
  },
};

export const textFrames: Framing = {
  joins: false,
  send(link, messages, count) {
    for (let i = 0; i < count; i++) link.sendText(messages[i]!.payload as string);
  },
};

// 1024: what the reference server leaves as it is.
const COMPRESS_ABOVE_BYTES = 1024;

interface Algorithm {
  readonly tag: Uint8Array;
  compress(bytes: Uint8Array): Uint8Array;
  /** An update is one object for all connections that see it alike: it is compressed once. */
  readonly known: WeakMap<Uint8Array, Uint8Array>;
}

// The fastest levels, as the reference server's: a frame is compressed while everybody waits.
const gzip: Algorithm = {
  tag: Uint8Array.of(Compression.gzip),
  compress: (bytes) => gzipSync(bytes, { level: 1 }),
  known: new WeakMap(),
};
const brotli: Algorithm = {
  tag: Uint8Array.of(Compression.brotli),
  compress: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  known: new WeakMap(),
};

/** v1.bsatn: long messages compressed, one by one. */
export const gzipFrames: Framing = compressedFrames(gzip);
export const brotliFrames: Framing = compressedFrames(brotli);

function compressedFrames(algorithm: Algorithm): Framing {
  const { tag, known } = algorithm;
  const compressOnce = (bytes: Uint8Array): Uint8Array => {
    let compressed = known.get(bytes);
    if (compressed === undefined) known.set(bytes, (compressed = algorithm.compress(bytes)));
    return compressed;
  };
  return {
    joins: false,
    send(link, messages, count) {
      for (let i = 0; i < count; i++) {
        const bytes = messages[i]!.payload as Uint8Array;
        if (bytes.length > COMPRESS_ABOVE_BYTES) link.send(tag, compressOnce(bytes));
        else link.send(PLAIN, bytes);
      }
    },
  };
}
