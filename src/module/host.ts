import type { Clock } from '../base/clock.js';
import type { Database } from '../engine/database.js';
import type { Commit, TransactionOrigin } from '../engine/contract.js';
import type { LogSection, TxOffset } from '../engine/log/commit-log.js';
import { connectionSection } from '../engine/open-connections.js';
import { encodeToBytes } from '../values/bsatn/codec.js';
import type { Identity } from '../values/identity.js';
import { messageOf, writeCrash } from './crashes.js';
import type { Module } from './definition/build-module.js';
import { describeConflicts } from './definition/schema-changes.js';
import { type DeferredAction, type Durability, type Effect, TransactionScope } from './effects.js';
import { SenderError } from './errors.js';
import type { SchemaShape, DbView } from './db-view.js';
import type { ModuleLog } from './logs.js';
import type { Caller, Lifecycle, ModuleDef, ReducerOutcome } from './module-def.js';
import { ReducerContext } from './reducer-context.js';
import type { RoomContext } from '../documents/room-definition.js';
import type { RoomCtx } from './room.js';
import { type HostedReducer, isRefusal, ReducerDirectory } from './reducer-directory.js';
import type { ReducerCtx } from './reducer-ctx.js';
import type { ContextShare } from './reducer-context.js';
import { makeTableAccessor } from './table-accessor.js';

export interface ModuleHostOptions {
  readonly log: ModuleLog;
  readonly clock: Clock;
  /** What committed transactions want to have happen, in the order of their commits; they may not be on disk yet. */
  readonly onEffects?: (offset: TxOffset, effects: readonly Effect[]) => void;
  /** Told which transaction runs. */
  readonly scope?: TransactionScope;
}

interface RunOptions {
  /** The arguments as they were encoded, none if left out. */
  readonly bsatn?: Uint8Array;
  readonly sections?: readonly LogSection[];
  /** Runs after the reducer, in the same transaction. */
  readonly finish?: () => void;
}

/** Whether another module can take over the database while it runs, or what speaks against it. */
export type Replacement =
  | { readonly kind: 'possible' }
  | { readonly kind: 'schemaChanged'; readonly changes: readonly string[] };

/**
 * Runs the reducers of one module on one database, each as one transaction.
 *
 * @example
 * const outcome = host.callReducer('send_message', caller, argsBsatn);
 * if (outcome.kind === 'refused') console.error(outcome.message);
 */
export class ModuleHost implements Durability {
  readonly def: ModuleDef;
  readonly #database: Database;
  readonly #module: Module;
  readonly #log: ModuleLog;
  readonly #clock: Clock;
  readonly #onEffects: NonNullable<ModuleHostOptions['onEffects']>;
  readonly #scope: TransactionScope;
  readonly #reducers: ReducerDirectory;
  readonly #share: ContextShare;

