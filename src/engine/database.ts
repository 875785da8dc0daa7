import { assert } from '../base/assert.js';
import { decodeFromBytes } from '../values/bsatn/codec.js';
import type {
  Commit,
  DatabaseOptions,
  KeptSections,
  Row,
  SectionKeeper,
  TransactionOrigin,
} from './contract.js';
import { didYouMean, EngineError } from './errors.js';
import type { CommitLog, LogSection, TransactionRecord, TxOffset } from './log/commit-log.js';
import { SectionKind } from './log/record-codec.js';
import { OpenConnections } from './open-connections.js';
import { ScheduleBook } from './schedule/schedule-book.js';
import { checkSchema, SchemaError } from './schema-check.js';
import { schemaHash, schemaPartText } from './schema-hash.js';
import type { DatabaseSchema, TableDef } from './schema.js';
import { decodeAllocation, encodeAllocation } from './tables/sequence.js';
import { Table } from './tables/table.js';
import { WriteScope } from './tables/write-scope.js';

export type CommitObserver = (commit: Commit) => void;

/**
 * Tables in memory with one writer. All changes happen within `transact`: at once visible inside, and either all kept
 * and logged or all taken back.
 *
 * @example
 * const { result, commit } = database.transact(origin, () => database.table('player').insert({ id: 0n, name: 'ada' }));
 */
export class Database {
  readonly options: DatabaseOptions;
  /** Where commits go. Recovery replays first and then puts the log here that it has read. */
  log: CommitLog;
  /** By canonical name. */
  readonly tables: ReadonlyMap<string, Table>;
  /** Kept up to date by the sections that transactions log. */
  readonly openConnections = new OpenConnections();
  /** When scheduled rows are due; kept up to date by rows and sections. */
  readonly schedules = new ScheduleBook();
  readonly #keepers = new Map<number, SectionKeeper>();
  readonly #tables = new Map<string, Table>();
  readonly #bySourceName = new Map<string, Table>();
  #schema: DatabaseSchema;
  #schemaHash: string;
  readonly #scope = new WriteScope();
  #observer: CommitObserver | undefined;
  readonly #commitListeners = new Set<CommitObserver>();
  #isObserving = false;

  /** Throws SchemaError for a schema that cannot be. */
  constructor(schema: DatabaseSchema, options: DatabaseOptions) {
    checkSchema(schema);
    this.#schema = schema;
    this.#schemaHash = schemaHash(schema);
    this.options = options;
    this.log = options.log;
    this.tables = this.#tables;
    for (const def of schema.tables) this.#addTable(def);
  }

  /** Equal for equal schemas. */
  get schemaHash(): string {
    return this.#schemaHash;
  }

  get schema(): DatabaseSchema {
    return this.#schema;
  }

  get inTransaction(): boolean {
    return this.#scope.isOpen;
  }

  /** The table of that canonical or source name. */
  findTable(name: string): Table | undefined {
    return this.tables.get(name) ?? this.#bySourceName.get(name);
  }

