import { assert } from '../../base/assert.js';
import { encodeHex } from '../../base/hex.js';
import { systemRandom } from '../../base/random.js';
import type { Random } from '../../base/random.js';
import { decodeFromBytes } from '../../values/bsatn/codec.js';
import type { Codec } from '../../values/bsatn/codec.js';
import type { Commit, LiveQuery, MissedCommit, Row, RowChange } from '../contract.js';
import type { TxOffset } from '../log/commit-log.js';
import { readChanges } from '../log/record-codec.js';
import { CommitPieces, type KeptCommit } from './commit-pieces.js';
import { QueryInstance } from './query-instance.js';
import { replayCommits } from './replay.js';
import type { PastCommit, PastDelta } from './replay.js';

/** How much is kept for clients that come back. */
export interface RecentCommitsLimits {
  readonly transactionsMax: number;
  readonly bytesMax: number;
}

export const RECENT_COMMITS_LIMITS: RecentCommitsLimits = {
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

/**
 * The newest commits of one database, so that a client that was away can be told what he missed. Nothing is kept before
 * somebody asks for it, nor for long after the last one has gone.
 */
export class RecentCommits {
  readonly #random: Random;
  readonly #limits: RecentCommitsLimits;
  #epoch: string;
  #keepers = 0;
  /** Commits since the last keeper went. */
  #unaskedCount = 0;
  #isRecording = false;
  /** Everything after this offset is kept. */
  #completeFrom: TxOffset = 0;
  readonly #kept = new CommitPieces();
  #codecOf: ((table: string) => Codec<Row>) | undefined;

  constructor(random: Random = systemRandom, limits: RecentCommitsLimits = RECENT_COMMITS_LIMITS) {
    this.#random = random;
    this.#limits = limits;
    this.#epoch = makeEpoch(random);
  }

  /** Names this history: offsets of another one mean something else. */
  get epoch(): string {
    return this.#epoch;
  }

  get commitCount(): number {
    return this.#kept.count;
  }

  get bytes(): number {
    return this.#kept.bytes;
  }

  /** Says how rows of a table are read. */
  useCodecs(codecOf: (table: string) => Codec<Row>): void {
    this.#codecOf = codecOf;
  }

  /** Keeps commits from now on until the returned function is called, and some longer. @param now the newest offset. */
  keep(now: TxOffset): () => void {
    this.#keepers++;
    if (!this.#isRecording) {
      this.#isRecording = true;
      this.#completeFrom = now;
    }
    let isKeeping = true;
    return () => {
      if (!isKeeping) return;
      isKeeping = false;
      if (--this.#keepers === 0) this.#unaskedCount = 0;
    };
  }

  record(commit: Commit): void {
    if (!this.#isRecording || commit.changes === undefined) return;
    if (this.#keepers === 0 && ++this.#unaskedCount > this.#limits.transactionsMax) {
      this.#isRecording = false;
      this.#kept.clear();
      return;
    }
    let rowCount = 0;
    for (const { deletes, inserts } of commit.deltas) rowCount += deletes.length + inserts.length;
    this.#kept.add(commit.offset, rowCount, commit.changes);
    const { transactionsMax, bytesMax } = this.#limits;
    while (this.commitCount > transactionsMax || this.bytes > bytesMax)
      this.#completeFrom = this.#kept.removeOldest();
  }

  /** Begins anew: no offset from before means anything any more. */
  restart(now: TxOffset): void {
    this.#epoch = makeEpoch(this.#random);
    this.#completeFrom = now;
    this.#kept.clear();
  }

  /**
   * What the commits after `offset` did to the queries, oldest first, without those that did nothing. Undefined when
   * that is not known or not worth the time: another epoch, too long ago, too many queries, or one that failed on the way.
   */
  missed(epoch: string, offset: TxOffset, queries: Iterable<LiveQuery>): readonly MissedCommit[] | undefined {
    if (epoch !== this.#epoch || !this.#isRecording || offset < this.#completeFrom) return undefined;
    const kept = this.#kept.after(offset);
    const distinct = instances(queries);
    const rowCount = kept.reduce((sum, each) => sum + each.rowCount, 0);
    if (rowCount * distinct.size > REPLAY_TESTS_MAX) return undefined;
    return replayCommits(kept, (each, isAsked) => this.#read(each, isAsked), distinct);
  }

  /** The commit again; rows of tables that nobody asks for are passed over. */
  #read({ offset, changes }: KeptCommit, isAsked: (table: string) => boolean): PastCommit {
    const deltas = readChanges(changes, isAsked).map(({ table, deletes, inserts }): PastDelta => {
      const codec = this.#codecOf!(table);
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
