import type { DatabaseSchema } from '../engine/schema.js';
import type { Commit } from '../engine/contract.js';
import type { ProductType } from '../values/algebraic-type.js';
import type { ConnectionId, Identity } from '../values/identity.js';

/* A module as plain data, and what can be asked of one that runs. Protocols see only this. */

export type Lifecycle = 'init' | 'clientConnected' | 'clientDisconnected';

export interface ReducerDef {
  /** Canonical, as on the wire: `send_message`. */
  readonly name: string;
  /** The export's name: `sendMessage`. */
  readonly sourceName: string;
  readonly params: ProductType;
  readonly lifecycle: Lifecycle | undefined;
  /** Private reducers (scheduled ones) do not exist for clients other than the owner. */
  readonly isPrivate: boolean;
}

/** A name for a type of the typespace, for those who generate code. */
export interface NamedType {
  readonly name: string;
  readonly scope: readonly string[];
  readonly ref: number;
}

export interface ModuleDef {
  readonly schema: DatabaseSchema;
  readonly namedTypes: readonly NamedType[];
  readonly reducers: readonly ReducerDef[];
  readonly caseConversion: 'none' | 'snakeCase';
}

/** Who calls: one connection, one HTTP request, or the server itself. */
export interface Caller {
  readonly identity: Identity;
  /** Undefined for internal calls. */
  readonly connectionId: ConnectionId | undefined;
  /** The payload of the caller's token as it was signed, JSON; undefined without a token. */
  readonly tokenPayload: string | undefined;
}

export type ReducerOutcome =
  | { readonly kind: 'committed'; readonly commit: Commit; readonly timestampMicros: number }
  /** The module's author refused (SenderError): `message` is for the caller. */
  | { readonly kind: 'refused'; readonly message: string; readonly timestampMicros: number }
  /** The reducer broke; the details are in the database's log. */
  | {
      readonly kind: 'crashed';
      readonly message: string;
      readonly timestampMicros: number;
      /** True when the module did its part and the log could not take it: see `CommitLog.failure`. */
      readonly isLogLost?: boolean;
    }
  | { readonly kind: 'unknown'; readonly message: string; readonly timestampMicros: number }
  | { readonly kind: 'badArguments'; readonly message: string; readonly timestampMicros: number };
