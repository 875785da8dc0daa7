import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { DocumentStore } from '../documents/document-store.js';
import type { Database } from '../engine/database.js';
import { LiveQueries } from '../engine/live/live-queries.js';
import type { CommitLog, LogSection } from '../engine/log/commit-log.js';
import { readBackup } from '../engine/log/backup-file.js';
import type { Disk } from '../engine/log/disk.js';
import { SectionKind } from '../engine/log/record-codec.js';
import { connectionSection } from '../engine/open-connections.js';
import { beginsAnew, programSection } from '../engine/recover-database.js';
import { withScheduledFailures } from '../engine/schedule/failure-table.js';
import { Scheduler } from '../engine/schedule/scheduler.js';
import type { Snapshotter } from '../engine/snapshotter.js';
import { runSql } from '../engine/sql/select.js';
import type { Module } from '../module/definition/build-module.js';
import type { TransactionScope } from '../module/effects.js';
import { ModuleHost } from '../module/host.js';
import type { ModuleLog } from '../module/logs.js';
import type { ReducerOutcome } from '../module/module-def.js';
import { CloseCode } from '../protocols/spacetimedb/server/close-code.js';
import { Delivery, type FlushScheduler } from '../protocols/spacetimedb/server/delivery.js';
import type { AdHocQuery, DatabaseRuntime, OpenSession } from '../protocols/spacetimedb/server/runtime.js';
import type { Identity } from '../values/identity.js';
import type { Commit } from '../engine/contract.js';
import type { RoomContext } from '../documents/room-definition.js';
import { documentsOf, openDatabase, type Scratch } from './open-database.js';
import { PendingEffects } from './pending-effects.js';
import { encodeStoredProgram, type Program, storeTables } from './program.js';

export interface HostedDatabaseOptions {
  readonly identity: Identity;
  readonly owner: Identity;
  readonly names: readonly string[];
  readonly program: Program;
  /** The tables that were recovered; empty ones are made when it is left out. */
  readonly database?: Database;
  readonly moduleLog: ModuleLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: CommitLog;
  /** Where the log is; undefined in memory. */
  readonly disk?: Disk | undefined;
  readonly schedule: FlushScheduler;
  /** The server's. */
  readonly scope: TransactionScope;
  /** Where documents keep what need not be in memory. */
  readonly scratch?: Scratch | undefined;
}

/** One database that runs: its tables, its module, who listens to it. */
export class HostedDatabase implements DatabaseRuntime {
  readonly identity: Identity;
  readonly owner: Identity;
  readonly moduleLog: ModuleLog;
  readonly log: CommitLog;
  readonly clock: Clock;
  readonly delivery: Delivery;
  /** What transactions want to have happen once they are on disk. */
  readonly effects: PendingEffects;
  readonly sessions = new Set<OpenSession>();
  readonly #scope: TransactionScope;
  readonly #random: Random;
  readonly #disk: Disk | undefined;
  readonly #scratch: Scratch | undefined;
  readonly #tableListeners = new Set<(tables: readonly string[]) => void>();
  #names: readonly string[];
  #program: Program;
  #database: Database;
  #live: LiveQueries;
  #host: ModuleHost;
  #scheduler: Scheduler | undefined;
  #stopListening: (() => void) | undefined;

