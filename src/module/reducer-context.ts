import type { ConnectionId, Identity } from '../values/identity.js';
import { Timestamp } from '../values/timestamp.js';
import { Uuid } from '../values/uuid.js';
import { AuthContext } from './auth-context.js';
import type { DbView, SchemaShape } from './db-view.js';
import type { Caller } from './module-def.js';
import type { Effect } from './effects.js';
import type { AuthCtx, ReducerCtx } from './reducer-ctx.js';
import { isModuleUri } from './rpc.js';
import { makeReducerRandom } from './reducer-random.js';
import type { ReducerRandom } from './reducer-random.js';

/** What all contexts of one database share. */
export interface ContextShare {
  readonly databaseIdentity: Identity;
  readonly db: DbView<SchemaShape>;
  /** The offset the open transaction will get: makes two transactions of one microsecond draw different numbers. */
  nextOffset(): number;
  /** Counts the version 7 UUIDs, so that those of one millisecond are in order. */
  readonly uuidCounter: { value: number };
}

/** One call's context. Everything that costs something is made when it is asked for. */
export class ReducerContext implements ReducerCtx<SchemaShape> {
  readonly sender: Identity;
  readonly db: DbView<SchemaShape>;
  readonly connectionId: ConnectionId | null;
  /** What is to happen once its transaction is on disk. */
  effects: Effect[] | undefined = undefined;
  readonly #caller: Caller;
  readonly #share: ContextShare;
  readonly #micros: number;
  #timestamp: Timestamp | undefined = undefined;
  #random: ReducerRandom | undefined = undefined;
  #senderAuth: AuthContext | undefined = undefined;

  constructor(share: ContextShare, caller: Caller, timestampMicros: number) {
    this.sender = caller.identity;
    this.db = share.db;
    this.connectionId = caller.connectionId ?? null;
    this.#caller = caller;
    this.#share = share;
    this.#micros = timestampMicros;
  }

  get databaseIdentity(): Identity {
    return this.#share.databaseIdentity;
  }

  get identity(): Identity {
    return this.#share.databaseIdentity;
  }

  get timestamp(): Timestamp {
    return (this.#timestamp ??= new Timestamp(BigInt(this.#micros)));
  }

  get random(): ReducerRandom {
    return (this.#random ??= makeReducerRandom(this.#micros, this.#share.nextOffset()));
  }

  get senderAuth(): AuthCtx {
    return (this.#senderAuth ??= new AuthContext(this.#caller));
  }

  publish(topic: string, args: readonly unknown[] = [], kwargs?: Readonly<Record<string, unknown>>): void {
    if (!isModuleUri(topic)) {
      throw new TypeError(`publish(${JSON.stringify(topic)}, …): that is no URI, or one of the router's`);
    }
    (this.effects ??= []).push({ kind: 'publication', topic, args, kwargs });
  }

  newUuidV4(): Uuid {
    return Uuid.fromRandomBytesV4(this.random.fill(new Uint8Array(16)));
  }

  newUuidV7(): Uuid {
    return Uuid.fromCounterV7(this.#share.uuidCounter, this.timestamp, this.random.fill(new Uint8Array(6)));
  }
}
