import type { TransportName } from '../messages/packet.js';
import { type CookieOptions, serialiseCookie } from './cookie.js';
import type { CorsOptions } from './cors.js';

/** Times are milliseconds. */
export interface EngineOptions {
  /** Where clients find it. Default `/engine.io/`. */
  readonly path?: string;
  readonly pingIntervalMs?: number;
  /** Clients are told that pings come so much later than they do: for networks that delay them. Default 0. */
  readonly pingGraceMs?: number;
  readonly pingTimeoutMs?: number;
  /** How long an upgrade may take before the WebSocket is given up; polling goes on. */
  readonly upgradeTimeoutMs?: number;
  /** How long a session that was closed here may take to fetch what is left. */
  readonly closeTimeoutMs?: number;
  /** Largest POST and WebSocket message; told to clients as `maxPayload`. */
  readonly maxPayloadBytes?: number;
  readonly transports?: readonly TransportName[];
  readonly allowUpgrades?: boolean;
  /** Lets clients of protocol 3 in (Socket.IO 1 and 2). Off by default. */
  readonly allowEio3?: boolean;
  /** Answers `?j=` with scripts, for pages that can do nothing else. Off by default. */
  readonly jsonp?: boolean;
  /** Default: no header, so that only pages of the same origin can talk to it over polling. */
  readonly cors?: CorsOptions | boolean;
  /** Default: none. A function makes the whole Set-Cookie header from the session's id. */
  readonly cookie?: CookieOptions | ((sid: string) => string);
  /** Compresses poll responses of at least that size. Off by default. */
  readonly compression?: { readonly thresholdBytes: number };
  /** What waits for a session's client; more closes the session. */
  readonly queueBytesMax?: number;
  /** Sessions at one time; more are refused with 503. */
  readonly sessionsMax?: number;
  /** A message that every client gets right behind the handshake. */
  readonly initialPacket?: string | Uint8Array;
}

export interface EngineSettings {
  path: string;
  pingIntervalMs: number;
  pingGraceMs: number;
  pingTimeoutMs: number;
  upgradeTimeoutMs: number;
  closeTimeoutMs: number;
  maxPayloadBytes: number;
  transports: readonly TransportName[];
  allowUpgrades: boolean;
  allowEio3: boolean;
  jsonp: boolean;
  cors: CorsOptions | undefined;
  cookie: ((sid: string) => string) | undefined;
  compression: { readonly thresholdBytes: number } | undefined;
  queueBytesMax: number;
  sessionsMax: number;
  initialPacket: string | Uint8Array | undefined;
}

export const engineDefaults = {
  pingIntervalMs: 25_000, // npm engine.io
  pingTimeoutMs: 20_000, // npm engine.io
  upgradeTimeoutMs: 10_000, // npm engine.io
  closeTimeoutMs: 30_000, // npm engine.io
  maxPayloadBytes: 1_000_000, // npm engine.io and python-engineio
  queueBytesMax: 16 * 1024 * 1024, // as much as a WebSocket's, see net-limits.ts
  sessionsMax: 65_536, // as many as a listener has sockets; an abandoned one is some hundred bytes for 45 s
} as const;

/** python-engineio refuses a payload with more packets, on both sides. */
export const PYTHON_PACKETS_MAX = 16;
/** A poll response carries about so much; the rest waits for the next one. 1 MB: what clients may send in one. */
export const POLL_BYTES_MAX = 1_000_000;

export function resolveOptions(options: EngineOptions): EngineSettings {
  const { cors, cookie } = options;
  return {
    path: normalisePath(options.path ?? '/engine.io/'),
    pingIntervalMs: options.pingIntervalMs ?? engineDefaults.pingIntervalMs,
    pingGraceMs: options.pingGraceMs ?? 0,
    pingTimeoutMs: options.pingTimeoutMs ?? engineDefaults.pingTimeoutMs,
    upgradeTimeoutMs: options.upgradeTimeoutMs ?? engineDefaults.upgradeTimeoutMs,
    closeTimeoutMs: options.closeTimeoutMs ?? engineDefaults.closeTimeoutMs,
    maxPayloadBytes: options.maxPayloadBytes ?? engineDefaults.maxPayloadBytes,
    transports: options.transports ?? ['polling', 'websocket'],
    allowUpgrades: options.allowUpgrades ?? true,
    allowEio3: options.allowEio3 ?? false,
    jsonp: options.jsonp ?? false,
    cors: cors === true ? {} : cors === false ? undefined : cors,
    cookie: typeof cookie === 'object' ? (sid) => serialiseCookie(cookie, sid) : cookie,
    compression: options.compression,
    queueBytesMax: options.queueBytesMax ?? engineDefaults.queueBytesMax,
    sessionsMax: options.sessionsMax ?? engineDefaults.sessionsMax,
    initialPacket: options.initialPacket,
  };
}

/** With a slash at both ends. */
export function normalisePath(path: string): string {
  const inner = path.replace(/^\/+|\/+$/g, '');
  return inner === '' ? '/' : `/${inner}/`;
}
