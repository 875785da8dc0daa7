import type { ConnectionId, Identity } from '../values/identity.js';
import type { Timestamp } from '../values/timestamp.js';
import type { Uuid } from '../values/uuid.js';
import type { DbView, SchemaShape } from './db-view.js';
import type { ReducerRandom } from './reducer-random.js';

/* What a reducer is given. The class behind it is in reducer-context.ts. */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** The claims of the caller's token. */
export interface JwtClaims {
  /** The payload as it was signed, JSON. */
  readonly rawPayload: string;
  readonly subject: string;
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly identity: Identity;
  readonly fullPayload: JsonObject;
}

export interface AuthCtx {
  /** The server itself called: init, a schedule, a disconnect after a crash. */
  readonly isInternal: boolean;
  readonly hasJWT: boolean;
  readonly jwt: JwtClaims | null;
}

/** What a reducer is given: who calls, when, and the tables. Valid until the reducer returns. */
export interface ReducerCtx<S extends SchemaShape> {
  readonly sender: Identity;
  readonly databaseIdentity: Identity;
  /** The same as `databaseIdentity`. */
  readonly identity: Identity;
  /** When the transaction started; the same during all of it. */
  readonly timestamp: Timestamp;
  /** Null when the server itself calls. */
  readonly connectionId: ConnectionId | null;
  readonly db: DbView<S>;
  readonly senderAuth: AuthCtx;
  /** Random numbers that are the same when the same transaction is run again. Not for secrets. */
  readonly random: ReducerRandom;
  newUuidV4(): Uuid;
  newUuidV7(): Uuid;
  /**
   * Publishes an event to the WAMP realm that is named as the database. It leaves when the transaction is on disk, in the order of
   * the commits; what is undone publishes nothing.
   */
  publish(topic: string, args?: readonly unknown[], kwargs?: Readonly<Record<string, unknown>>): void;
}
