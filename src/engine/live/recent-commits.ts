import { assert } from '../../base/assert.js';
import { encodeHex } from '../../base/hex.js';
import { systemRandom } from '../../base/random.js';
import type { Random } from '../../base/random.js';
import { decodeFromBytes } from '../../values/bsatn/codec.js';
import type { Codec } from '../../values/bsatn/codec.js';
import type { LiveQuery, MissedCommit, Row, RowChange } from '../contract.js';
import type { CommitLog, TxOffset } from '../log/commit-log.js';
import { countChangedRows, readRowChanges } from '../log/record-codec.js';
import { RecordTail, type TailLimits, type TailRecord } from '../log/record-tail.js';
import { QueryInstance } from './query-instance.js';
import { replayCommits } from './replay.js';
import type { PastCommit, PastDelta } from './replay.js';

export const RECENT_COMMITS_LIMITS: TailLimits = {
  // Ours: a minute of 1,000 transactions a second, several times as long as a phone takes to change networks.
  transactionsMax: 65_536,
  // 16 MiB: about what these transactions take when each updates one row of 100 bytes; larger ones leave sooner.
  bytesMax: 16 * 1024 * 1024,
};

/**
 * 20 million tests of a row by a query, at 10 to 50 ns each: everybody waits meanwhile, and rows as they are cost less. Queries
 * that are found by an equality need far fewer; they are counted as if they did not.
 */
const REPLAY_TESTS_MAX = 20_000_000;

/** What recent commits need of a database; `Database` is one. */
export interface RecentDatabase {
  readonly log: Pick<CommitLog, 'lastOffset' | 'readTail' | 'tail'>;
  table(name: string): { readonly codec: Codec<Row> };
}

/**
 * The newest commits of one database, so that a client that was away can be told what he missed: the tail of its log. Nothing is kept
 * before somebody asks for it, nor for long after the last one has gone.
 */
export class RecentCommits {
  readonly #database: RecentDatabase;
  readonly #random: Random;
  readonly #limits: TailLimits;
  readonly #tail: RecordTail;
  #epoch: string;
  #keepers = 0;

  constructor(
    database: RecentDatabase,
    random: Random = systemRandom,
    limits: TailLimits = RECENT_COMMITS_LIMITS,
  ) {
    this.#database = database;
    this.#random = random;
    this.#limits = limits;
    this.#epoch = makeEpoch(random);
    this.#tail = new RecordTail(limits);
    database.log.tail = this.#tail;
  }

  /** Names this history: offsets of another one mean something else. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Keeps commits from now on until the returned function is called, and some longer. */
  keep(): () => void {
    this.#keepers++;
    if (this.#tail.isKeeping) this.#tail.endAfter(Infinity);
    else this.#tail.begin(this.#database.log.lastOffset);
    let isKeeping = true;
    return () => {
      if (!isKeeping) return;
      isKeeping = false;
      if (--this.#keepers === 0) this.#letEnd();
    };
  }

  /** Nobody is left: goes on for as long as somebody who comes back may be told what happened since. */
  #letEnd(): void {
    this.#tail.endAfter(this.#database.log.lastOffset + this.#limits.transactionsMax);
  }

  /** Begins anew: no offset from before means anything any more. */
  restart(): void {
    this.#epoch = makeEpoch(this.#random);
    if (!this.#tail.isKeeping) return;
    this.#tail.begin(this.#database.log.lastOffset);
    if (this.#keepers === 0) this.#letEnd();
  }

  /**
   * What the commits after `offset` did to the queries, oldest first, without those that did nothing. Undefined when
   * that is not known or not worth the time: another epoch, too long ago, too many queries, or one that failed on the way.
   * Rows are views, good until the next commit.
   */
  missed(epoch: string, offset: TxOffset, queries: Iterable<LiveQuery>): readonly MissedCommit[] | undefined {
    if (epoch !== this.#epoch || !this.#tail.isKeeping || offset < this.#tail.completeFrom) return undefined;
    const kept = this.#database.log.readTail(offset);
    const distinct = instances(queries);
    const rowCount = kept.reduce((sum, { bytes }) => sum + countChangedRows(bytes), 0);
    if (rowCount * distinct.size > REPLAY_TESTS_MAX) return undefined;
    return replayCommits(kept, (each, isAsked) => this.#read(each, isAsked), distinct);
  }

  /** The commit again; rows of tables that nobody asks for are passed over. */
  #read({ offset, bytes }: TailRecord, isAsked: (table: string) => boolean): PastCommit {
    const deltas = readRowChanges(bytes, isAsked).map(({ table, deletes, inserts }): PastDelta => {
      const { codec } = this.#database.table(table);
      return { table, deletes: deletes.map(rowIn(codec)), inserts: inserts.map(rowIn(codec)) };
    });
    return { offset, deltas };
  }
}

function makeEpoch(random: Random): string {
  return encodeHex(random.fill(new Uint8Array(16)));
}

function instances(queries: Iterable<LiveQuery>): Set<QueryInstance> {
  const distinct = new Set<QueryInstance>();
  for (const query of queries) {
    assert(query instanceof QueryInstance, 'queries come from compile');
    distinct.add(query);
  }
  return distinct;
}

function rowIn(codec: Codec<Row>): (bytes: Uint8Array) => RowChange {
  return (bytes) => ({ bytes, row: decodeFromBytes(codec, bytes) });
}
