import { assert } from '../../base/assert.js';
import { encodeHex } from '../../base/hex.js';
import { systemRandom } from '../../base/random.js';
import type { Random } from '../../base/random.js';
import type { Commit, LiveQuery, MissedCommit } from '../contract.js';
import type { TxOffset } from '../log/commit-log.js';
import { QueryInstance } from './query-instance.js';
import { replayCommits } from './replay.js';

/** How much is kept for clients that come back. */
export interface RecentCommitsLimits {
  readonly transactionsMax: number;
  /** Rows as bytes, and what they take as objects. */
  readonly bytesMax: number;
}

export const RECENT_COMMITS_LIMITS: RecentCommitsLimits = {
  // Ours: a minute of 1,000 transactions a second, several times as long as a phone takes to change networks.
  transactionsMax: 65_536,
  // 32 MiB: about what these transactions take when each updates one small row; larger ones leave sooner.
  bytesMax: 32 * 1024 * 1024,
};

/**
 * 20 million tests of a row by a query, at 10 to 50 ns each: everybody waits meanwhile, and rows as they are cost less. Queries
 * that are found by an equality need far fewer; they are counted as if they did not.
 */
const REPLAY_TESTS_MAX = 20_000_000;

/** Rows up to this share a buffer with those of other transactions (ARENA_BYTES of the engine's write scope). */
const SHARED_BUFFER_BYTES = 64 * 1024;

/** Measured roughly: a changed row of four columns with the objects that hold it. */
const CHANGE_BYTES = 256;

interface Kept {
  readonly commit: Commit;
  readonly bytes: number;
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
    if (!this.#isRecording) return;
    if (this.#keepers === 0 && ++this.#unaskedCount > this.#limits.transactionsMax) {
      this.#isRecording = false;
      this.#drop();
      return;
    }
    const bytes = bytesOf(commit);
    this.#kept.push({ commit, bytes });
    this.#bytes += bytes;
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
    const commits = this.#after(offset);
    const distinct = instances(queries);
    if (countChanges(commits) * distinct.size > REPLAY_TESTS_MAX) return undefined;
    return replayCommits(commits, distinct);
  }

  #after(offset: TxOffset): Commit[] {
    let low = this.#first;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#kept[middle]!.commit.offset > offset) high = middle;
      else low = middle + 1;
    }
    return this.#kept.slice(low).map(({ commit }) => commit);
  }

  #evict(): void {
    const { commit, bytes } = this.#kept[this.#first]!;
    this.#bytes -= bytes;
    this.#completeFrom = commit.offset;
    this.#first++;
    if (this.#first * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }

  #drop(): void {
    this.#kept = [];
    this.#first = 0;
    this.#bytes = 0;
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

function countChanges(commits: readonly Commit[]): number {
  let count = 0;
  for (const { deltas } of commits)
    for (const { deletes, inserts } of deltas) count += deletes.length + inserts.length;
  return count;
}

function bytesOf({ deltas }: Commit): number {
  let bytes = 0;
  let count = 0;
  for (const { deletes, inserts } of deltas) {
    for (const change of deletes) bytes += change.bytes.length;
    for (const change of inserts) bytes += change.bytes.length;
    count += deletes.length + inserts.length;
  }
  // All rows of a commit are views of one buffer; a long one's is its own and stays as a whole.
  const delta = deltas[0];
  const buffer = (delta?.inserts[0] ?? delta?.deletes[0])?.bytes.buffer.byteLength ?? 0;
  return count * CHANGE_BYTES + (buffer > SHARED_BUFFER_BYTES ? buffer : bytes);
}
