import { ConnectionId, Identity } from '../values/identity.js';
import { bytesToKey } from '../values/integer-bytes.js';
import type { LogSection } from './log/commit-log.js';
import { SectionKind } from './log/record-codec.js';

/** A connection whose `clientConnected` has run and whose `clientDisconnected` has not. */
export interface OpenConnection {
  readonly identity: Identity;
  readonly connectionId: ConnectionId;
}

/** The section that says that a connection began or ended. */
export function connectionSection(
  kind: 'connected' | 'disconnected',
  connection: OpenConnection,
): LogSection {
  const bytes = new Uint8Array(48);
  bytes.set(connection.identity.toUint8Array(), 0);
  bytes.set(connection.connectionId.toUint8Array(), 32);
  return { kind: SectionKind[kind], bytes };
}

/** Which connections are open, as the log tells it: after a crash the module has to be told of their end. */
export class OpenConnections {
  readonly #byKey = new Map<string, OpenConnection>();

  /** Takes note of a section; other kinds change nothing. */
  apply({ kind, bytes }: LogSection): void {
    if (kind === SectionKind.disconnected) this.#byKey.delete(bytesToKey(bytes));
    if (kind !== SectionKind.connected) return;
    const identity = Identity.fromBytes(bytes.subarray(0, 32));
    const connectionId = ConnectionId.fromBytes(bytes.subarray(32, 48));
    this.#byKey.set(bytesToKey(bytes), { identity, connectionId });
  }

  list(): OpenConnection[] {
    return [...this.#byKey.values()];
  }
}
