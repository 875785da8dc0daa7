import type { ConnectionId, DbConnectionImpl, Identity, UntypedRemoteModule } from '../client/index.js';

export type AnyConnection = DbConnectionImpl<UntypedRemoteModule>;

/** What components see of the connection. A new object for every change. */
export interface ConnectionState {
  readonly isActive: boolean;
  /** Who we are; stays known while the connection is away. */
  readonly identity: Identity | undefined;
  /** What proves it: keep it to come back as the same identity. */
  readonly token: string | undefined;
  readonly connectionId: ConnectionId | undefined;
  /** Why there is no connection; undefined while there is one or the first is being made. */
  readonly connectionError: Error | undefined;
  /** The connection itself, for whatever there is no hook for; null before the first mount and between two of them. */
  getConnection(): AnyConnection | null;
}
