import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { TlsOptions } from '../../../../base/connecting.js';
import type { ChannelBindingType } from '../auth/auth-method.js';
import type { TransportRequest } from './transport.js';

/** What `node:tls` is told of a host. A name that is asked for (SNI) cannot be an address. */
export function tlsOptions(host: string, sslVerify: TransportRequest['sslVerify'] = true): TlsOptions {
  const named = isIP(host) === 0 ? { servername: host } : {};
  return typeof sslVerify === 'object'
    ? { ...named, ...sslVerify }
    : { ...named, rejectUnauthorized: sslVerify };
}

/** RFC 9266 */
const EXPORTER = { label: 'EXPORTER-Channel-Binding', bytes: 32 };

/** What names the channel: the first Finished message of its handshake (TLS 1.2), or what it exports (TLS 1.3). */
export function channelBindingOf(
  socket: Socket | undefined,
  type: ChannelBindingType,
): Uint8Array<ArrayBuffer> | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const version = socket.getProtocol();
  if (type === 'tls-unique' && version === 'TLSv1.2') {
    // The client's, unless a session was resumed.
    const first = socket.isSessionReused() ? socket.getPeerFinished() : socket.getFinished();
    return first && Uint8Array.from(first);
  }
  if (type !== 'tls-exporter' || version !== 'TLSv1.3') return undefined;
  return Uint8Array.from(socket.exportKeyingMaterial(EXPORTER.bytes, EXPORTER.label, Buffer.alloc(0)));
}
