import type { ConnectionId, Identity } from '../values/identity.js';
import type { Timestamp } from '../values/timestamp.js';
import type { SchemaShape } from './db-view.js';
import type { AuthCtx, ReducerCtx } from './reducer-ctx.js';

/* Engine.IO sockets as a module's author sees them. */

/** One client's socket, over whichever transport it is on. */
export interface ModuleSocket {
  readonly id: string;
  /** Of the token that was presented at the handshake; a new one without a token. */
  readonly identity: Identity;
  readonly connectionId: ConnectionId;
  readonly transport: 'polling' | 'websocket';
  /** Octets that wait for the client. */
  readonly bufferedBytes: number;
  readonly groups: ReadonlySet<string>;
  /** The application's own, for as long as the socket lives. */
  data: unknown;
  /**
   * Octets must not change any more. Dropped once the socket is closed. One socket's messages leave in the order in which they were
   * sent, each when all that was committed before is on disk: it may tell of that.
   */
  send(data: string | Uint8Array): void;
  /** What was sent before still leaves. */
  close(): void;
  join(group: string): void;
  leave(group: string): void;
}

export interface SocketCtx<S extends SchemaShape> {
  readonly sender: Identity;
  readonly databaseIdentity: Identity;
  readonly timestamp: Timestamp;
  readonly connectionId: ConnectionId | null;
  readonly senderAuth: AuthCtx;
  /**
   * Runs one transaction on the tables. What it throws undoes all of it and is thrown again. Messages to sockets, and closing them,
   * wait until the transaction is on disk, and never happen if it is undone; groups change at once.
   */
  withTx<Result>(body: (ctx: ReducerCtx<S>) => Result): Result;
  /** Sends to all sockets of this path, or of a group, encoding once. */
  broadcast(
    data: string | Uint8Array,
    to?: { readonly group?: string; readonly except?: ModuleSocket },
  ): void;
}

/** Throws TypeError for what cannot be the path of a socket. */
export function checkSocketPath(path: string): void {
  if (!/^\/[^?#]+$/.test(path))
    throw new TypeError(`socket(${JSON.stringify(path)}, …): a path begins with a slash`);
}

/** What a path does. What a handler throws is written to the module's log and closes its socket. */
export interface SocketHandlers<S extends SchemaShape> {
  connect?(ctx: SocketCtx<S>, socket: ModuleSocket): void | Promise<void>;
  /** Octets are the receiver's to keep. */
  message?(ctx: SocketCtx<S>, socket: ModuleSocket, data: string | Uint8Array): void | Promise<void>;
  /** The socket is gone already; it has left its groups. */
  disconnect?(ctx: SocketCtx<S>, socket: ModuleSocket, reason: string): void | Promise<void>;
}