  constructor(options: HostedDatabaseOptions) {
    this.identity = options.identity;
    this.owner = options.owner;
    this.moduleLog = options.moduleLog;
    this.clock = options.clock;
    this.log = options.log;
    this.delivery = new Delivery(options.log, options.schedule);
    this.effects = new PendingEffects(options.log);
    this.#scope = options.scope;
    this.#random = options.random;
    this.#disk = options.disk;
    this.#scratch = options.scratch;
    this.#names = options.names;
    this.#program = options.program;
    this.#database = options.database ?? this.#makeDatabase(options.program.module);
    this.#live = this.#makeLive();
    this.#host = this.#makeHost(options.program.module);
    options.log.onFailed((failure) => this.#goReadOnly(failure));
  }

  get names(): readonly string[] {
    return this.#names;
  }

  get programHash(): string {
    return this.#program.hash;
  }

  get program(): Program {
    return this.#program;
  }

  get database(): Database {
    return this.#database;
  }

  /** Shared documents; others after a reset. */
  get documents(): DocumentStore {
    return documentsOf(this.#database);
  }

  get live(): LiveQueries {
    return this.#live;
  }

  get host(): ModuleHost {
    return this.#host;
  }

  /** What `authorize` of a room is given; see ModuleHost. */
  roomContext(context: RoomContext, onRead: (table: string) => void): RoomContext {
    return this.#host.makeRoomContext(context, onRead);
  }

  /** Calls `listener` with the tables that each transaction has changed, by their names in the module, whichever database it is then. */
  onTablesChanged(listener: (tables: readonly string[]) => void): () => void {
    this.#tableListeners.add(listener);
    return () => this.#tableListeners.delete(listener);
  }

  readonly query: AdHocQuery = (sql, viewer) => runSql(withScheduledFailures(this.#database), sql, viewer);

  /** For a database that is new: runs `init` and logs the program, in one transaction. */
  runInit(): ReducerOutcome {
    const outcome = this.#host.runInit(this.owner, [this.#programSection(true)]);
    if (outcome.kind === 'committed') this.#startSchedule();
    return outcome;
  }

  /** What speaks against putting `module` in place of the present one while the data stays; empty when nothing does. */
  conflictsWith(module: Module): readonly string[] {
    const replacement = this.#host.canReplace(module);
    return replacement.kind === 'possible' ? [] : replacement.changes;
  }

  /** Puts a program in place of the present one, with whose tables nothing conflicts. Sockets and data stay. */
  swap(program: Program): void {
    // First, so that the log knows of new tables before it has rows of them, and nothing has changed when it takes no more.
    this.#logProgram('publish', program, this.#names);
    this.#program = program;
    this.#database.replaceSchema(program.module.def.schema);
    this.#live.schemaReplaced();
    this.#live.recent.restart();
    this.#host = this.#makeHost(program.module);
    this.#startSchedule();
  }

  rename(names: readonly string[]): void {
    this.#logProgram('rename', this.#program, names);
    this.#names = names;
  }

  /**
   * Begins again with empty tables and runs `init`. When that fails nothing has changed. Connections are closed: what their
   * clients keep is gone.
   */
  reset(program: Program): ReducerOutcome {
    const before = { database: this.#database, live: this.#live, host: this.#host, program: this.#program };
    this.#database = this.#makeDatabase(program.module);
    this.#live = this.#makeLive();
    this.#host = this.#makeHost(program.module);
    this.#program = program;
    const outcome = this.runInit();
    if (outcome.kind === 'committed') {
      this.closeSessions('the database was reset');
      documentsOf(before.database).dispose();
    } else {
      this.#database = before.database;
      this.#live = before.live;
      this.#host = before.host;
      this.#program = before.program;
    }
    return outcome;
  }

  /** The bytes of a backup, undefined for a database in memory. */
  backup(): AsyncIterable<Uint8Array> | undefined {
    return this.#disk === undefined ? undefined : readBackup(this.#disk, this.identity.key);
  }

  closeSessions(reason: string, code: number = CloseCode.away): void {
    for (const session of this.sessions) session.close(code, reason);
  }

  /** What a snapshot keeps besides tables. */
  snapshotSections(): readonly LogSection[] {
    const open = this.#database.openConnections.list();
    const connections = open.map((connection) => connectionSection('connected', connection));
    return [this.#programSection(true), ...connections];
  }

  /** Logs that the end is in good order, and closes the log. */
  async close(): Promise<void> {
    this.#scheduler?.stop();
    this.delivery.close();
    if (this.log.failure === undefined)
      this.#logAlone('close', { kind: SectionKind.close, bytes: new Uint8Array() });
    await this.log.close().catch((error: unknown) => {
      // Told when it happened; whoever closes has nothing to add.
      if (this.log.failure === undefined) throw error;
    });
    this.documents.dispose();
  }

  /** For a database that was recovered: tells the module of connections that ended with the last process. */
  resume(): void {
    this.#logAlone('open', { kind: SectionKind.epoch, bytes: new Uint8Array() });
    for (const { identity, connectionId } of this.#database.openConnections.list()) {
      this.#host.clientDisconnected({ identity, connectionId, tokenPayload: undefined });
    }
    this.#startSchedule();
  }

  /**
   * The log has failed. What was promised as confirmed cannot come any more: better to tell clients than to keep silent. Tables go
   * back to what is on disk, so that whoever reads now sees what will be there after the restart.
   */
  #goReadOnly(failure: Error): void {
    this.#scheduler?.stop();
    this.moduleLog.writeSystem('Error', failure.message);
    // Control frames hold 123 bytes of text.
    this.closeSessions("the database's log has failed", CloseCode.error);
    const lost = this.log.takeBack?.() ?? [];
    if (lost.length === 0) return;
    const beganAnew = lost.some(({ sections = [] }) => sections.some(beginsAnew));
    // The tables from before the reset are gone: none would be right.
    this.#database = beganAnew ? this.#makeDatabase(this.#program.module) : this.#database;
    if (!beganAnew) this.#database.takeBack(lost);
    this.#live = this.#makeLive();
    this.#host = this.#makeHost(this.#program.module);
  }

  /** Of the present tables; rows of tables from before are not run any more. */
  #startSchedule(): void {
    this.#scheduler?.stop();
    this.#scheduler = new Scheduler(this.#database, {
      clock: this.clock,
      run: ({ functionName, rowBytes }, finish) => {
        const outcome = this.#host.runScheduled(functionName, rowBytes, finish);
        return outcome.kind === 'committed' ? undefined : outcome.message;
      },
      onFailure: (text) => this.moduleLog.writeSystem('Error', text),
    });
    this.#scheduler.start();
  }

  #logProgram(cause: string, program: Program, names: readonly string[]): void {
    this.#logAlone(cause, this.#programSection(false, program, names));
  }

  #logAlone(functionName: string, section: LogSection): void {
    const timestampMicros = this.clock.nowMicros();
    const origin = { caller: this.owner, connectionId: undefined, functionName, timestampMicros };
    this.#database.transact(origin, () => this.#database.addSection(section));
  }

