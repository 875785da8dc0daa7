/*
 * Frames: what one WebSocket message holds.
 *
 * | direction        | v1.bsatn, v2.bsatn                        | v3.bsatn                                              |
 * | client -> server | exactly one ClientMessage                 | one or more ClientMessages back to back, no separator |
 * | server -> client | compression u8, then one ServerMessage    | compression u8, then one or more ServerMessages       |
 *
 * v1.json, v1.text: text messages of one JSON document each, in both directions, never compressed.
 *
 * compression: 0 none, 1 brotli, 2 gzip, over everything after the byte. Answering 0 is always legal, and to v2 and v3
 * we do: the npm client unpacks frames asynchronously without a queue, so a compressed frame may overtake a plain one.
 * Clients that speak v1 unpack in order.
 */

/** v3 and the messages of resume-messages.ts: only our clients ask for it, only our servers choose it. */
export const RESUMABLE_SUBPROTOCOL = 'v3.bsatn.chorale';

/** What our clients ask for in `Sec-WebSocket-Protocol`, best first. */
export const SUBPROTOCOLS = [RESUMABLE_SUBPROTOCOL, 'v3.bsatn.spacetimedb', 'v2.bsatn.spacetimedb'] as const;
export type Subprotocol = (typeof SUBPROTOCOLS)[number];

/** What clients of 1.x servers ask for. */
export const V1_SUBPROTOCOLS = ['v1.bsatn.spacetimedb', 'v1.json.spacetimedb'] as const;
export type V1Subprotocol = (typeof V1_SUBPROTOCOLS)[number];

/** What the Python SDK of 2024 asks for. */
export const TEXT_SUBPROTOCOL = 'v1.text.spacetimedb';
export type TextSubprotocol = typeof TEXT_SUBPROTOCOL;

export const Compression = { none: 0, brotli: 1, gzip: 2 } as const;
export type Compression = (typeof Compression)[keyof typeof Compression];

/** 512 KiB of messages: where the reference server ends a v3 frame and begins the next. */
export const SERVER_FRAME_BYTES = 512 * 1024;

/** 256 KiB of messages: where the npm client ends a v3 frame and begins the next. */
export const CLIENT_FRAME_BYTES = 256 * 1024;

/** 32 MiB: the reference server refuses longer messages. */
export const CLIENT_MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