  /** Like `findTable`, and throws NoSuchTable. */
  table(name: string): Table {
    const table = this.findTable(name);
    if (table === undefined) {
      const hint = didYouMean(name, [...this.tables.keys(), ...this.#bySourceName.keys()]);
      throw new EngineError('NoSuchTable', `there is no table \`${name}\`${hint}`);
    }
    return table;
  }

  /** `observer` hears of every commit that changed something, after the log took it and before `transact` returns. Must not throw. */
  setCommitObserver(observer: CommitObserver | undefined): void {
    this.#observer = observer;
  }

  /** The same for any number of others, after the observer. Gives the function that stops it. */
  onCommit(listener: CommitObserver): () => void {
    this.#commitListeners.add(listener);
    return () => this.#commitListeners.delete(listener);
  }

  /**
   * Runs `body` with the tables open for changes. When it throws or returns a promise, or the log refuses, everything is
   * taken back and the error goes on. Values that sequences gave are not taken back.
   */
  transact<R>(origin: TransactionOrigin, body: () => R): { readonly result: R; readonly commit: Commit } {
    this.#begin(origin.timestampMicros);
    let commit: Commit;
    let result: R;
    try {
      result = body();
      if (isThenable(result)) throw refusePromise(result);
      commit = this.#log(origin);
    } catch (error) {
      this.#rollBack();
      throw error;
    }
    this.#settle(commit.deltas.length > 0);
    if (commit.deltas.length > 0) this.#notify(commit);
    return { result, commit };
  }

  /**
   * Takes the schema of a module that replaces the present one. The tables there are stay with their rows and must be in it as they
   * are; others begin empty. Throws SchemaError when it changes or lacks one.
   */
  replaceSchema(schema: DatabaseSchema): void {
    checkSchema(schema);
    const next = new Map(schema.tables.map((def) => [def.name, def]));
    for (const { name, def: present } of this.#tables.values()) {
      const def = next.get(name);
      if (def === undefined || schemaPartText(def, schema) !== schemaPartText(present, this.#schema))
        throw new SchemaError(`the schema differs from that of the stored data in table \`${name}\``);
    }
    this.#schema = schema;
    this.#schemaHash = schemaHash(schema);
    for (const def of schema.tables) {
      const present = this.#tables.get(def.name);
      if (present === undefined) this.#addTable(def);
      else present.def = def;
    }
  }

  #addTable(def: TableDef): void {
    const table = new Table(def, this.#schema.typespace, this.#scope);
    this.#tables.set(def.name, table);
    this.#bySourceName.set(def.sourceName, table);
  }

  /** Has the open transaction log something besides its rows. It is logged even if no row changes. */
  addSection(section: LogSection): void {
    this.#scope.assertOpen('the log');
    this.#scope.sections.push(section);
  }

  /** Logs a copy of a section of a keeper, who has taken it by himself, as a transaction of its own. Throws what the log throws. */
  logSection(origin: TransactionOrigin, section: LogSection): TxOffset {
    this.#refuseNested();
    const { timestampMicros, caller, connectionId, functionName } = origin;
    const sections = [section];
    return this.log.append({
      timestampMicros,
      caller,
      connectionId,
      functionName,
      changes: undefined,
      sections,
    });
  }

  /** Hands sections of its kind to `keeper` from now on, when the log is replayed. Whoever adds such a section tells it himself. */
  addKeeper(keeper: SectionKeeper): void {
    this.#keepers.set(keeper.kind, keeper);
  }

  /** What a snapshot has to keep besides the rows: where sequences go on, when scheduled rows are due. */
  stateSections(): LogSection[] {
    return [...this.#sequenceSections(), ...this.schedules.sections()];
  }

  /** What a snapshot has to keep of what keepers have; to be released. */
  captureKept(): KeptSections[] {
    return Array.from(this.#keepers.values(), (keeper) => keeper.capture());
  }

  #sequenceSections(): LogSection[] {
    return [...this.tables.values()].flatMap(({ name: table, sequences }) =>
      sequences.map(({ name: sequence, allocated: next }) => ({
        kind: SectionKind.sequence,
        bytes: encodeAllocation({ table, sequence, next }),
      })),
    );
  }

  /** Does again what a logged transaction did, without logging it or telling anybody. For recovery. */
  applyChanges(record: ReplayedRecord, offset: TxOffset = 0): void {
    assert(!this.inTransaction, 'changes are replayed between transactions');
    for (const change of record.changes) {
      const table = this.table(change.table);
      if (table.def.isEvent) continue;
      table.replay(change);
      if (table.def.schedule === undefined) continue;
      const decode = (bytes: Uint8Array): Row => decodeFromBytes(table.codec, bytes);
      this.schedules.noteRows(
        table.def,
        change.deletes.map(decode),
        change.inserts.map(decode),
        record.timestampMicros,
      );
    }
    for (const section of record.sections ?? []) {
      if (section.kind === SectionKind.sequence) this.#restoreSequence(section.bytes);
      else this.#applySection(section);
      const { timestampMicros, caller: author } = record;
      this.#keepers.get(section.kind)?.replay(section.bytes, { offset, timestampMicros, author });
    }
  }

  #applySection(section: LogSection): void {
    this.openConnections.apply(section);
    this.schedules.apply(section);
  }

  /** Undoes logged transactions, newest first, after the log failed: they will never be on disk. */
  takeBack(records: readonly Pick<TransactionRecord, 'changes'>[]): void {
    assert(!this.inTransaction, 'changes are taken back between transactions');
    for (const keeper of this.#keepers.values()) keeper.takeBack(this.log.lastOffset);
    for (const { changes } of records) {
      for (const { table: name, deletes, inserts } of changes) {
        const table = this.table(name);
        if (!table.def.isEvent) table.replay({ table: name, deletes: inserts, inserts: deletes });
      }
    }
  }

  #restoreSequence(bytes: Uint8Array): void {
    const { table, sequence, next } = decodeAllocation(bytes);
    // A later schema may have dropped it.
    this.findTable(table)
      ?.sequences.find(({ name }) => name === sequence)
      ?.restore(next);
  }

  #begin(timestampMicros: number): void {
    this.#refuseNested();
    assert(!this.#isObserving, 'a commit observer must not start a transaction');
    this.#scope.open(timestampMicros);
  }

  #refuseNested(): void {
    if (this.#scope.isOpen) {
      throw new EngineError(
        'WouldBlockTransaction',
        'a transaction is open already, and transactions do not nest: call the function directly within it',
      );
    }
  }

  /** Makes the deltas and hands them to the log. Changes nothing else, so that a throw can still be taken back. */
  #log(origin: TransactionOrigin): Commit {
    const deltas = this.#scope.collectDeltas();
    const added = this.#scope.sections;
    if (deltas.length === 0 && added.length === 0) return { offset: this.log.lastOffset, origin, deltas };
    const offset = this.log.append({
      timestampMicros: origin.timestampMicros,
      caller: origin.caller,
      connectionId: origin.connectionId,
      functionName: origin.functionName,
      changes: deltas.length === 0 ? undefined : { tables: deltas, writer: this.#scope.writer },
      sections: this.#collectSections(),
    });
    this.schedules.noteDeltas(deltas, origin.timestampMicros);
    for (const section of added) this.#applySection(section);
    return { offset, origin, deltas };
  }

  /** Where sequences go on after a restart, and what the transaction did besides changing rows. */
  #collectSections(): readonly LogSection[] {
    let allocations: LogSection[] | undefined;
    for (const { name: table, sequences } of this.#scope.touched) {
      for (const { isAllocationNew, name: sequence, allocated: next } of sequences) {
        if (!isAllocationNew) continue;
        allocations ??= [];
        allocations.push({ kind: SectionKind.sequence, bytes: encodeAllocation({ table, sequence, next }) });
      }
    }
    const added = this.#scope.sections;
    return allocations === undefined ? added : [...allocations, ...added];
  }

  #settle(isLogged: boolean): void {
    for (const { def, journal, sequences } of this.#scope.touched) {
      if (isLogged) for (const sequence of sequences) sequence.confirmAllocation();
      // An event table was empty before: going back to that is forgetting its rows.
      if (def.isEvent) journal.undo();
      else journal.forget();
    }
    this.#scope.close();
  }

  #rollBack(): void {
    for (const table of this.#scope.touched) table.journal.undo();
    this.#scope.close();
  }

  #notify(commit: Commit): void {
    this.#isObserving = true;
    try {
      this.#observer?.(commit);
      for (const listener of this.#commitListeners) listener(commit);
    } finally {
      this.#isObserving = false;
    }
  }
}

type ReplayedRecord = Pick<TransactionRecord, 'changes' | 'sections' | 'timestampMicros'> &
  Partial<Pick<TransactionRecord, 'caller'>>;

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function refusePromise(promise: PromiseLike<unknown>): EngineError {
  // Nobody else will look at it: without this a later rejection would end the process.
  promise.then(undefined, () => {});
  return new EngineError(
    'HostCallFailure',
    'a transaction is synchronous: its function must not be async or return a promise',
  );
}
