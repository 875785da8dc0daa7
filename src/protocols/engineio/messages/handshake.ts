import { PacketError } from './packet-error.js';
import type { TransportName } from './packet.js';

/*
 * The data of the open packet, JSON:
 *
 *   sid            string
 *   upgrades       names of transports the client may upgrade to
 *   pingInterval   milliseconds
 *   pingTimeout    milliseconds
 *   maxPayload     octets of one POST or frame; not in protocol 3's time
 *   protocol       what is spoken inside the session; ours alone, and only if the client asked for something
 */
export interface Handshake {
  readonly sid: string;
  readonly upgrades: readonly TransportName[];
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** Undefined if the server did not say. */
  readonly maxPayloadBytes: number | undefined;
  readonly protocol?: string;
}

export function encodeHandshake(handshake: Handshake): string {
  const { sid, upgrades, pingIntervalMs, pingTimeoutMs, maxPayloadBytes, protocol } = handshake;
  const head = `{"sid":${JSON.stringify(sid)},"upgrades":[${upgrades.length === 0 ? '' : `"${upgrades.join('","')}"`}]`;
  const payload = maxPayloadBytes === undefined ? '' : `,"maxPayload":${maxPayloadBytes}`;
  const inside = protocol === undefined ? '' : `,"protocol":${JSON.stringify(protocol)}`;
  return `${head},"pingInterval":${pingIntervalMs},"pingTimeout":${pingTimeoutMs}${payload}${inside}}`;
}

// A server that announces less would have its pings expected without a pause: python-engineio rounds 300 ms down to 0.
const PING_MS_MIN = 100;
// Six days: with the request's own time on top, timers still take it for what it is and not for 1 ms.
const PING_MS_MAX = 2 ** 29;

/** Reads what servers in the wild send: numbers as strings, keys that are missing or unknown. Throws PacketError BAD_HANDSHAKE. */
export function decodeHandshake(text: string): Handshake {
  const fields = parseObject(text);
  const { sid, upgrades } = fields;
  if (typeof sid !== 'string' || sid === '') throw bad('it has no sid');
  const maxPayload = readNumber(fields['maxPayload'], 0);
  return {
    sid,
    upgrades: Array.isArray(upgrades) ? upgrades.filter(isTransportName) : [],
    pingIntervalMs: readPingMs(fields['pingInterval'], 25_000),
    pingTimeoutMs: readPingMs(fields['pingTimeout'], 20_000),
    maxPayloadBytes: maxPayload > 0 ? maxPayload : undefined,
    ...(typeof fields['protocol'] === 'string' ? { protocol: fields['protocol'] } : {}),
  };
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad('it is no JSON');
  }
  if (typeof value !== 'object' || value === null) throw bad('it is no object');
  return value as Record<string, unknown>;
}

function readNumber(value: unknown, fallback: number): number {
  const number = typeof value === 'string' ? Number.parseInt(value, 10) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : fallback;
}

function readPingMs(value: unknown, fallback: number): number {
  return Math.min(PING_MS_MAX, Math.max(PING_MS_MIN, readNumber(value, fallback)));
}

export function isTransportName(value: unknown): value is TransportName {
  return value === 'polling' || value === 'websocket';
}

function bad(why: string): PacketError {
  return new PacketError('BAD_HANDSHAKE', `the open packet cannot be read: ${why}`);
}
