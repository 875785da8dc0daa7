import { keccak_256 } from '@noble/hashes/sha3.js';

import type { Clock } from '../base/clock.js';
import { encodeHex } from '../base/hex.js';
import type { Random } from '../base/random.js';
import type { Database } from '../engine/database.js';
import { MemoryLog, waitUntilDurable } from '../engine/log/commit-log.js';
import type { DatabaseSchema } from '../engine/schema.js';
import { Snapshotter } from '../engine/snapshotter.js';
import type { TokenAuthority } from '../identity/tokens.js';
import { type Publication, TransactionScope } from '../module/effects.js';
import type { Module } from '../module/definition/build-module.js';
import { loadProgram } from '../module/load.js';
import { ModuleLog } from '../module/logs.js';
import type { ReducerOutcome } from '../module/module-def.js';
import type {
  Catalog,
  PublishRequest,
  PublishResult,
  RenameResult,
} from '../protocols/spacetimedb/server/catalog.js';
import type { FlushScheduler } from '../protocols/spacetimedb/server/delivery.js';
import type { DatabaseRuntime } from '../protocols/spacetimedb/server/runtime.js';
import type { Identity } from '../values/identity.js';
import type { DatabaseStore, StoredLog } from './database-store.js';
import { HostedDatabase, snapshotAsNeeded } from './hosted-database.js';
import { openDatabase, type Scratch } from './open-database.js';
import type { Program, StoredProgram } from './program.js';
import { recoverStored } from './recover-stored.js';

export interface DatabaseCatalogOptions {
  readonly authority: TokenAuthority;
  /** Who may create databases, besides everybody when `openToAll`. */
  readonly owner: Identity;
  readonly openToAll: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly schedule: FlushScheduler;
  /** Where databases are kept; in memory only when it is left out. */
  readonly store: DatabaseStore | undefined;
  /** For how long the past is kept, so that it can be restored. */
  readonly retainMs: number;
  /** Modules that the application brings along, by the name of their database. */
  readonly embedded: Readonly<Record<string, Module>>;
  readonly onError: (error: unknown, where: string) => void;
  /** Given what transactions published, once they are on disk, in the order of their commits. */
  readonly onPublished?: (database: HostedDatabase, publication: Publication) => void;
  /** Told what recovery did, for people. */
  readonly onNotice: (text: string) => void;
}

/** All databases of one server, by name and by identity. */
export class DatabaseCatalog implements Catalog {
  /** Which transaction runs now, in whichever database. */
  readonly scope = new TransactionScope();
  readonly #options: DatabaseCatalogOptions;
  /** By the key of the identity, in the order of creation. */
  readonly #byIdentity = new Map<string, HostedDatabase>();
  readonly #byName = new Map<string, HostedDatabase>();
  /** Told when a database is there, and when its module, its tables or its names are others. */
  onModule: (database: HostedDatabase) => void = () => {};
  /** Told when a name is nobody's any more, before its database ends. */
  onNameGone: (name: string) => void = () => {};
  /** Publishing is one at a time: two that create the same name must not both succeed. */
  #publishing: Promise<unknown> = Promise.resolve();

  constructor(options: DatabaseCatalogOptions) {
    this.#options = options;
  }

  get databases(): Iterable<HostedDatabase> {
    return this.#byIdentity.values();
  }

