import type { Clock } from '../../../../base/clock.js';
import type { Random } from '../../../../base/random.js';
import type { ProblemLog } from '../errors.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { OpenTransport } from '../transport/transport.js';
import type { ReconnectOptions } from './backoff.js';

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
  /** Undefined: a connection that is cut has ended. */
  readonly reconnect: ReconnectOptions | undefined;
  readonly random: Random;
  readonly listeners: ConnectionListeners;
}

/** Callbacks of a connection's life. The connection is handed in by whoever calls them. */
export interface ConnectionListeners {
  readonly connect: ((connection: never, identity: never, token: string) => void)[];
  readonly disconnect: ((ctx: never, error?: Error) => void)[];
  readonly connectError: ((ctx: never, error: Error) => void)[];
  readonly reconnecting: ((ctx: never, info: ReconnectingInfo) => void)[];
  readonly reconnected: ((ctx: never, info: ReconnectedInfo) => void)[];
}

/** A connection was cut, or could not be made again. */
export interface ReconnectingInfo {
  /** What happened. */
  readonly error: Error;
  /** 1 for the first try after a connection that worked. */
  readonly attempt: number;
  /** The next try is after so many milliseconds, unless `reconnectNow()` is called. */
  readonly delayMs: number;
}

export interface ReconnectedInfo {
  /**
   * `changes`: the server told each transaction that was missed. `snapshot`: it told all rows, and callbacks ran for those
   * that are different; what came and went meanwhile, and rows of event tables, was not told.
   */
  readonly resumedBy: 'changes' | 'snapshot';
}

/** A connection that is not made by then never will be. */
export const CONNECT_TIMEOUT_MS = 15_000;

/** Far longer than a reducer may run; something between here and there is broken. */
export const CALL_TIMEOUT_MS = 30_000;