  /** The database has the module's tables: `canReplace` has found nothing that speaks against them. */
  constructor(database: Database, module: Module, options: ModuleHostOptions) {
    this.def = module.def;
    this.#database = database;
    this.#module = module;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#onEffects = options.onEffects ?? (() => {});
    this.#scope = options.scope ?? new TransactionScope();
    const { owner, identity: self } = database.options;
    // The owner, and the database itself when a schedule is due.
    const isTrusted = (identity: Identity): boolean => identity.isEqual(owner) || identity.isEqual(self);
    this.#reducers = new ReducerDirectory(module, { clock: options.clock, isTrusted });
    this.#share = {
      databaseIdentity: database.options.identity,
      db: makeDb(database, module),
      nextOffset: () => database.log.lastOffset + 1,
      uuidCounter: { value: 0 },
    };
  }

  /** Runs a reducer for a client. @param name canonical. @param args the parameters as a BSATN product. */
  callReducer(name: string, caller: Caller, args: Uint8Array): ReducerOutcome {
    const reducer = this.#reducers.find(name, caller);
    if (isRefusal(reducer)) return reducer;
    let values: unknown;
    try {
      values = this.#reducers.decode(reducer, args);
    } catch (error) {
      return this.#reducers.badArguments(reducer, error);
    }
    return this.#run(reducer, caller, values, { bsatn: args });
  }

  /** The same with the parameters as SATS-JSON: an array in order, or an object by canonical names. */
  callReducerJson(name: string, caller: Caller, jsonText: string): ReducerOutcome {
    const reducer = this.#reducers.find(name, caller);
    if (isRefusal(reducer)) return reducer;
    let values: unknown;
    try {
      values = this.#reducers.decodeJson(reducer, jsonText);
    } catch (error) {
      return this.#reducers.badArguments(reducer, error);
    }
    return this.#run(reducer, caller, values, { bsatn: encodeToBytes(reducer.codec, values) });
  }

  /** Runs `init`, for a database that was just created; `sections` are logged with it. */
  runInit(owner: Identity, sections: readonly LogSection[] = []): ReducerOutcome {
    const caller = { identity: owner, connectionId: undefined, tokenPayload: undefined };
    return this.#runLifecycle('init', caller, sections);
  }

  /**
   * Runs the function of a scheduled row, for the database itself; `finish` after it in the same transaction.
   * @param sourceName of the reducer. @param row in BSATN.
   */
  runScheduled(sourceName: string, row: Uint8Array, finish: () => void): ReducerOutcome {
    const reducer = this.#reducers.findScheduled(sourceName);
    if (isRefusal(reducer)) return reducer;
    const { identity } = this.#database.options;
    const caller = { identity, connectionId: undefined, tokenPayload: undefined };
    let args: unknown;
    try {
      // A product of one element is encoded as that element.
      args = reducer.def.params.elements.length === 0 ? {} : this.#reducers.decode(reducer, row);
    } catch (error) {
      return this.#reducers.badArguments(reducer, error);
    }
    return this.#run(reducer, caller, args, { bsatn: row, finish });
  }

  /** The module's WAMP procedures, by match and URI. */
  get rpcs(): Module['rpcs'] {
    return this.#module.rpcs;
  }

  /** What the module says to members of its WAMP realm. */
  get realm(): Module['realm'] {
    return this.#module.realm;
  }

  /** What happens on the module's Engine.IO sockets, by path. */
  get sockets(): Module['sockets'] {
    return this.#module.sockets;
  }

  /**
   * Runs `body` as one transaction, for functions that are no reducers. What it throws undoes what it did, and is thrown again.
   * @param name of the function, for the log.
   */
  transact<Result>(name: string, caller: Caller, body: (ctx: ReducerCtx<SchemaShape>) => Result): Result {
    const timestampMicros = this.#clock.nowMicros();
    const context = new ReducerContext(this.#share, caller, timestampMicros);
    let result: Result | undefined;
    const commit = this.#commit(originOf(caller, name, timestampMicros), context, () => {
      result = body(context);
      refusePromise(result);
    });
    this.#passOn(commit, context);
    return result as Result;
  }

  /** A context for a function that is no transaction: all but `db` and what needs one. */
  makeContext(
    caller: Caller,
    timestampMicros = this.#clock.nowMicros(),
  ): Pick<
    ReducerCtx<SchemaShape>,
    'sender' | 'databaseIdentity' | 'connectionId' | 'timestamp' | 'senderAuth'
  > {
    return new ReducerContext(this.#share, caller, timestampMicros);
  }

  /** What `authorize` of a room is given; `onRead` hears which tables it looks at, by their names in the module. */
  makeRoomContext(context: RoomContext, onRead: (table: string) => void): RoomCtx<SchemaShape> {
    const { sender: identity, connectionId, tokenPayload } = context;
    const made = this.makeContext({ identity, connectionId, tokenPayload });
    const { databaseIdentity, timestamp, senderAuth } = made;
    const db = new Proxy(this.#share.db, {
      get: (tables, name) => {
        if (typeof name === 'string') onRead(name);
        return tables[name as string];
      },
    });
    return { ...context, databaseIdentity, timestamp, senderAuth, db };
  }

  /** The tables, to be read: what writes outside of a transaction throws. */
  get db(): DbView<SchemaShape> {
    return this.#share.db;
  }

  get isDurable(): boolean {
    const { durableOffset, lastOffset } = this.#database.log;
    return durableOffset >= lastOffset;
  }

  deferUntilDurable(action: DeferredAction): void {
    this.#onEffects(this.#database.log.lastOffset, [action]);
  }

  /** Writes down what a function that is no reducer has thrown. */
  reportCrash(name: string, error: unknown): void {
    writeCrash(this.#log, this.#module, name, error);
  }

  /** To be called before a client is let in: any outcome but `committed` keeps the client out. */
  clientConnected(caller: Caller): ReducerOutcome {
    const outcome = this.#runLifecycle('clientConnected', caller, connectionSections('connected', caller));
    if (outcome.kind !== 'crashed' || outcome.isLogLost !== true) return outcome;
    // The module lets him in, only that it cannot be written down any more: he may read.
    const { timestampMicros } = outcome;
    const origin = originOf(caller, 'clientConnected', timestampMicros);
    return {
      kind: 'committed',
      commit: { offset: this.#database.log.lastOffset, origin, deltas: [] },
      timestampMicros,
    };
  }

  /** To be called once for every client that was let in, whatever its end. */
  clientDisconnected(caller: Caller): ReducerOutcome {
    const sections = connectionSections('disconnected', caller);
    const outcome = this.#runLifecycle('clientDisconnected', caller, sections);
    // The connection is gone, whatever the module says to it.
    if (outcome.kind !== 'committed') this.#logAlone(caller, sections);
    return outcome;
  }

  /** Whether a host of `other` could go on with this host's database. */
  canReplace(other: Module): Replacement {
    const changes = describeConflicts(this.def.schema, other.def.schema);
    return changes.length === 0 ? { kind: 'possible' } : { kind: 'schemaChanged', changes };
  }

  #runLifecycle(lifecycle: Lifecycle, caller: Caller, sections: readonly LogSection[]): ReducerOutcome {
    const reducer = this.#reducers.ofLifecycle(lifecycle);
    if (reducer !== undefined) return this.#run(reducer, caller, {}, { sections });
    const timestampMicros = this.#clock.nowMicros();
    try {
      const origin = originOf(caller, lifecycle, timestampMicros);
      const { commit } = this.#database.transact(origin, () => this.#addSections(sections));
      return { kind: 'committed', commit, timestampMicros };
    } catch (error) {
      return this.#failed(lifecycle, error, timestampMicros);
    }
  }

  #run(
    reducer: HostedReducer,
    caller: Caller,
    args: unknown,
    { bsatn = NO_ARGUMENTS, sections = NO_SECTIONS, finish }: RunOptions,
  ): ReducerOutcome {
    const timestampMicros = this.#clock.nowMicros();
    const { name } = reducer.def;
    const context = new ReducerContext(this.#share, caller, timestampMicros);
    const outer = this.#log.currentFunction;
    this.#log.currentFunction = name;
    let commit: Commit;
    try {
      const origin = originOf(caller, name, timestampMicros, bsatn);
      commit = this.#commit(origin, context, () => {
        runBody(reducer, context, args);
        finish?.();
        this.#addSections(sections);
      });
    } catch (error) {
      return this.#failed(name, error, timestampMicros);
    } finally {
      this.#log.currentFunction = outer;
    }
    this.#passOn(commit, context);
    return { kind: 'committed', commit, timestampMicros };
  }

  #commit(origin: TransactionOrigin, context: ReducerContext, body: () => void): Commit {
    return this.#scope.run(context, () => this.#database.transact(origin, body).commit);
  }

  #passOn({ offset }: Commit, { effects }: ReducerContext): void {
    if (effects !== undefined) this.#onEffects(offset, effects);
  }

  #addSections(sections: readonly LogSection[]): void {
    for (const section of sections) this.#database.addSection(section);
  }

  #logAlone(caller: Caller, sections: readonly LogSection[]): void {
    if (this.#database.log.failure !== undefined) return;
    const origin = originOf(caller, 'clientDisconnected', this.#clock.nowMicros());
    this.#database.transact(origin, () => this.#addSections(sections));
  }

  #failed(name: string, error: unknown, timestampMicros: number): ReducerOutcome {
    if (error instanceof SenderError) return { kind: 'refused', message: messageOf(error), timestampMicros };
    const { failure } = this.#database.log;
    // It is in the module's log already, once.
    if (failure !== undefined && error === failure)
      return { kind: 'crashed', message: failure.message, timestampMicros, isLogLost: true };
    writeCrash(this.#log, this.#module, `reducer \`${name}\``, error);
    return { kind: 'crashed', message: messageOf(error), timestampMicros };
  }
}