  #programSection(
    beginsAnew: boolean,
    { text, hash, module }: Program = this.#program,
    names: readonly string[] = this.#names,
  ): LogSection {
    const { schemaHash, def } = module;
    const learned = text === undefined ? { tables: storeTables(def.schema) } : {};
    const stored = { names, owner: this.owner, text, hash, schemaHash, ...learned };
    return programSection(encodeStoredProgram(stored), beginsAnew);
  }

  #makeDatabase(module: Module): Database {
    const { identity, owner, clock, log } = this;
    return openDatabase(
      module.def.schema,
      { identity, owner, clock, log, random: this.#random },
      this.#scratch,
    );
  }

  #makeLive(): LiveQueries {
    this.#stopListening?.();
    this.#stopListening = this.#database.onCommit(({ deltas }) => this.#tellTables(deltas));
    return new LiveQueries(this.#database, { random: this.#random });
  }

  #tellTables(deltas: Commit['deltas']): void {
    if (this.#tableListeners.size === 0) return;
    const names = deltas.map(({ table }) => table.sourceName);
    for (const listener of this.#tableListeners) listener(names);
  }

  #makeHost(module: Module): ModuleHost {
    return new ModuleHost(this.#database, module, {
      log: this.moduleLog,
      clock: this.clock,
      scope: this.#scope,
      onEffects: (offset, effects) => this.effects.add(offset, effects),
    });
  }
}

/** Takes snapshots of `hosted` as its log grows. Returns the function that stops it. */
export function snapshotAsNeeded(
  hosted: HostedDatabase,
  log: CommitLog & { readonly writtenBytes: number },
  snapshotter: Snapshotter,
  onError: (error: unknown, where: string) => void,
): () => void {
  // 64 MiB of log: a second or two to replay. A larger database waits until the log is as large as its snapshot.
  let dueAt = 64 * 1024 * 1024;
  return log.onDurable(() => {
    if (log.writtenBytes < dueAt || snapshotter.isRunning) return;
    const startedAt = log.writtenBytes;
    dueAt = Number.POSITIVE_INFINITY;
    snapshotter.take(hosted.database).then(
      (bytes) => void (dueAt = startedAt + Math.max(64 * 1024 * 1024, bytes)),
      (error: unknown) => {
        onError(error, 'snapshot');
        dueAt = log.writtenBytes + 64 * 1024 * 1024;
      },
    );
  });
}
