import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { ConnectionId, Identity } from '../values/identity.js';
import type { CommitLog, LogSection, TxOffset } from './log/commit-log.js';
import type { TableDef } from './schema.js';

/** A stored row: an object keyed by the columns' properties. Never changed in place; an update stores a new one. */
export type Row = Readonly<Record<string, unknown>>;

export interface DatabaseOptions {
  readonly identity: Identity;
  readonly owner: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: CommitLog;
}

/** Keeps what sections of one kind of the log say, beside the tables: documents, for example. */
export interface SectionKeeper {
  /** See `SectionKind`. */
  readonly kind: number;
  /** Takes a section that the log or a snapshot gives back. `bytes` are good during the call only. */
  replay(bytes: Uint8Array, record: SectionRecord): void;
  /** What a snapshot has to keep of how it is now. */
  capture(): KeptSections;
  /** After the log failed: forgets what is after `offset`. */
  takeBack(offset: TxOffset): void;
}

/** Sections as they were when they were asked for, read one by one. They can be read until they are released. */
export interface KeptSections extends Iterable<LogSection> {
  release(): void;
}

/** The transaction that a section was logged in. */
export interface SectionRecord {
  /** 0 when it is from a snapshot. */
  readonly offset: TxOffset;
  readonly timestampMicros: number;
  readonly author: Identity | undefined;
}

/** Who asks, for what he may see. */
export interface Viewer {
  readonly identity: Identity;
  /** The owner sees private tables and is not limited. */
  readonly isOwner: boolean;
}

/** What started a transaction; goes to the log. */
export interface TransactionOrigin {
  readonly caller: Identity | undefined;
  readonly connectionId: ConnectionId | undefined;
  readonly functionName: string;
  readonly timestampMicros: number;
  /** The function's arguments in BSATN, for those who hear of the commit. A view: good until the commit was told. Not logged. */
  readonly args?: Uint8Array;
}

/** One inserted or deleted row of a transaction, net of what the transaction took back. */
export interface RowChange {
  readonly row: Row;
  /** The row in BSATN, encoded once. A view of a buffer shared with other transactions: copy it to keep it for long. */
  readonly bytes: Uint8Array;
}

export interface TableDelta {
  readonly table: TableDef;
  readonly deletes: readonly RowChange[];
  readonly inserts: readonly RowChange[];
}

/** A transaction that took effect. `offset` is what confirmed readers wait for. */
export interface Commit {
  readonly offset: TxOffset;
  readonly origin: TransactionOrigin;
  readonly deltas: readonly TableDelta[];
}

/** The rows one live query gains and loses by one commit, shared by all its subscribers. */
export interface QueryDelta {
  readonly query: LiveQuery;
  readonly isEvent: boolean;
  /** BSATN rows; bag semantics, equal rows on both sides already cancelled. */
  readonly inserts: readonly Uint8Array[];
  readonly deletes: readonly Uint8Array[];
  /** Work done once per delta whoever needs it first, e.g. a protocol's encoding of it. */
  memo<T>(key: symbol, make: () => T): T;
}

/** What one past commit did to some queries. */
export interface MissedCommit {
  readonly offset: TxOffset;
  readonly deltas: readonly QueryDelta[];
}

/** One distinct query (text and constants, after normalisation), shared by all who ask it. */
export interface LiveQuery {
  readonly sql: string;
  readonly table: TableDef;
  /** The rows right now, BSATN. Cached until the next change of the table. */
  snapshot(): { readonly rows: readonly Uint8Array[]; memo<T>(key: symbol, make: () => T): T };
}

/** Somebody who wants to hear of changes to some queries, e.g. one connection. */
export interface LiveListener {
  /**
   * Called once per commit that touches one of his queries, synchronously within the commit, in commit order.
   * Must not throw and must not start a transaction.
   */
  onCommit(commit: Commit, deltas: readonly QueryDelta[]): void;
  /** A query failed while being evaluated and was dropped for everybody. */
  onQueryError(query: LiveQuery, message: string): void;
}