const NO_SECTIONS: readonly LogSection[] = [];
const NO_ARGUMENTS: Uint8Array = new Uint8Array(0);

/** What recovery has to know to tell the module of connections that ended with the process. */
function connectionSections(kind: 'connected' | 'disconnected', caller: Caller): readonly LogSection[] {
  const { identity, connectionId } = caller;
  return connectionId === undefined ? NO_SECTIONS : [connectionSection(kind, { identity, connectionId })];
}

function originOf(
  { identity, connectionId }: Caller,
  functionName: string,
  timestampMicros: number,
  args: Uint8Array = NO_ARGUMENTS,
): TransactionOrigin {
  return { caller: identity, connectionId, functionName, timestampMicros, args };
}

function runBody(reducer: HostedReducer, context: ReducerContext, args: unknown): void {
  refusePromise(reducer.body(context, args));
}

function refusePromise(result: unknown): void {
  if (result === undefined || typeof result !== 'object' || result === null || !('then' in result)) return;
  if (typeof result.then !== 'function') return;
  // Nobody else looks at the promise: without this its rejection would end the process.
  void Promise.resolve(result as PromiseLike<unknown>).catch(() => {});
  throw new TypeError(
    'the reducer returned a promise, and everything it did is undone: reducers are synchronous, remove `async` and `await`',
  );
}

function makeDb(database: Database, module: Module): DbView<SchemaShape> {
  // Without a prototype: a table may be called `constructor`.
  const db: Record<string, object> = Object.create(null) as Record<string, object>;
  for (const def of module.def.schema.tables) {
    const handle = module.tables[def.sourceName]!;
    db[def.sourceName] = makeTableAccessor(database.table(def.name), handle, module.def.schema.typespace);
  }
  return Object.freeze(db) as DbView<SchemaShape>;
}
