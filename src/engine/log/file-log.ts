import { ByteWriter } from '../../base/byte-writer.js';
import type { CommitLog, NewRecord, TransactionRecord, TxOffset } from './commit-log.js';
import { type Disk, writeFully } from './disk.js';
import { LogError } from './log-error.js';
import { OpenSegment, type SegmentEnd } from './open-segment.js';
import { appendRecord, decodeRecord, type RecordOrigin } from './record-codec.js';
import { readRecords, type RecordTail, type TailRecord } from './record-tail.js';
import {
  BATCH_HEADER_BYTES,
  encodeSegmentHeader,
  sealBatch,
  SEGMENT_HEADER_BYTES,
  segmentName,
} from './segment-format.js';

/** Where a log goes on: what recovery found at its end, or the start of an empty one. */
export interface LogTail {
  readonly lastOffset: TxOffset;
  /** The crc of the last batch, 0 for none. */
  readonly chain: number;
  /** The open last segment and its size, undefined when the next batch begins a new one. */
  readonly segment: SegmentEnd | undefined;
}

/** How a log is laid out. */
export interface LogSizes {
  /** Default 64 MiB: small enough that retention follows closely, large enough that a roll is rare. */
  readonly segmentBytesMax?: number;
  /**
   * Zeros that are written ahead of the batches, default none. Where the file has its size already, a batch is data only, and does
   * not wait for the file system's own journal.
   */
  readonly preallocateBytes?: number;
  /**
   * Batches from this length on are written by whole blocks, past the page cache where the system has a way. Default 64 KiB: there it
   * begins to cost less (of 128 KiB: 0.1 ms of work instead of 0.5).
   */
  readonly largeBatchBytes?: number;
}

export interface FileLogOptions extends LogSizes {
  readonly databaseKey: string;
  readonly epoch: number;
  /** Default 256 MiB: a disk that is further behind than this is not a disk to wait for. */
  readonly backlogBytesMax?: number;
}

// 512 KiB: from here on the disk works while the rest of the turn is computed. Half of a batch of 142 kB that left early made it
// slower (1.1 to 0.85 million records a second), as an append costs 0.4 ms however short it is; 256 KiB was no better than this.
const EARLY_BATCH_BYTES = 512 * 1024;

interface Batch {
  readonly writer: ByteWriter;
  firstOffset: TxOffset;
  count: number;
  /** The last record in it. */
  before: RecordOrigin | undefined;
}

/**
 * The commit log on disk. One batch is in flight; what is committed meanwhile forms the next one, which leaves when the first is
 * on stable storage. Nothing is delayed on purpose: alone, a transaction is a batch of its own; under load they share a flush.
 *
 * After any error of the disk the log has failed for good: a sync that failed may have dropped what it was to keep, so trying
 * again could acknowledge what is lost. The process must be started again and recover.
 */
export class FileLog implements CommitLog {
  tail: RecordTail | undefined;
  readonly #disk: Disk;
  readonly #options: Required<FileLogOptions>;
  readonly #durableListeners = new Set<(offset: TxOffset) => void>();
  readonly #failureListeners = new Set<(failure: LogError) => void>();
  #segment: OpenSegment | undefined;
  #last: TxOffset;
  #durable: TxOffset;
  #chain: number;
  #forming: Batch;
  #spare: Batch;
  /** The batch that is on its way to the disk. */
  #flying: Batch | undefined;
  #isScheduled = false;
  #inFlight: Promise<void> | undefined;
  #failure: LogError | undefined;
  #isClosed = false;
  #writtenBytes = 0;

