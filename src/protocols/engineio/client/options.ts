import type { TlsOptions } from '../../../base/connecting.js';
import type { DecodeMode, JsonModule } from './json.js';
import type { Logger } from './logger.js';
import type { HttpSession } from './platform.js';

/** The seed's options, in both spellings. Durations are seconds, as there, unless the name ends in `Ms`. */
export interface ClientOptions {
  /** `true` logs everything, `false` errors only. Default false. */
  readonly logger?: boolean | Logger;
  /** Process-wide. */
  readonly json?: JsonModule;
  /** Seconds that a request, a WebSocket's handshake or an upgrade may take. Default 5. */
  readonly requestTimeout?: number;
  readonly request_timeout?: number;
  /** The same in milliseconds. */
  readonly requestTimeoutMs?: number;
  /** What requests are made with; it stays the caller's. */
  readonly httpSession?: HttpSession;
  readonly http_session?: HttpSession;
  /** `false` accepts any certificate. An object says more: ca, cert, key, servername. Default true. */
  readonly sslVerify?: boolean | TlsOptions;
  readonly ssl_verify?: boolean | TlsOptions;
  /** Disconnects when the process is interrupted. Default: true for AsyncClient, false for Client. */
  readonly handleSigint?: boolean;
  readonly handle_sigint?: boolean;
  /** For `new WebSocket()` of npm `ws`, with `headers` among them; Node only. */
  readonly websocketExtraOptions?: Readonly<Record<string, unknown>>;
  readonly websocket_extra_options?: Readonly<Record<string, unknown>>;
  /** Puts the time into addresses, so that nothing is cached. Default true. */
  readonly timestampRequests?: boolean;
  readonly timestamp_requests?: boolean;
  /** What text becomes before `message` handlers see it. Default: python for AsyncClient, none for Client. */
  readonly decode?: DecodeMode;
}

export interface ClientSettings {
  readonly requestMs: number;
  readonly session: HttpSession;
  readonly tls: TlsOptions;
  readonly handleSigint: boolean;
  readonly webSocket: Readonly<Record<string, unknown>>;
  readonly timestampRequests: boolean;
  readonly decode: DecodeMode;
}

export interface ClientDefaults {
  readonly handleSigint: boolean;
  readonly decode: DecodeMode;
  /** Whether `send` without a connection is an error or nothing at all. */
  readonly isSendStrict: boolean;
}

// The seed's 5 s.
const REQUEST_SECONDS = 5;

export function resolveClientOptions(options: ClientOptions, defaults: ClientDefaults): ClientSettings {
  const seconds = options.requestTimeout ?? options.request_timeout ?? REQUEST_SECONDS;
  const verify = options.sslVerify ?? options.ssl_verify ?? true;
  return {
    requestMs: options.requestTimeoutMs ?? seconds * 1000,
    session: options.httpSession ?? options.http_session ?? {},
    tls: typeof verify === 'object' ? verify : { rejectUnauthorized: verify },
    handleSigint: options.handleSigint ?? options.handle_sigint ?? defaults.handleSigint,
    webSocket: options.websocketExtraOptions ?? options.websocket_extra_options ?? {},
    timestampRequests: options.timestampRequests ?? options.timestamp_requests ?? true,
    decode: options.decode ?? defaults.decode,
  };
}

export interface ConnectOptions {
  /** Sent with every request of the session. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: polling, then an upgrade to websocket. */
  readonly transports?: string | readonly string[];
  /** Default `engine.io`. */
  readonly engineioPath?: string;
  readonly engineio_path?: string;
}

export interface DisconnectOptions {
  /** Drops what is queued and does not wait. */
  readonly abort?: boolean;
  /** What `disconnect` handlers are told. */
  readonly reason?: string;
}
