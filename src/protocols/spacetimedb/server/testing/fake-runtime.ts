import { ManualClock } from '../../../../base/clock.js';
import type { Commit, LiveListener, LiveQuery, QueryDelta, Viewer } from '../../../../engine/contract.js';
import type { CommitLog, NewRecord, TxOffset } from '../../../../engine/log/commit-log.js';
import type { RecordTail, TailRecord } from '../../../../engine/log/record-tail.js';
import type { TableDef } from '../../../../engine/schema.js';
import { SqlError } from '../../../../engine/sql/sql-error.js';
import type { Caller, ModuleDef, ReducerDef, ReducerOutcome } from '../../../../module/module-def.js';
import { Identity } from '../../../../values/identity.js';
import { Delivery } from '../delivery.js';
import type { FlushScheduler } from '../delivery.js';
import type {
  AdHocQuery,
  DatabaseRuntime,
  LiveSource,
  OpenSession,
  RecentSource,
  ReducerHost,
} from '../runtime.js';

/* A database of one row list per table name, whose disk the test drives: to test sessions alone. */

/** A log whose disk obeys the test. */
export class ManualLog implements CommitLog {
  lastOffset: TxOffset = 0;
  durableOffset: TxOffset = 0;
  failure: Error | undefined = undefined;
  /** Whether what is appended is on disk at once. */
  isInstant = false;
  tail: RecordTail | undefined;
  readonly #listeners = new Set<(offset: TxOffset) => void>();
  readonly #failureListeners = new Set<(failure: Error) => void>();

  append(_record: NewRecord): TxOffset {
    this.lastOffset++;
    if (this.isInstant) this.sync();
    return this.lastOffset;
  }

  readTail(): readonly TailRecord[] {
    return [];
  }

