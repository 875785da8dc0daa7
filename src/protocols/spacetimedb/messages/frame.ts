/*
 * Frames: what one WebSocket binary message holds.
 *
 * | direction        | v2.bsatn                                  | v3.bsatn                                              |
 * | client -> server | exactly one ClientMessage                 | one or more ClientMessages back to back, no separator |
 * | server -> client | compression u8, then one ServerMessage    | compression u8, then one or more ServerMessages       |
 *
 * compression: 0 none, 1 brotli, 2 gzip, over everything after the byte. Answering 0 is always legal, and we do: the
 * npm client unpacks frames asynchronously without a queue, so a compressed frame may overtake a plain one.
 */

/** What servers offer and clients ask for in `Sec-WebSocket-Protocol`, best first. */
export const SUBPROTOCOLS = ['v3.bsatn.spacetimedb', 'v2.bsatn.spacetimedb'] as const;
export type Subprotocol = (typeof SUBPROTOCOLS)[number];

export const Compression = { none: 0, brotli: 1, gzip: 2 } as const;
export type Compression = (typeof Compression)[keyof typeof Compression];

/** 512 KiB of messages: where the reference server ends a v3 frame and begins the next. */
export const SERVER_FRAME_BYTES = 512 * 1024;

/** 256 KiB of messages: where the npm client ends a v3 frame and begins the next. */
export const CLIENT_FRAME_BYTES = 256 * 1024;

/** 32 MiB: the reference server refuses longer messages. */
export const CLIENT_MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
