import { assert } from '../../base/assert.js';
import { ByteWriter } from '../../base/byte-writer.js';
import type { Random } from '../../base/random.js';
import type { Codec } from '../../values/bsatn/codec.js';
import { Identity } from '../../values/identity.js';
import type { Commit, LiveListener, LiveQuery, Row, Viewer } from '../contract.js';
import type { TailLimits } from '../log/record-tail.js';
import type { DatabaseSchema } from '../schema.js';
import { bindSubscription } from '../sql/bind.js';
import type { QueryTable } from '../sql/candidates.js';
import { parseSql } from '../sql/parser.js';
import { matchingRows } from '../sql/select.js';
import { CommitPass, Memo } from './query-delta.js';
import type { PendingDelta } from './query-delta.js';
import { instanceKey, QueryInstance } from './query-instance.js';
import type { Snapshot } from './query-instance.js';
import { QueryRegistry } from './query-registry.js';
import { RecentCommits, type RecentDatabase } from './recent-commits.js';
import { TableQueries } from './table-queries.js';

/** What live queries need of a database; `Database` is one. */
export interface LiveDatabase extends RecentDatabase {
  readonly schema: DatabaseSchema;
  readonly inTransaction: boolean;
  table(name: string): QueryTable & { readonly codec: Codec<Row> };
  setCommitObserver(observer: (commit: Commit) => void): void;
}

export interface LiveQueriesOptions {
  /** Hears of listeners that threw, which they must not. The default lets the process end with the error. */
  readonly onListenerError?: (error: unknown) => void;
  /** Names histories; default the system's. */
  readonly random?: Random;
  /** How much is kept for clients that come back; default RECENT_COMMITS_LIMITS. */
  readonly recentLimits?: TailLimits;
}

/**
 * Queries whose answers are kept up to date. Equal queries are evaluated once per commit, whoever and how many listen;
 * a commit costs nothing for queries that wait for other values than it changed.
 */
export class LiveQueries {
  /** The newest commits, kept while somebody may want to come back to them. */
  readonly recent: RecentCommits;
  readonly #database: LiveDatabase;
  readonly #onListenerError: (error: unknown) => void;
  readonly #registry = new QueryRegistry((query) => this.#snapshotOf(query));
  readonly #tables = new Map<string, TableQueries>();
  /** What is still to be told while a commit is told to its listeners. */
  #untold: Map<LiveListener, PendingDelta[]> | undefined;

