import type { Database } from './database.js';
import { waitUntilDurable } from './log/commit-log.js';
import type { LogSection, TxOffset } from './log/commit-log.js';
import type { Disk } from './log/disk.js';
import { listSegments } from './log/recovery.js';
import { listSnapshots, readSnapshotTime, snapshotName, writeSnapshot } from './log/snapshot-file.js';
import type { Row } from './contract.js';
import { encodeToBytes } from '../values/bsatn/codec.js';
import type { Codec } from '../values/bsatn/codec.js';

export interface SnapshotterOptions {
  readonly databaseKey: string;
  readonly epoch: number;
  /** What to keep besides tables and sequences: the program first, open connections. */
  readonly sections: () => readonly LogSection[];
  /** Awaited between pieces of the work, so that the writer goes on. */
  readonly pause: () => Promise<void>;
  /**
   * Keeps log segments for this long after a snapshot made them superfluous, so that the past can be restored. Default 0: the folder's size
   * follows the data, not its history.
   */
  readonly retainMs?: number;
  readonly nowMs: () => number;
}

// Two: should the newest turn out to be damaged, the one before it and the log behind that still give everything.
const SNAPSHOTS_KEPT = 2;

/**
 * Writes snapshots while the database goes on, and removes what they make superfluous.
 *
 * The rows are taken by reference in one go (some ten milliseconds a million), which fixes the state at one offset since rows never
 * change in place; encoding and writing, the long part, goes on in pieces.
 */
export class Snapshotter {
  readonly #disk: Disk;
  readonly #options: SnapshotterOptions;
  #running: Promise<number> | undefined;

  constructor(disk: Disk, options: SnapshotterOptions) {
    this.#disk = disk;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Takes a snapshot of what is durable by the time it is complete. Resolves with its bytes. One at a time. */
  take(database: Database): Promise<number> {
    this.#running ??= this.#take(database).finally(() => void (this.#running = undefined));
    return this.#running;
  }

  async #take(database: Database): Promise<number> {
    const { databaseKey, epoch, pause } = this.#options;
    const offset = database.log.lastOffset;
    const state = [...this.#options.sections(), ...database.stateSections()];
    const kept = database.captureKept();
    const tables = [...database.tables.values()]
      .filter(({ def }) => !def.isEvent)
      .map((table) => ({ name: table.name, rows: encodeRows(table.codec, table.rows()) }));
    const takenAtMs = Math.floor(this.#options.nowMs());
    const sections = chain([state, ...kept]);
    const source = { offset, databaseKey, epoch, takenAtMs, sections, tables };
    let bytes: number;
    try {
      bytes = await writeSnapshot(this.#disk, source, pause, () => waitUntilDurable(database.log, offset));
    } finally {
      for (const captured of kept) captured.release();
    }
    await this.#removeSuperfluous();
    return bytes;
  }

  /**
   * Removes old snapshots, and segments whose every record is in the oldest snapshot that is kept. Of the old ones the newest is
   * kept when the past is to be kept: it is what the oldest moment is reached from.
   */
  async #removeSuperfluous(): Promise<void> {
    const retainMs = this.#options.retainMs ?? 0;
    const offsets = await listSnapshots(this.#disk);
    const old = new Set<TxOffset>();
    for (const offset of offsets) {
      const takenAtMs = await readSnapshotTime(this.#disk, offset);
      if (takenAtMs <= this.#options.nowMs() - retainMs) old.add(offset);
    }
    const newestOld = retainMs > 0 ? offsets.find((offset) => old.has(offset)) : undefined;
    const kept = offsets.filter(
      (offset, i) => i < SNAPSHOTS_KEPT || !old.has(offset) || offset === newestOld,
    );
    for (const offset of offsets) if (!kept.includes(offset)) await this.#disk.remove(snapshotName(offset));
    const oldest = kept.at(-1);
    if (oldest === undefined || kept.length < SNAPSHOTS_KEPT) return;
    // Before the oldest snapshot there may be log that is younger than it has to be kept.
    if (retainMs > 0 && !old.has(oldest)) return;
    const segments = await listSegments(this.#disk);
    for (const [i, segment] of segments.entries()) {
      const next = segments[i + 1];
      if (next !== undefined && next.firstOffset <= oldest + 1) await this.#disk.remove(segment.name);
    }
    await this.#disk.syncFolder();
  }
}

function* chain<T>(lists: readonly Iterable<T>[]): Iterable<T> {
  for (const list of lists) yield* list;
}

function* encodeRows(codec: Codec<Row>, rows: readonly Row[]): Iterable<Uint8Array> {
  for (const row of rows) yield encodeToBytes(codec, row);
}