  sync(upTo: TxOffset = this.lastOffset): void {
    this.durableOffset = upTo;
    for (const listener of this.#listeners) listener(upTo);
  }

  onDurable(listener: (offset: TxOffset) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  fail(): void {
    this.failure = new Error('no space left on device');
    for (const listener of this.#failureListeners) listener(this.failure);
  }

  onFailed(listener: (failure: Error) => void): () => void {
    this.#failureListeners.add(listener);
    return () => this.#failureListeners.delete(listener);
  }

  get listenerCount(): number {
    return this.#listeners.size + this.#failureListeners.size;
  }

  async close(): Promise<void> {}
}

function makeMemo(): <T>(key: symbol, make: () => T) => T {
  const memos = new Map<symbol, unknown>();
  return <T>(key: symbol, make: () => T): T => {
    if (!memos.has(key)) memos.set(key, make());
    return memos.get(key) as T;
  };
}

function makeReducer(name: string): ReducerDef {
  const params = { kind: 'product', elements: [] } as const;
  return { name, sourceName: name, params, lifecycle: undefined, isPrivate: false };
}

type Listeners = Set<LiveListener>;

/** Every query is `SELECT * FROM <table>` (any text after it makes a distinct query with the same rows). */
export class FakeRuntime implements DatabaseRuntime, LiveSource, ReducerHost {
  readonly identity = new Identity(1n);
  owner = new Identity(2n);
  readonly clock = new ManualClock();
  readonly log = new ManualLog();
  readonly delivery: Delivery;
  readonly sessions = new Set<OpenSession>();
  readonly def: ModuleDef = {
    schema: { typespace: { types: [] }, tables: [] },
    namedTypes: [],
    reducers: ['insert', 'refuse', 'crash', 'bad'].map(makeReducer),
    caseConversion: 'snakeCase',
  };
  names: readonly string[] = ['fake'];
  recent?: RecentSource;
  readonly programHash = '00'.repeat(32);
  readonly logEntries: object[] = [];
  readonly logFollowers = new Set<(entry: object) => void>();
  readonly moduleLog = {
    tail: (count = Infinity): readonly object[] => this.logEntries.slice(-count),
    follow: (listener: (entry: object) => void): (() => void) => {
      this.logFollowers.add(listener);
      return () => void this.logFollowers.delete(listener);
    },
  };
  query: AdHocQuery = () => ({ columns: [], rows: [] });
  readonly lifecycle: string[] = [];
  refusesConnections = false;
  rowPackings = 0;
  readonly #flushes: (() => void)[] = [];
  readonly #rows = new Map<string, Uint8Array[]>();
  readonly #queries = new Map<string, LiveQuery>();
  readonly #listeners = new Map<LiveQuery, Listeners>();

  /** @param schedule when turns end; without it when `flushTurn` is called. */
  constructor(schedule?: FlushScheduler) {
    this.delivery = new Delivery(this.log, schedule ?? ((flush) => void this.#flushes.push(flush)));
  }

  get live(): LiveSource {
    return this;
  }

  get host(): ReducerHost {
    return this;
  }

  /** How many (listener, query) pairs are attached. */
  get attachments(): number {
    return [...this.#listeners.values()].reduce((sum, listeners) => sum + listeners.size, 0);
  }

  /** The end of a turn: everything that waits for it leaves. */
  flushTurn(): void {
    for (const flush of this.#flushes.splice(0)) flush();
  }

  compile(sql: string, _viewer: Viewer): readonly LiveQuery[] {
    if (sql === 'SELECT * FROM *')
      return [...this.#rows.keys()].map((table) => this.#query(`SELECT * FROM ${table}`));
    return [this.#query(sql)];
  }

  attach(listener: LiveListener, query: LiveQuery): () => void {
    const listeners = this.#listeners.get(query) ?? new Set();
    this.#listeners.set(query, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  breakQuery(sql: string): void {
    const query = this.#query(sql);
    for (const listener of this.#listeners.get(query) ?? []) listener.onQueryError(query, 'division by zero');
  }

  #query(sql: string): LiveQuery {
    const known = this.#queries.get(sql);
    if (known !== undefined) return known;
    const name = /^SELECT \* FROM (\w+)/.exec(sql)?.[1] ?? '';
    if (!this.#rows.has(name)) {
      throw new SqlError('NO_SUCH_TABLE', `no such table: \`${name}\``, { offset: 14, line: 1, column: 15 });
    }
    const query: LiveQuery = {
      sql,
      table: { name } as TableDef,
      snapshot: () => ({ rows: this.#rows.get(name) ?? [], memo: makeMemo() }),
    };
    this.#queries.set(sql, query);
    return query;
  }

  createTable(name: string): void {
    this.#rows.set(name, []);
  }

  /** Commits rows into tables, as a reducer or somebody else would. */
  insert(changes: Readonly<Record<string, readonly Uint8Array[]>>): Commit {
    const offset = this.log.append({
      timestampMicros: 0,
      caller: undefined,
      connectionId: undefined,
      functionName: 'insert',
      changes: undefined,
    });
    for (const [table, rows] of Object.entries(changes)) this.#rows.get(table)?.push(...rows);
    const origin = { caller: undefined, connectionId: undefined, functionName: 'insert', timestampMicros: 0 };
    const commit: Commit = { offset, origin, deltas: [] };
    const perListener = new Map<LiveListener, QueryDelta[]>();
    for (const [query, listeners] of this.#listeners) {
      const inserts = changes[query.table.name];
      if (inserts === undefined) continue;
      const delta: QueryDelta = { query, isEvent: false, inserts, deletes: [], memo: makeMemo() };
      for (const listener of listeners) {
        perListener.set(listener, [...(perListener.get(listener) ?? []), delta]);
      }
    }
    for (const [listener, deltas] of perListener) listener.onCommit(commit, deltas);
    return commit;
  }

  /** `insert` adds its arguments as a row of `user`; `refuse` and `crash` do that. */
  callReducer(name: string, _caller: Caller, args: Uint8Array): ReducerOutcome {
    const timestampMicros = this.clock.nowMicros();
    if (name === 'insert') {
      return { kind: 'committed', commit: this.insert({ user: [args.slice()] }), timestampMicros };
    }
    if (name === 'refuse') return { kind: 'refused', message: 'nope', timestampMicros };
    if (name === 'bad')
      return {
        kind: 'badArguments',
        message: 'invalid arguments for reducer bad: expected 1',
        timestampMicros,
      };
    if (name === 'crash') return { kind: 'crashed', message: 'boom', timestampMicros };
    if (name === 'defect') throw new TypeError('a defect of ours');
    return { kind: 'unknown', message: `no such reducer: \`${name}\``, timestampMicros };
  }

  callReducerJson(name: string, caller: Caller, args: string): ReducerOutcome {
    return this.callReducer(name, caller, new TextEncoder().encode(args));
  }

  clientConnected(caller: Caller): ReducerOutcome {
    this.lifecycle.push(`+${caller.connectionId!.toHexString().slice(-2)}`);
    if (this.refusesConnections) return { kind: 'refused', message: 'full', timestampMicros: 0 };
    return { kind: 'committed', commit: this.insert({}), timestampMicros: 0 };
  }

  clientDisconnected(caller: Caller): ReducerOutcome {
    this.lifecycle.push(`-${caller.connectionId!.toHexString().slice(-2)}`);
    return { kind: 'committed', commit: this.insert({}), timestampMicros: 0 };
  }
}
