import { assert } from '../../base/assert.js';
import { ByteWriter } from '../../base/byte-writer.js';
import { encodeHex } from '../../base/hex.js';
import { systemRandom } from '../../base/random.js';
import type { Random } from '../../base/random.js';
import { decodeFromBytes } from '../../values/bsatn/codec.js';
import type { Codec } from '../../values/bsatn/codec.js';
import type { Commit, LiveQuery, MissedCommit, Row, RowChange } from '../contract.js';
import type { TxOffset, WrittenRange } from '../log/commit-log.js';
import { readChanges } from '../log/record-codec.js';
import { QueryInstance } from './query-instance.js';
import { replayCommits } from './replay.js';
import type { PastCommit, PastDelta } from './replay.js';

/*
 * A commit is kept as the bytes that the log has of its changes, beside others in pieces of memory: as objects, commits that live long
 * cost the garbage collector more than all the rest of a transaction (measured: 4.7 us each).
 */

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

/** Some thousand small commits; the memory goes when the last of them does. */
const PIECE_BYTES = 256 * 1024;

/**
 * 20 million tests of a row by a query, at 10 to 50 ns each: everybody waits meanwhile, and rows as they are cost less. Queries
 * that are found by an equality need far fewer; they are counted as if they did not.
 */
const REPLAY_TESTS_MAX = 20_000_000;

interface Kept {
  readonly offset: TxOffset;
  readonly piece: ByteWriter;
  readonly start: number;
  readonly bytes: number;
  readonly changes: number;
}

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
  #kept: Kept[] = [];
  /** Where in `#kept` the oldest one is: moving all of them for each that leaves would be quadratic. */
  #first = 0;
  #bytes = 0;
  #piece = new ByteWriter(0);
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
    return this.#kept.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
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
      this.#drop();
      return;
    }
    const kept = this.#copy(commit, commit.changes);
    this.#kept.push(kept);
    this.#bytes += kept.bytes;
    while (this.commitCount > this.#limits.transactionsMax || this.#bytes > this.#limits.bytesMax)
      this.#evict();
  }

  /** Begins anew: no offset from before means anything any more. */
  restart(now: TxOffset): void {
    this.#epoch = makeEpoch(this.#random);
    this.#completeFrom = now;
    this.#drop();
  }

  /**
   * What the commits after `offset` did to the queries, oldest first, without those that did nothing. Undefined when
   * that is not known or not worth the time: another epoch, too long ago, too many queries, or one that failed on the way.
   */
  missed(epoch: string, offset: TxOffset, queries: Iterable<LiveQuery>): readonly MissedCommit[] | undefined {
    if (epoch !== this.#epoch || !this.#isRecording || offset < this.#completeFrom) return undefined;
    const kept = this.#after(offset);
    const distinct = instances(queries);
    const changes = kept.reduce((sum, each) => sum + each.changes, 0);
    if (changes * distinct.size > REPLAY_TESTS_MAX) return undefined;
    return replayCommits(kept, (each, isAsked) => this.#read(each, isAsked), distinct);
  }

  #copy({ offset, deltas }: Commit, written: WrittenRange): Kept {
    const bytes = written.end - written.start;
    if (this.#piece.length + bytes > this.#piece.bytes.length) this.#piece = new ByteWriter(PIECE_BYTES);
    const piece = this.#piece;
    const start = piece.length;
    piece.writeFrom(written.writer, written.start, written.end);
    let changes = 0;
    for (const { deletes, inserts } of deltas) changes += deletes.length + inserts.length;
    return { offset, piece, start, bytes, changes };
  }

  /** The commit again; rows of tables that nobody asks for are passed over. */
  #read({ offset, piece, start, bytes }: Kept, isAsked: (table: string) => boolean): PastCommit {
    const changes = readChanges(piece.bytes.subarray(start, start + bytes), isAsked);
    const deltas = changes.map(({ table, deletes, inserts }): PastDelta => {
      const codec = this.#codecOf!(table);
      return { table, deletes: deletes.map(rowIn(codec)), inserts: inserts.map(rowIn(codec)) };
    });
    return { offset, deltas };
  }

  #after(offset: TxOffset): readonly Kept[] {
    let low = this.#first;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#kept[middle]!.offset > offset) high = middle;
      else low = middle + 1;
    }
    return this.#kept.slice(low);
  }

  #evict(): void {
    const { offset, bytes } = this.#kept[this.#first]!;
    this.#bytes -= bytes;
    this.#completeFrom = offset;
    this.#first++;
    // A long transaction must not leave its memory behind.
    if (this.commitCount === 0) return this.#drop();
    if (this.#first * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }

  #drop(): void {
    this.#kept = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#piece = new ByteWriter(0);
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