  /** Reads the stored databases back, then runs the embedded modules. */
  async open(): Promise<void> {
    const { store, embedded } = this.#options;
    if (store !== undefined) {
      for (const identity of await store.list()) await this.#recover(store, identity);
    }
    for (const [name, module] of Object.entries(embedded)) {
      const result = await confirmed(await this.#embed(name, module));
      if (result.kind === 'failed' || result.kind === 'refused')
        throw new Error(`database ${name}: ${result.reason}`);
    }
  }

  findByName(name: string): HostedDatabase | undefined {
    return this.#byName.get(name);
  }

  /** The database of that name; without a name the first one. */
  findDefault(name: string | undefined): HostedDatabase | undefined {
    if (name !== undefined) return this.findByName(name);
    for (const database of this.databases) return database;
    return undefined;
  }

  findByIdentity(identity: Identity): HostedDatabase | undefined {
    return this.#byIdentity.get(identity.key);
  }

  mayCreate(identity: Identity): boolean {
    return this.#options.openToAll || identity.isEqual(this.#options.owner);
  }

  publish(request: PublishRequest): Promise<PublishResult> {
    const result = this.#publishing.then(() => this.#publish(request)).then(confirmed);
    this.#publishing = result.catch(() => {});
    return result;
  }

  async delete(database: DatabaseRuntime): Promise<void> {
    const found = this.#byIdentity.get(database.identity.key);
    if (found === undefined) return;
    this.#byIdentity.delete(found.identity.key);
    for (const name of found.names) this.#freeName(name);
    found.closeSessions('the database was deleted');
    await found.close();
    await this.#options.store?.remove(found.identity);
  }

  async setNames(database: DatabaseRuntime, names: readonly string[]): Promise<RenameResult> {
    const found = this.#byIdentity.get(database.identity.key);
    const taken = names.find((name) => (this.#byName.get(name) ?? found) !== found);
    if (found === undefined || taken !== undefined) return { kind: 'taken', name: taken ?? '' };
    const before = found.names;
    // The log may refuse it; then nothing has changed.
    found.rename([...new Set(names)]);
    for (const name of before) if (!names.includes(name)) this.#freeName(name);
    for (const name of found.names) this.#byName.set(name, found);
    this.onModule(found);
    await waitUntilDurable(found.log);
    return { kind: 'renamed' };
  }

  closeSessions(reason: string): void {
    for (const database of this.databases) database.closeSessions(reason);
  }

  /** To be called when no session is left. */
  async close(): Promise<void> {
    await this.#publishing;
    await Promise.all([...this.#byIdentity.values()].map((database) => database.close()));
    await this.#options.store?.close();
  }

  #freeName(name: string): void {
    this.#byName.delete(name);
    this.onNameGone(name);
  }

  async #publish(request: PublishRequest): Promise<PublishResult> {
    const target = request.target && this.#byIdentity.get(request.target.identity.key);
    const { program: text } = request;
    if (text === undefined) {
      return target === undefined
        ? failed('there is no program to run')
        : this.#update(target, target.program, true);
    }
    const moduleLog = target?.moduleLog ?? this.#newModuleLog();
    let program: Program;
    try {
      program = { module: await loadProgram(text, { log: moduleLog }), text, hash: hashText(text) };
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error));
    }
    if (target !== undefined) return this.#update(target, program, request.clear);
    return this.#create(request, moduleLog, program);
  }

  async #embed(name: string, module: Module): Promise<PublishResult> {
    const target = this.findByName(name);
    const program = { module, text: undefined, hash: hashText(module.schemaHash) };
    if (target !== undefined) return this.#update(target, program, false);
    return this.#create({ name, publisher: this.#options.owner }, this.#newModuleLog(), program);
  }

