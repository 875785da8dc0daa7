import type { ConnectionId, Identity } from '../../../../values/identity.js';
import type { RowList } from '../row-list.js';

/*
 * What a server says in v1, in whatever encoding: `v1.bsatn` is in encode-server-message.ts and
 * decode-server-message.ts, `v1.json` in json-server-messages.ts.
 */

/** How an encoding of v1 carries rows and arguments. */
export interface Format {
  readonly rows: unknown;
  readonly args: unknown;
}

/** `v1.bsatn`: rows as a BsatnRowList, arguments as their BSATN product. */
export interface BsatnFormat extends Format {
  readonly rows: RowList;
  readonly args: Uint8Array;
}

/** Changes of one query. */
export interface QueryUpdate<F extends Format = BsatnFormat> {
  readonly deletes: F['rows'];
  readonly inserts: F['rows'];
}

export interface TableUpdate<F extends Format = BsatnFormat> {
  readonly tableId: number;
  readonly table: string;
  /** Deletes and inserts of all updates together. */
  readonly rowCount: number;
  /** One entry per query. */
  readonly updates: readonly QueryUpdate<F>[];
}

/** What a transaction, or a change of subscriptions, does to the client's cache. */
export type DatabaseUpdate<F extends Format = BsatnFormat> = readonly TableUpdate<F>[];

/** The answer to Subscribe: all rows of its queries, as inserts. */
export interface InitialSubscription<F extends Format = BsatnFormat> {
  readonly kind: 'initialSubscription';
  readonly update: DatabaseUpdate<F>;
  readonly requestId: number;
  readonly durationMicros: number;
}

export type TransactionStatus<F extends Format = BsatnFormat> =
  | { readonly kind: 'committed'; readonly update: DatabaseUpdate<F> }
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'outOfEnergy' };

/** What was called. */
export interface ReducerCall<F extends Format = BsatnFormat> {
  readonly reducer: string;
  /** UNKNOWN_REDUCER when the module has none of that name. */
  readonly reducerId: number;
  readonly args: F['args'];
  /** The caller's; 0 for everybody else. */
  readonly requestId: number;
}

export const UNKNOWN_REDUCER = 0xffff_ffff;

export interface TransactionUpdate<F extends Format = BsatnFormat> {
  readonly kind: 'transactionUpdate';
  readonly status: TransactionStatus<F>;
  readonly timestampMicros: number;
  readonly caller: Identity;
  /** All zeros when no connection called. */
  readonly callerConnection: ConnectionId;
  readonly call: ReducerCall<F>;
  readonly durationMicros: number;
}

/** A transaction of somebody else, for clients that asked for `light=true`. */
export interface TransactionUpdateLight<F extends Format = BsatnFormat> {
  readonly kind: 'transactionUpdateLight';
  readonly requestId: number;
  readonly update: DatabaseUpdate<F>;
}

/** The first message of every connection. */
export interface IdentityToken {
  readonly kind: 'identityToken';
  readonly identity: Identity;
  readonly token: string;
  readonly connectionId: ConnectionId;
}

export interface OneOffTable<F extends Format = BsatnFormat> {
  readonly table: string;
  readonly rows: F['rows'];
}

export interface OneOffQueryResponse<F extends Format = BsatnFormat> {
  readonly kind: 'oneOffQueryResponse';
  readonly messageId: Uint8Array;
  readonly error: string | undefined;
  readonly tables: readonly OneOffTable<F>[];
  readonly durationMicros: number;
}

/** The answer to SubscribeSingle (rows as inserts) and to Unsubscribe (as deletes). */
export interface SingleApplied<F extends Format = BsatnFormat> {
  readonly kind: 'subscribeApplied' | 'unsubscribeApplied';
  readonly requestId: number;
  readonly durationMicros: number;
  readonly queryId: number;
  readonly table: TableUpdate<F>;
}

/** The answer to SubscribeMulti (rows as inserts) and to UnsubscribeMulti (as deletes). */
export interface MultiApplied<F extends Format = BsatnFormat> {
  readonly kind: 'subscribeMultiApplied' | 'unsubscribeMultiApplied';
  readonly requestId: number;
  readonly durationMicros: number;
  readonly queryId: number;
  readonly update: DatabaseUpdate<F>;
}

/** All ids undefined: a running query failed, and every subscription of the connection has ended. */
export interface SubscriptionError {
  readonly kind: 'subscriptionError';
  readonly durationMicros: number;
  readonly requestId: number | undefined;
  readonly queryId: number | undefined;
  readonly tableId: number | undefined;
  readonly error: string;
}

export type ProcedureStatus<F extends Format = BsatnFormat> =
  | { readonly kind: 'returned'; readonly value: F['args'] }
  | { readonly kind: 'outOfEnergy' }
  | { readonly kind: 'internalError'; readonly error: string };

export interface ProcedureResult<F extends Format = BsatnFormat> {
  readonly kind: 'procedureResult';
  readonly status: ProcedureStatus<F>;
  readonly timestampMicros: number;
  readonly durationMicros: number;
  readonly requestId: number;
}

/** Everything a v1 server says. Byte fields are views into the frame when decoded. */
export type ServerMessage<F extends Format = BsatnFormat> =
  | InitialSubscription<F>
  | TransactionUpdate<F>
  | TransactionUpdateLight<F>
  | IdentityToken
  | OneOffQueryResponse<F>
  | SingleApplied<F>
  | SubscriptionError
  | MultiApplied<F>
  | ProcedureResult<F>;

export const ServerTag = {
  initialSubscription: 0,
  transactionUpdate: 1,
  transactionUpdateLight: 2,
  identityToken: 3,
  oneOffQueryResponse: 4,
  subscribeApplied: 5,
  unsubscribeApplied: 6,
  subscriptionError: 7,
  subscribeMultiApplied: 8,
  unsubscribeMultiApplied: 9,
  procedureResult: 10,
} as const;
