/*
 * RFC 6455 section 5.2, one frame:
 *
 *   field        bits  value
 *   FIN             1  last fragment of a message
 *   RSV1-3          3  zero: no extension is ever negotiated
 *   opcode          4  0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong
 *   MASK            1  client to server: 1, server to client: 0
 *   length          7  0-125 | 126: the next 16 bits | 127: the next 64 bits, big-endian, top bit zero
 *   masking key    32  only if MASK
 *   payload            close: empty | status code (16 bits) + UTF-8 reason
 */

export const Opcode = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

const FIN = 0x80;

/** RFC 6455 section 5.5: payload of a control frame. */
export const CONTROL_BYTES_MAX = 125;

/** Octets of an unmasked header in front of a payload of that size: 2, 4 or 10. */
export function headerBytes(payloadBytes: number): number {
  if (payloadBytes < 126) return 2;
  return payloadBytes < 65_536 ? 4 : 10;
}

/** Writes the header of an unmasked, final frame and returns the offset behind it. */
export function writeHeader(
  target: Uint8Array,
  offset: number,
  opcode: Opcode,
  payloadBytes: number,
): number {
  target[offset] = FIN | opcode;
  if (payloadBytes < 126) {
    target[offset + 1] = payloadBytes;
    return offset + 2;
  }
  if (payloadBytes < 65_536) {
    target[offset + 1] = 126;
    target[offset + 2] = payloadBytes >>> 8;
    target[offset + 3] = payloadBytes;
    return offset + 4;
  }
  const view = new DataView(target.buffer, target.byteOffset + offset, 10);
  target[offset + 1] = 127;
  view.setUint32(2, Math.floor(payloadBytes / 0x1_0000_0000));
  view.setUint32(6, payloadBytes >>> 0);
  return offset + 10;
}

/**
 * One whole unmasked frame, to be shared by any number of sockets with `sendFrame`.
 *
 *     const frame = encodeFrame(Opcode.binary, header, row);
 *     for (const subscriber of subscribers) subscriber.sendFrame(frame);
 */
export function encodeFrame(opcode: Opcode, ...parts: readonly Uint8Array[]): Uint8Array {
  let payloadBytes = 0;
  for (const part of parts) payloadBytes += part.length;
  // Own memory, not a slice of Node's pool: a slow socket that keeps it must not keep anything else.
  const frame = Buffer.allocUnsafeSlow(headerBytes(payloadBytes) + payloadBytes);
  let offset = writeHeader(frame, 0, opcode, payloadBytes);
  for (const part of parts) {
    frame.set(part, offset);
    offset += part.length;
  }
  return frame;
}
