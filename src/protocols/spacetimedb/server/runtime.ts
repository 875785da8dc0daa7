import type { Clock } from '../../../base/clock.js';
import type { LiveListener, LiveQuery, MissedCommit, Viewer } from '../../../engine/contract.js';
import type { CommitLog, TxOffset } from '../../../engine/log/commit-log.js';
import type { Caller, ModuleDef, ReducerOutcome } from '../../../module/module-def.js';
import type { AlgebraicType } from '../../../values/algebraic-type.js';
import type { Identity } from '../../../values/identity.js';
import type { Delivery } from './delivery.js';

/* What this protocol needs of one database. The composition root puts it together. */

/** Compiles and follows queries. */
export interface LiveSource {
  /** Several for `SELECT * FROM *`. Throws an error for people when the text is not a query that `viewer` may ask. */
  compile(sql: string, viewer: Viewer): readonly LiveQuery[];
  /** `listener` hears of the query's changes until the returned function is called. */
  attach(listener: LiveListener, query: LiveQuery): () => void;
  /** Without it clients that come back get all rows anew. */
  readonly recent?: RecentSource;
}

/** The newest commits, for clients that come back. */
export interface RecentSource {
  /** Names the history that offsets belong to. */
  readonly epoch: string;
  /** Keeps commits from now on until the returned function is called. */
  keep(): () => void;
  /** What commits after `offset` did to the queries, as views that are good until the next commit; undefined when that is not known any more. */
  missed(epoch: string, offset: TxOffset, queries: Iterable<LiveQuery>): readonly MissedCommit[] | undefined;
}

/** Answers to ad hoc queries. Throws SqlError. */
export type AdHocQuery = (sql: string, viewer: Viewer) => SelectResult;

export interface SelectResult {
  readonly columns: readonly { readonly name: string; readonly type: AlgebraicType }[];
  /** Values in the order of the columns. */
  readonly rows: readonly (readonly unknown[])[];
}

/** The database's log, for its owner. Entries are plain objects, one JSON line each. */
export interface LogSource {
  /** The last `count` entries, oldest first; all when it is left out. */
  tail(count?: number): readonly object[];
  follow(listener: (entry: object) => void): () => void;
}

/** The module that runs. */
export interface ReducerHost {
  readonly def: ModuleDef;
  /** @param name canonical. @param args the arguments' BSATN product; not kept. */
  callReducer(name: string, caller: Caller, args: Uint8Array): ReducerOutcome;
  callReducerJson(name: string, caller: Caller, args: string): ReducerOutcome;
  /** Committed also when the module has no such reducer. Anything else: the connection is not to be. */
  clientConnected(caller: Caller): ReducerOutcome;
  clientDisconnected(caller: Caller): ReducerOutcome;
}

/** A connection as the server's housekeeping sees it. */
export interface OpenSession {
  close(code: number, reason: string): void;
}

export interface DatabaseRuntime {
  readonly identity: Identity;
  readonly owner: Identity;
  /** The first is the one to show. Changes when the database is renamed. */
  readonly names: readonly string[];
  /** 64 hexadecimal digits that change with the module's program. */
  readonly programHash: string;
  readonly live: LiveSource;
  readonly query: AdHocQuery;
  readonly moduleLog: LogSource;
  /** Changes when the module is replaced: read it for each call. */
  readonly host: ReducerHost;
  readonly log: CommitLog;
  readonly clock: Clock;
  /** Where messages wait to be said, one for all connections of the database. */
  readonly delivery: Delivery;
  /** The bytes of a backup of what is on disk; undefined, or left out, when the database is in memory only. */
  backup?(): AsyncIterable<Uint8Array> | undefined;
  /** The open connections. Sessions add and remove themselves. */
  readonly sessions: Set<OpenSession>;
}

export function viewerOf(database: DatabaseRuntime, identity: Identity): Viewer {
  return { identity, isOwner: identity.isEqual(database.owner) };
}
