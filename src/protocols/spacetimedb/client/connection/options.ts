import type { Clock } from '../../../../base/clock.js';
import type { ProblemLog } from '../errors.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { OpenTransport } from '../transport/transport.js';

/** Everything that a builder has collected. */
export interface DbConnectionConfig<RM extends UntypedRemoteModule> {
  readonly remoteModule: RM;
  readonly uri: URL;
  /** Name or identity of the database. */
  readonly databaseName: string;
  readonly token: string | undefined;
  readonly confirmedReads: boolean | undefined;
  readonly openTransport: OpenTransport;
  readonly clock: Clock;
  readonly log: ProblemLog;
  readonly connectTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly listeners: ConnectionListeners;
}

/** Callbacks of a connection's life. The connection is handed in by whoever calls them. */
export interface ConnectionListeners {
  readonly connect: ((connection: never, identity: never, token: string) => void)[];
  readonly disconnect: ((ctx: never, error?: Error) => void)[];
  readonly connectError: ((ctx: never, error: Error) => void)[];
}

/** A connection that is not made by then never will be. */
export const CONNECT_TIMEOUT_MS = 15_000;

/** Far longer than a reducer may run; something between here and there is broken. */
export const CALL_TIMEOUT_MS = 30_000;
