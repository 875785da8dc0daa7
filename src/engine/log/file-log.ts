import { ByteWriter } from '../../base/byte-writer.js';
import type { CommitLog, TransactionRecord, TxOffset } from './commit-log.js';
import { type Disk, type DiskFile, writeFully } from './disk.js';
import { LogError } from './log-error.js';
import { decodeRecord, encodeRecord, type RecordOrigin } from './record-codec.js';
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
  readonly segment: LogSegment | undefined;
}

export interface LogSegment {
  readonly file: DiskFile;
  /** The byte behind the last batch. */
  readonly bytes: number;
  /** The size of the file: zeros follow the last batch. */
  readonly allocatedBytes: number;
}

export interface FileLogOptions {
  readonly databaseKey: string;
  readonly epoch: number;
  /** Default 64 MiB: small enough that retention follows closely, large enough that a roll is rare. */
  readonly segmentBytesMax?: number;
  /**
   * Zeros that are written ahead of the batches, default none. Where the file has its size already, a batch is data only, and does
   * not wait for the file system's own journal.
   */
  readonly preallocateBytes?: number;
  /** Default 256 MiB: a disk that is further behind than this is not a disk to wait for. */
  readonly backlogBytesMax?: number;
}

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
  readonly #disk: Disk;
  readonly #options: Required<FileLogOptions>;
  readonly #durableListeners = new Set<(offset: TxOffset) => void>();
  readonly #failureListeners = new Set<(failure: LogError) => void>();
  #segment: LogTail['segment'];
  #last: TxOffset;
  #durable: TxOffset;
  #chain: number;
  #forming: Batch;
  #spare: Batch;
  /** The batch that is on its way to the disk. */
  #flying: Batch | undefined;
  #isScheduled = false;
  #inFlight: Promise<void> | undefined;
  /** Zeros on their way to the disk. */
  #allocating: Promise<void> | undefined;
  #failure: LogError | undefined;
  #isClosed = false;
  #writtenBytes = 0;

  constructor(disk: Disk, tail: LogTail, options: FileLogOptions) {
    this.#disk = disk;
    this.#options = {
      segmentBytesMax: 64 * 1024 * 1024,
      preallocateBytes: 0,
      backlogBytesMax: 256 * 1024 * 1024,
      ...options,
    };
    this.#segment = tail.segment;
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

  append(record: TransactionRecord): TxOffset {
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
    const start = writer.length;
    writer.writeU32(0);
    try {
      encodeRecord(writer, record, batch.before);
    } catch (error) {
      // Half a record must not stay in the batch.
      writer.length = start;
      throw error;
    }
    writer.view.setUint32(start, writer.length - start - 4, true);
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
    if (this.#segment !== undefined) await this.#closeSegment(this.#segment);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Starts the write when the running turn is over, so that all its transactions share it. */
  #schedule(): void {
    if (this.#isScheduled || this.#inFlight !== undefined) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
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
    this.#inFlight = this.#writeBatch(batch).then(
      () => this.#finish(batch),
      (error: unknown) => this.#fail(error),
    );
  }

  async #writeBatch(batch: Batch): Promise<void> {
    const bytes = batch.writer.bytes.subarray(0, batch.writer.length);
    let segment = await this.#segmentFor(batch.firstOffset);
    // Zeros that are on their way must not come down on the batch.
    if (this.#allocating !== undefined && segment.bytes + bytes.length > this.#allocatedBytes(segment)) {
      await this.#allocating;
      if (this.#failure !== undefined) throw this.#failure;
      segment = this.#segment ?? segment;
    }
    this.#chain = sealBatch(bytes, {
      count: batch.count,
      firstOffset: batch.firstOffset,
      epoch: this.#options.epoch,
      chain: this.#chain,
    });
    await writeFully(segment.file, bytes, segment.bytes);
    if (!segment.file.isWriteThrough) await segment.file.sync();
    const end = segment.bytes + bytes.length;
    const { file } = segment;
    this.#segment = { file, bytes: end, allocatedBytes: Math.max(end, this.#allocatedBytes(segment)) };
    this.#writtenBytes += bytes.length;
    this.#allocate();
  }

  /** Of the segment with what was written ahead since it was looked at. */
  #allocatedBytes(segment: LogSegment): number {
    return this.#segment?.file === segment.file ? this.#segment.allocatedBytes : segment.allocatedBytes;
  }

  /** Has zeros written ahead when half of them are used up, beside the batches. */
  #allocate(): void {
    const { preallocateBytes } = this.#options;
    const segment = this.#segment;
    if (segment === undefined || preallocateBytes === 0 || this.#allocating !== undefined) return;
    const { file, bytes, allocatedBytes } = segment;
    if (allocatedBytes - bytes > preallocateBytes / 2 || bytes >= this.#options.segmentBytesMax) return;
    this.#allocating = this.#writeZeros(file, allocatedBytes).then(
      () => void (this.#allocating = undefined),
      (error: unknown) => {
        this.#allocating = undefined;
        this.#fail(error);
      },
    );
  }

  async #writeZeros(file: DiskFile, at: number): Promise<void> {
    const zeros = new Uint8Array(this.#options.preallocateBytes);
    await writeFully(file, zeros, at);
    if (!file.isWriteThrough) await file.sync();
    if (this.#segment?.file === file) {
      this.#segment = { ...this.#segment, allocatedBytes: at + zeros.length };
    }
  }

  /** Cuts off what was written ahead. */
  async #closeSegment({ file, bytes, allocatedBytes }: LogSegment): Promise<void> {
    await this.#allocating;
    if (this.#failure === undefined && this.#allocatedBytes({ file, bytes, allocatedBytes }) > bytes)
      await file.truncate(bytes);
    await file.close();
  }

  #finish(batch: Batch): void {
    this.#inFlight = undefined;
    // Zeros failed meanwhile: the batch may be on disk, but nobody is told of it any more.
    if (this.#failure !== undefined) return;
    this.#flying = undefined;
    this.#durable = batch.firstOffset + batch.count - 1;
    batch.count = 0;
    batch.before = undefined;
    batch.writer.reset();
    // The next batch is on its way before anybody is told of this one.
    this.#begin();
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

  async #segmentFor(firstOffset: TxOffset): Promise<LogSegment> {
    const current = this.#segment;
    if (current !== undefined && current.bytes < this.#options.segmentBytesMax) return current;
    const file = await this.#disk.create(segmentName(firstOffset), { writeThrough: true });
    const { databaseKey, epoch } = this.#options;
    await writeFully(file, encodeSegmentHeader({ databaseKey, epoch, firstOffset, chain: this.#chain }), 0);
    if (!file.isWriteThrough) await file.sync();
    // Without this the file itself may be gone after a power cut, acknowledged transactions and all.
    await this.#disk.syncFolder();
    if (current !== undefined) await this.#closeSegment(current);
    this.#segment = { file, bytes: SEGMENT_HEADER_BYTES, allocatedBytes: SEGMENT_HEADER_BYTES };
    return this.#segment;
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
