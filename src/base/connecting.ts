/* What clients of several protocols are told alike about the connection beneath. */

/** Ways through Engine.IO, tried in order; `polling` first is upgraded to `websocket`. */
export type EngineTransports = readonly ('websocket' | 'polling')[];

/** As for `node:tls`. */
export interface TlsOptions {
  readonly ca?: string | Uint8Array;
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}
