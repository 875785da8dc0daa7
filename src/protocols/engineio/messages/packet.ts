/*
 * Engine.IO packets, protocols 4 and 3 (EIO=4, EIO=3).
 *
 *   type      digit  data                      v4 direction          v3 direction
 *   open        0    handshake, JSON           server to client      server to client
 *   close       1    none                      both                  both
 *   ping        2    `probe` or anything       server to client      client to server
 *   pong        3    what the ping carried     client to server      server to client
 *   message     4    text or octets            both                  both
 *   upgrade     5    none                      client to server      client to server
 *   noop        6    none                      server to client      server to client
 *
 * A probe (`2probe`, answered with `3probe`) is sent by the client in both protocols.
 */

export const PacketType = {
  open: 0,
  close: 1,
  ping: 2,
  pong: 3,
  message: 4,
  upgrade: 5,
  noop: 6,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** Octets are a message in protocol 4; protocol 3 can carry them in every type. */
export interface Packet {
  readonly type: PacketType;
  /** Empty text if the packet carries nothing. */
  readonly data: string | Uint8Array;
}

export type ProtocolVersion = 3 | 4;

export type TransportName = 'polling' | 'websocket';

/** The words of the reference implementations for a type. */
export const PACKET_NAMES = ['open', 'close', 'ping', 'pong', 'message', 'upgrade', 'noop'] as const;
export type PacketName = (typeof PACKET_NAMES)[number];

export const PROBE = 'probe';

export const ClosePacket: Packet = { type: PacketType.close, data: '' };
export const NoopPacket: Packet = { type: PacketType.noop, data: '' };
export const UpgradePacket: Packet = { type: PacketType.upgrade, data: '' };
export const PingPacket: Packet = { type: PacketType.ping, data: '' };

export function messagePacket(data: string | Uint8Array): Packet {
  return { type: PacketType.message, data };
}

/** The type whose digit has this character code, or undefined. */
export function packetTypeOf(charCode: number): PacketType | undefined {
  const type = charCode - 48;
  return type >= 0 && type <= 6 ? (type as PacketType) : undefined;
}