  constructor(database: LiveDatabase, options: LiveQueriesOptions = {}) {
    this.#database = database;
    this.#onListenerError = options.onListenerError ?? endProcess;
    this.recent = new RecentCommits(database, options.random, options.recentLimits);
    database.setCommitObserver((commit) => this.#observe(commit));
  }

  /** The number of distinct queries that somebody listens to. */
  get queryCount(): number {
    return this.#registry.attachedCount;
  }

  /**
   * Understands a subscription of somebody: one query, or one per readable table for `SELECT * FROM *`. Equal queries
   * give the same object. Throws SqlError.
   */
  compile(sql: string, viewer: Viewer): LiveQuery[] {
    const bounds = bindSubscription(parseSql(sql, 'subscription'), this.#database.schema, viewer);
    return bounds.map((bound) => this.#registry.intern(bound));
  }

  /**
   * Lets `listener` hear of the changes from the next commit on; a snapshot taken in the same turn fits exactly. Who
   * attaches a query twice hears of it once, until he has detached it twice. Returns the function that detaches.
   */
  attach(listener: LiveListener, query: LiveQuery): () => void {
    assert(query instanceof QueryInstance, 'queries come from compile');
    assert(this.#untold === undefined, 'a listener must not attach queries while it hears of a commit');
    if (query.listeners.size === 0) {
      this.#registry.markAttached(query);
      this.#queriesOf(query).add(query);
    }
    query.listeners.set(listener, (query.listeners.get(listener) ?? 0) + 1);
    const attached = query.listeners;
    let isAttached = true;
    return () => {
      if (isAttached && attached === query.listeners) this.#detach(listener, query);
      isAttached = false;
    };
  }

  /**
   * To be called after the schema was replaced: queries that mean the same as before go on, others end with
   * `onQueryError`.
   */
  schemaReplaced(): void {
    for (const query of this.#registry.attached()) {
      const problem = this.#problemWith(query);
      if (problem !== undefined) this.#drop(query, problem);
    }
    for (const queries of this.#tables.values()) queries.forgetSnapshots();
  }

  /** Has the query mean what it means now, or tells why it cannot. */
  #problemWith(query: QueryInstance): string | undefined {
    const { bound, key } = query;
    // Only owners could ask for a private table, and what everybody may read an owner may, too.
    const viewer = { identity: bound.sender ?? Identity.zero(), isOwner: !bound.table.isPublic };
    try {
      const again = bindSubscription(parseSql(bound.sql, 'subscription'), this.#database.schema, viewer);
      const same = again.find((other) => instanceKey(other) === key);
      if (same === undefined) return 'the query means something else now';
      query.bound = same;
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  #detach(listener: LiveListener, query: QueryInstance): void {
    const count = query.listeners.get(listener);
    if (count === undefined) return;
    if (count > 1) {
      query.listeners.set(listener, count - 1);
      return;
    }
    query.listeners.delete(listener);
    this.#forgetUntold(listener, query);
    if (query.listeners.size === 0) this.#retire(query);
  }

  #retire(query: QueryInstance): void {
    this.#queriesOf(query).remove(query);
    this.#registry.markIdle(query);
  }

  #drop(query: QueryInstance, message: string): void {
    const { listeners } = query;
    query.listeners = new Map();
    this.#retire(query);
    for (const listener of listeners.keys()) {
      try {
        listener.onQueryError(query, message);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }

  #observe(commit: Commit): void {
    const pass = new CommitPass();
    for (const delta of commit.deltas) {
      const queries = this.#tables.get(delta.table.name);
      if (queries === undefined) continue;
      queries.forgetSnapshots();
      pass.isEvent = delta.table.isEvent;
      queries.match(delta, pass);
    }
    const deltas = pass.finish();
    // Errors go first: whoever lost a query must not take what follows for all of it.
    for (const [query, error] of pass.failures ?? []) this.#drop(query, messageOf(error));
    const [first, ...more] = deltas;
    if (first === undefined) return;
    this.#untold = more.length === 0 ? everyListener(first) : groupByListener(deltas);
    for (const [listener, its] of this.#untold) this.#tell(commit, listener, its);
    this.#untold = undefined;
  }

  /** One listener's fault must not keep the others from hearing, nor undo a commit that is in the log. */
  #tell(commit: Commit, listener: LiveListener, deltas: readonly PendingDelta[]): void {
    try {
      listener.onCommit(commit, deltas);
    } catch (error) {
      this.#onListenerError(error);
    }
  }

  /** Somebody detached while a commit is being told, perhaps one who has not heard of it yet. */
  #forgetUntold(listener: LiveListener, query: QueryInstance): void {
    const left = this.#untold?.get(listener)?.filter((delta) => delta.query !== query);
    if (left === undefined) return;
    if (left.length === 0) this.#untold!.delete(listener);
    else this.#untold!.set(listener, left);
  }

  #queriesOf({ table }: QueryInstance): TableQueries {
    const known = this.#tables.get(table.name);
    if (known !== undefined) return known;
    const made = new TableQueries(table);
    this.#tables.set(table.name, made);
    return made;
  }

  #snapshotOf(query: QueryInstance): Snapshot {
    assert(
      !this.#database.inTransaction,
      'a snapshot shows what is committed, ask for it between transactions',
    );
    const queries = this.#queriesOf(query);
    const known = queries.snapshotOf(query);
    if (known !== undefined) return known;
    const made = new EncodedRows(query.table.isEvent ? [] : this.#encodeRows(query));
    queries.keepSnapshot(query, made);
    return made;
  }

  /** All rows into one buffer: an array of its own for each would cost more than its encoding. */
  #encodeRows({ bound }: QueryInstance): Uint8Array[] {
    const table = this.#database.table(bound.table.name);
    const writer = new ByteWriter();
    const ends: number[] = [];
    for (const row of matchingRows(table, bound)) {
      table.codec.encode(writer, row);
      ends.push(writer.length);
    }
    const bytes = writer.finish();
    return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
  }
}

class EncodedRows extends Memo implements Snapshot {
  readonly rows: readonly Uint8Array[];

  constructor(rows: readonly Uint8Array[]) {
    super();
    this.rows = rows;
  }
}

function everyListener(delta: PendingDelta): Map<LiveListener, PendingDelta[]> {
  const its = [delta];
  const told = new Map<LiveListener, PendingDelta[]>();
  for (const listener of delta.query.listeners.keys()) told.set(listener, its);
  return told;
}

function groupByListener(deltas: readonly PendingDelta[]): Map<LiveListener, PendingDelta[]> {
  const told = new Map<LiveListener, PendingDelta[]>();
  for (const delta of deltas) {
    for (const listener of delta.query.listeners.keys()) {
      const known = told.get(listener);
      if (known === undefined) told.set(listener, [delta]);
      else known.push(delta);
    }
  }
  return told;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function endProcess(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