  constructor(disk: Disk, tail: LogTail, options: FileLogOptions) {
    this.#disk = disk;
    this.#options = {
      segmentBytesMax: 64 * 1024 * 1024,
      preallocateBytes: 0,
      largeBatchBytes: 64 * 1024,
      backlogBytesMax: 256 * 1024 * 1024,
      ...options,
    };
    if (tail.segment !== undefined) this.#segment = this.#continueSegment(tail.segment);
    this.#last = this.#durable = tail.lastOffset;
    this.#chain = tail.chain;
    this.#forming = emptyBatch();
    this.#spare = emptyBatch();
  }

  get lastOffset(): TxOffset {
    return this.#last;
  }

  get durableOffset(): TxOffset {
    return this.#durable;
  }

  /** Bytes of batches written since the log was opened: tells when a snapshot pays. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get failure(): LogError | undefined {
    return this.#failure;
  }

  append(record: NewRecord): TxOffset {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isClosed) throw new LogError('CLOSED', 'the commit log is closed');
    const batch = this.#forming;
    const { writer } = batch;
    if (writer.length > this.#options.backlogBytesMax) {
      throw new LogError('BACKLOG_FULL', 'the disk does not keep up with the commits; try again later');
    }
    if (batch.count === 0) {
      batch.firstOffset = this.#last + 1;
      writer.reserve(BATCH_HEADER_BYTES);
      writer.length = BATCH_HEADER_BYTES;
    }
    appendRecord(writer, record, batch.before);
    batch.before = record;
    batch.count += 1;
    this.#last += 1;
    this.#schedule();
    return this.#last;
  }

  takeBack(): readonly TransactionRecord[] {
    if (this.#failure === undefined) return [];
    const lost = [...recordsOf(this.#flying), ...recordsOf(this.#forming)];
    this.#flying = undefined;
    this.#forming = emptyBatch();
    this.#last = this.#durable;
    return lost.toReversed();
  }

  readTail(offset: TxOffset): readonly TailRecord[] {
    const records = this.tail?.after(offset) ?? [];
    for (const batch of [this.#flying, this.#forming]) {
      if (batch !== undefined)
        readRecords(batch.writer, BATCH_HEADER_BYTES, batch.firstOffset, offset, records);
    }
    return records;
  }

  onDurable(listener: (offset: TxOffset) => void): () => void {
    this.#durableListeners.add(listener);
    return () => this.#durableListeners.delete(listener);
  }

  onFailed(listener: (failure: LogError) => void): () => void {
    this.#failureListeners.add(listener);
    return () => this.#failureListeners.delete(listener);
  }

  /** Writes what is left and closes the file. Rejects when that failed. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    while (this.#failure === undefined && (this.#inFlight !== undefined || this.#forming.count > 0)) {
      this.#begin();
      await this.#inFlight;
    }
    await this.#segment?.close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Starts the write when the running turn of the event loop is over, so that all connections that had something to say in it share
   * the flush: also those that are heard in the turn in which the last one ended. Only what is large by then leaves at once.
   */
  #schedule(): void {
    if (this.#inFlight !== undefined) return;
    if (this.#forming.writer.length >= EARLY_BATCH_BYTES) return this.#begin();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#begin();
    });
  }

  #begin(): void {
    if (this.#inFlight !== undefined || this.#forming.count === 0 || this.#failure !== undefined) return;
    const batch = this.#forming;
    this.#forming = this.#spare;
    this.#spare = batch;
    this.#flying = batch;
    const segment = this.#segment;
    const written =
      segment === undefined || segment.isFull
        ? this.#startSegment(batch.firstOffset).then((next) => this.#write(batch, next))
        : this.#write(batch, segment);
    this.#inFlight = written.then(
      () => this.#finish(batch),
      (error: unknown) => this.#fail(error),
    );
  }

  #write(batch: Batch, segment: OpenSegment): Promise<void> {
    const bytes = batch.writer.bytes.subarray(0, batch.writer.length);
    const { count, firstOffset } = batch;
    this.#chain = sealBatch(bytes, { count, firstOffset, epoch: this.#options.epoch, chain: this.#chain });
    return segment.write(bytes);
  }

  #finish(batch: Batch): void {
    this.#inFlight = undefined;
    // Zeros failed meanwhile: the batch may be on disk, but nobody is told of it any more.
    if (this.#failure !== undefined) return;
    this.#flying = undefined;
    this.#durable = batch.firstOffset + batch.count - 1;
    this.#writtenBytes += batch.writer.length;
    this.tail?.addAll(batch.firstOffset, batch.count, batch.writer, BATCH_HEADER_BYTES);
    batch.count = 0;
    batch.before = undefined;
    batch.writer.reset();
    if (this.#forming.count > 0) this.#schedule();
    for (const listener of this.#durableListeners) listener(this.#durable);
  }

  #fail(error: unknown): void {
    this.#inFlight = undefined;
    if (this.#failure !== undefined) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#failure = new LogError(
      'LOG_FAILED',
      `the commit log cannot be written (${reason}); the database answers reads only until the server is started again`,
      { cause: error },
    );
    for (const listener of this.#failureListeners) listener(this.#failure);
  }

  async #startSegment(firstOffset: TxOffset): Promise<OpenSegment> {
    const file = await this.#disk.create(segmentName(firstOffset), { writeThrough: true });
    const { databaseKey, epoch } = this.#options;
    await writeFully(file, encodeSegmentHeader({ databaseKey, epoch, firstOffset, chain: this.#chain }), 0);
    if (!file.isWriteThrough) await file.sync();
    // Without this the file itself may be gone after a power cut, acknowledged transactions and all.
    await this.#disk.syncFolder();
    await this.#segment?.close();
    const bytes = SEGMENT_HEADER_BYTES;
    this.#segment = this.#continueSegment({ file, bytes, allocatedBytes: bytes });
    return this.#segment;
  }

  #continueSegment(end: SegmentEnd): OpenSegment {
    return new OpenSegment(end, { ...this.#options, onError: (error) => this.#fail(error) });
  }
}

/** What is in a batch; copies, since its buffer is used again. */
function recordsOf(batch: Batch | undefined): TransactionRecord[] {
  const records: TransactionRecord[] = [];
  if (batch === undefined) return records;
  const { writer, count } = batch;
  let at = BATCH_HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const length = writer.view.getUint32(at, true);
    records.push(decodeRecord(writer.bytes.slice(at + 4, at + 4 + length), records.at(-1)));
    at += 4 + length;
  }
  return records;
}

function emptyBatch(): Batch {
  return { writer: new ByteWriter(64 * 1024), firstOffset: 0, count: 0, before: undefined };
}
