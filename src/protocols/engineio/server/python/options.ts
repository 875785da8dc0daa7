import type { JsonModule } from '../../client/json.js';
import type { Logger } from '../../client/logger.js';
import type { TransportName } from '../../messages/packet.js';
import { type CookieAttributes, serialiseCookieAttributes } from '../cookie.js';
import type { EngineOptions } from '../options.js';
import type { OriginPolicy } from './origin.js';

/** The cookie's `name`, and attributes as they are called in the header. Defaults: `path: '/'`, `SameSite: 'Lax'`. */
export type PythonCookie = { readonly name: string } & CookieAttributes;

/** Seconds, or seconds and a grace: clients are told the sum, pings come at the first. */
export type PingInterval = number | readonly [seconds: number, graceSeconds: number];

/**
 * python-engineio's options, in both spellings. Times are seconds. As there, options that nobody knows are ignored; `async_mode` and
 * `monitor_clients` are among them, since there is one event loop, and clients are always monitored.
 */
export interface AsyncServerOptions {
  readonly pingInterval?: PingInterval;
  readonly ping_interval?: PingInterval;
  readonly pingTimeout?: number;
  readonly ping_timeout?: number;
  readonly maxHttpBufferSize?: number;
  readonly max_http_buffer_size?: number;
  readonly allowUpgrades?: boolean;
  readonly allow_upgrades?: boolean;
  /** Default false here. */
  readonly httpCompression?: boolean;
  readonly http_compression?: boolean;
  readonly compressionThreshold?: number;
  readonly compression_threshold?: number;
  readonly cookie?: string | PythonCookie | null;
  /** Default: pages of the server's own origin. */
  readonly corsAllowedOrigins?: OriginPolicy;
  readonly cors_allowed_origins?: OriginPolicy;
  readonly corsCredentials?: boolean;
  readonly cors_credentials?: boolean;
  readonly logger?: boolean | Logger;
  readonly json?: JsonModule;
  /** `false`: a client's next message waits until the handler of the one before has finished. Default true. */
  readonly asyncHandlers?: boolean;
  readonly async_handlers?: boolean;
  readonly transports?: TransportName | readonly TransportName[];
  /** Answers `?j=` with scripts; python-engineio always does. Default false. */
  readonly jsonp?: boolean;
  readonly async_mode?: string;
  readonly monitor_clients?: boolean;
}

export function engineOptions(options: AsyncServerOptions, origins: OriginPolicy | undefined): EngineOptions {
  const interval = options.pingInterval ?? options.ping_interval ?? 25;
  const timeout = options.pingTimeout ?? options.ping_timeout ?? 20;
  const [seconds, grace] = typeof interval === 'number' ? [interval, 0] : interval;
  const size = options.maxHttpBufferSize ?? options.max_http_buffer_size;
  const isCompressing = options.httpCompression ?? options.http_compression ?? false;
  const threshold = options.compressionThreshold ?? options.compression_threshold ?? 1024;
  const { cookie, transports } = options;
  return {
    pingIntervalMs: seconds * 1000,
    pingGraceMs: grace * 1000,
    pingTimeoutMs: timeout * 1000,
    allowUpgrades: options.allowUpgrades ?? options.allow_upgrades ?? true,
    jsonp: options.jsonp ?? false,
    ...(size === undefined ? {} : { maxPayloadBytes: size }),
    ...(transports === undefined
      ? {}
      : { transports: typeof transports === 'string' ? [transports] : transports }),
    ...(isCompressing ? { compression: { thresholdBytes: threshold } } : {}),
    ...(cookie === undefined || cookie === null ? {} : { cookie: makeCookie(cookie) }),
    ...corsOptions(options, origins),
  };
}

function makeCookie(cookie: string | PythonCookie): (sid: string) => string {
  const { name, ...given } = typeof cookie === 'string' ? { name: cookie } : cookie;
  const attributes = { path: '/', SameSite: 'Lax', ...given };
  return (sid) => serialiseCookieAttributes(name, sid, attributes);
}

/** An empty list turns it off. Only requests of origins that are allowed get as far as the engine. */
function corsOptions(
  options: AsyncServerOptions,
  origins: OriginPolicy | undefined,
): Pick<EngineOptions, 'cors'> {
  if (Array.isArray(origins) && origins.length === 0) return {};
  const credentials = options.corsCredentials ?? options.cors_credentials ?? true;
  return { cors: { origin: (origin: string | undefined) => origin !== undefined, credentials } };
}
