import type { ByteWriter } from '../../base/byte-writer.js';
import type { ConnectionId, Identity } from '../../values/identity.js';
import type { RecordTail, TailRecord } from './record-tail.js';

/** The position of a transaction in its database's history: 1, 2, 3, … A number is exact for 285 years at a million a second. */
export type TxOffset = number & { readonly __brand?: 'TxOffset' };

/** Rows of one table that a transaction removed and added, in BSATN. */
export interface TableChange {
  readonly table: string;
  readonly deletes: readonly Uint8Array[];
  readonly inserts: readonly Uint8Array[];
}

/** Something else than rows that a transaction did: a program, a document update, a published event, … */
export interface LogSection {
  /** See `SectionKind` in record-codec.ts. */
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/** Everything that has to survive of one transaction. */
export interface TransactionRecord {
  readonly timestampMicros: number;
  readonly caller: Identity | undefined;
  readonly connectionId: ConnectionId | undefined;
  /** The reducer, procedure or other cause, for people who read the log. */
  readonly functionName: string;
  readonly changes: readonly TableChange[];
  readonly sections?: readonly LogSection[];
}

/** Where the BSATN of a row stands. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** Rows of one table that a transaction removed and added, all of them in one writer. */
export interface ChangedRows {
  readonly table: { readonly name: string };
  readonly deletes: readonly RowRange[];
  readonly inserts: readonly RowRange[];
}

/** What a transaction changed, and where the rows stand: views of them would cost more than to copy them. */
export interface NewChanges {
  readonly tables: readonly ChangedRows[];
  readonly writer: ByteWriter;
}

/** A transaction on its way into the log. */
export interface NewRecord extends Omit<TransactionRecord, 'changes'> {
  /** Good during the call. Undefined when there are none. */
  readonly changes: NewChanges | undefined;
}

/**
 * Where transactions go to survive. Commits call `append` in order, never waiting; whoever promised durability waits for
 * `durableOffset` to reach the offset of what he wants to say.
 */
export interface CommitLog {
  /** Takes the next transaction and gives its offset. Throws when the log has failed: the transaction is then rolled back. */
  append(record: NewRecord): TxOffset;
  /** The last offset handed out, 0 before the first. */
  readonly lastOffset: TxOffset;
  /** Everything up to here is on disk. */
  readonly durableOffset: TxOffset;
  /** Calls `listener` each time `durableOffset` has grown. Returns the function that stops it. */
  onDurable(listener: (offset: TxOffset) => void): () => void;
  /** Set when the log has failed: nothing is taken any more, and what is not durable will never be. */
  readonly failure: Error | undefined;
  /** Calls `listener` once if the log fails. Returns the function that stops it. */
  onFailed(listener: (failure: Error) => void): () => void;
  /**
   * After a failure: gives what was taken and will never be durable, newest first, and counts it as never taken, so that the
   * tables can be put back to what is on disk and read on. Logs that cannot fail do without.
   */
  takeBack?(): readonly TransactionRecord[];
  /** Where records are handed over that somebody may want to read again: at once, or when they are on disk. */
  tail: RecordTail | undefined;
  /** The records behind `offset` that the tail has, and those that it does not have yet; oldest first. */
  readTail(offset: TxOffset): readonly TailRecord[];
  close(): Promise<void>;
}

/** Resolves when everything up to `offset` is on disk; rejects when the log fails first. */
export function waitUntilDurable(log: CommitLog, offset: TxOffset = log.lastOffset): Promise<void> {
  return new Promise((resolve, reject) => {
    if (log.durableOffset >= offset) return resolve();
    if (log.failure !== undefined) return reject(log.failure);
    const stops = [
      log.onDurable((reached) => {
        if (reached < offset) return;
        for (const stop of stops) stop();
        resolve();
      }),
      log.onFailed((failure) => {
        for (const stop of stops) stop();
        reject(failure);
      }),
    ];
  });
}

/** A log that keeps nothing but its tail: what it took is as durable as it will ever be. */
export class MemoryLog implements CommitLog {
  tail: RecordTail | undefined;
  #last: TxOffset = 0;

  get lastOffset(): TxOffset {
    return this.#last;
  }

  get durableOffset(): TxOffset {
    return this.#last;
  }

  append(record: NewRecord): TxOffset {
    this.tail?.append(this.#last + 1, record);
    this.#last += 1;
    return this.#last;
  }

  readTail(offset: TxOffset): readonly TailRecord[] {
    return this.tail?.after(offset) ?? [];
  }

  onDurable(_listener: (offset: TxOffset) => void): () => void {
    return () => {};
  }

  readonly failure = undefined;

  onFailed(_listener: (failure: Error) => void): () => void {
    return () => {};
  }

  async close(): Promise<void> {}
}