  async #create(
    { name, publisher }: Pick<PublishRequest, 'name' | 'publisher'>,
    moduleLog: ModuleLog,
    program: Program,
  ): Promise<PublishResult> {
    if (name !== undefined && this.#byName.has(name)) return failed(`the name \`${name}\` is taken`);
    // As the reference server does: a database is somebody too.
    const identity = this.#options.authority.newIdentity();
    const stored = await this.#options.store?.create(identity);
    const names = name === undefined ? [] : [name];
    const database = this.#host(identity, { names, owner: publisher }, program, moduleLog, stored);
    const outcome = database.runInit();
    if (outcome.kind !== 'committed') {
      await database.close();
      await this.#options.store?.remove(identity);
      return initFailed(outcome);
    }
    this.#add(database, stored);
    return { kind: 'created', database };
  }

  async #recover(store: DatabaseStore, identity: Identity): Promise<void> {
    const moduleLog = this.#newModuleLog();
    const { clock, random, owner, embedded, onNotice } = this.#options;
    const options = { identity, owner, clock, random, log: new MemoryLog() };
    const open = (schema: DatabaseSchema): Database => openDatabase(schema, options, this.#scratch);
    const recovered = await recoverStored(store, identity, { embedded, moduleLog, open });
    if (recovered === undefined) return store.remove(identity);
    const { stored, program, notices } = recovered;
    for (const notice of notices) onNotice(`database ${identity.toHexString()}: ${notice}`);
    const database = this.#host(identity, stored, program, moduleLog, recovered, recovered.database);
    this.#add(database, recovered);
    database.resume();
  }

  #host(
    identity: Identity,
    { names, owner }: Pick<StoredProgram, 'names' | 'owner'>,
    program: Program,
    moduleLog: ModuleLog,
    stored: StoredLog | undefined,
    database?: Database,
  ): HostedDatabase {
    const { scope } = this;
    const { clock, random, schedule } = this.#options;
    const log = stored?.log ?? new MemoryLog();
    const rest = {
      names,
      owner,
      program,
      moduleLog,
      clock,
      random,
      schedule,
      scope,
      log,
      disk: stored?.disk,
      scratch: this.#scratch,
    };
    const hosted = new HostedDatabase({ identity, ...rest, ...(database === undefined ? {} : { database }) });
    hosted.effects.deliver = (publication) => this.#options.onPublished?.(hosted, publication);
    return hosted;
  }

  get #scratch(): Scratch | undefined {
    const { store, onError } = this.#options;
    return store?.scratchFolder === undefined ? undefined : { folder: store.scratchFolder, onError };
  }

  #add(database: HostedDatabase, stored: StoredLog | undefined): void {
    this.#byIdentity.set(database.identity.key, database);
    for (const name of database.names) this.#byName.set(name, database);
    this.onModule(database);
    if (stored === undefined) return;
    const { clock, onError, retainMs } = this.#options;
    const snapshotter = new Snapshotter(stored.disk, {
      databaseKey: database.identity.key,
      epoch: stored.epoch,
      sections: () => database.snapshotSections(),
      pause: () => new Promise((resolve) => void setImmediate(resolve)),
      nowMs: () => clock.nowMicros() / 1000,
      retainMs,
    });
    snapshotAsNeeded(database, stored.log, snapshotter, onError);
  }

  /** @param program undefined to keep the present one, which only makes sense with `clear`. */
  #update(target: HostedDatabase, program: Program, clear: boolean): PublishResult {
    if (clear) {
      const outcome = target.reset(program);
      if (outcome.kind === 'committed') this.onModule(target);
      return outcome.kind === 'committed' ? { kind: 'updated', database: target } : initFailed(outcome);
    }
    const conflicts = target.conflictsWith(program.module);
    if (conflicts.length > 0) return { kind: 'refused', reason: describeConflicts(conflicts) };
    if (program.hash !== target.programHash || program.text === undefined) {
      target.swap(program);
      this.onModule(target);
    }
    return { kind: 'updated', database: target };
  }

  #newModuleLog(): ModuleLog {
    return new ModuleLog({ clock: this.#options.clock });
  }
}

/** Whoever is told that something was published finds it after a crash, too. */
async function confirmed(result: PublishResult): Promise<PublishResult> {
  if (result.kind === 'failed' || result.kind === 'refused') return result;
  const { log } = result.database;
  try {
    await waitUntilDurable(log);
    return result;
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function describeConflicts(conflicts: readonly string[]): string {
  return (
    `the tables changed: ${conflicts.join('; ')}. Tables can be added while the data stays; rows of tables that changed are not ` +
    `migrated in this version: publish with \`clear\` (chorale publish --delete-data) to begin again with empty tables, or keep ` +
    `those tables as they were.`
  );
}

function initFailed(outcome: Exclude<ReducerOutcome, { kind: 'committed' }>): PublishResult {
  return failed(`the init reducer failed: ${outcome.message}`);
}

function failed(reason: string): PublishResult {
  return { kind: 'failed', reason };
}

function hashText(text: string): string {
  return encodeHex(keccak_256(new TextEncoder().encode(text)));
}
