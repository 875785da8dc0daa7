import { isIP } from 'node:net';
import type { TlsOptions, TransportRequest } from './transport.js';

/** What `node:tls` is told of a host. A name that is asked for (SNI) cannot be an address. */
export function tlsOptions(host: string, sslVerify: TransportRequest['sslVerify'] = true): TlsOptions {
  const named = isIP(host) === 0 ? { servername: host } : {};
  return typeof sslVerify === 'object'
    ? { ...named, ...sslVerify }
    : { ...named, rejectUnauthorized: sslVerify };
}
