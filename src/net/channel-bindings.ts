import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * What names the TLS channel of a connection, so that a proof of identity can be bound to it: who sits in between has another one on
 * each side. More than one where implementations disagree, the one of the standard first; empty for a type that there is not.
 */
export type ChannelBindings = (type: string) => readonly Uint8Array[];

/**
 * Types `tls-unique` (RFC 5929; TLS 1.2 only, for TLS 1.3 it is not defined) and `tls-exporter` (RFC 9266; TLS 1.3 only, because of
 * earlier versions it wants more than can be asked for here). Undefined without TLS.
 */
export function channelBindingsOf(socket: Duplex): ChannelBindings | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  return (type) => {
    const version = socket.getProtocol();
    if (type === 'tls-unique' && version === 'TLSv1.2') return finishedMessages(socket);
    if (type === 'tls-exporter' && version === 'TLSv1.3') {
      return [socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))];
    }
    return [];
  };
}

/** Both Finished messages, the first one of the handshake first: the client's, or the server's if a session was resumed. */
function finishedMessages(socket: TLSSocket): readonly Uint8Array[] {
  const [ours, theirs] = [socket.getFinished(), socket.getPeerFinished()];
  if (ours === undefined || theirs === undefined) return [];
  return socket.isSessionReused() ? [ours, theirs] : [theirs, ours];
}
