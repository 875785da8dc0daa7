import type { TxOffset } from './commit-log.js';
import type { Disk, DiskFile } from './disk.js';
import { FileLog, type FileLogOptions, type LogTail } from './file-log.js';
import { LogError, otherVersion } from './log-error.js';
import {
  FORMAT_VERSION,
  parseSegmentName,
  READABLE_VERSIONS,
  SEGMENT_HEADER_BYTES,
} from './segment-format.js';
import {
  decoding,
  readSegmentHeader,
  scanSegment,
  type SegmentScan,
  type Visit,
  type VisitBytes,
} from './segment-reader.js';

export interface RecoveryOptions extends Omit<FileLogOptions, 'epoch'> {
  /** The newest snapshot holds everything up to here; segments that end before it are not read. 0 for none. */
  readonly snapshotOffset?: TxOffset;
  /** Gets each record behind the snapshot, in order; awaited when it returns a promise. */
  readonly apply?: Visit;
  /**
   * Instead of `apply`, without decoding: each record that is read, also those that the snapshot holds, since the first one behind it
   * may have its caller from there.
   */
  readonly applyBytes?: VisitBytes;
}

export interface RecoveredLog {
  readonly log: FileLog;
  readonly epoch: number;
  /** What was cut off the end: a crash tore it while it was being written, so nobody was told of it. */
  readonly torn:
    | { readonly segment: string; readonly at: number; readonly bytes: number; readonly reason: string }
    | undefined;
}

interface Segment {
  readonly name: string;
  readonly firstOffset: TxOffset;
}

/**
 * Reads a log from its first record to its end, and opens it for writing behind the last good batch. Only the end of the last
 * segment may be torn; damage anywhere else throws CORRUPT with the segment and the byte.
 */
export async function recoverLog(disk: Disk, options: RecoveryOptions): Promise<RecoveredLog> {
  const segments = await listSegments(disk);
  const state: ReplayState = {
    lastOffset: undefined,
    chain: undefined,
    epoch: 0,
    torn: undefined,
    tail: undefined,
  };
  for (const [i, segment] of segments.entries()) {
    const next = segments[i + 1];
    // Everything in it is in the snapshot.
    if (next !== undefined && next.firstOffset <= (options.snapshotOffset ?? 0) + 1) continue;
    await replaySegment(disk, segment, next === undefined, state, options);
  }
  // A process that was killed may have left names that are not on disk, and what is found now counts as durable.
  await disk.syncFolder();
  const epoch = state.epoch + 1;
  const snapshotOffset = options.snapshotOffset ?? 0;
  const lastOffset = Math.max(state.lastOffset ?? 0, snapshotOffset);
  let segment = state.tail;
  if (segment !== undefined && state.lastOffset !== lastOffset) {
    // The damaged end of the log is in the snapshot. A segment has no gaps, so the next batch begins a new one.
    await segment.file.close();
    segment = undefined;
  }
  const tail: LogTail = { lastOffset, chain: state.chain ?? 0, segment };
  return { log: new FileLog(disk, tail, { ...options, epoch }), epoch, torn: state.torn };
}

interface ReplayState {
  lastOffset: TxOffset | undefined;
  chain: number | undefined;
  epoch: number;
  torn: RecoveredLog['torn'];
  tail: LogTail['segment'];
}

export async function listSegments(disk: Disk): Promise<readonly Segment[]> {
  const found: Segment[] = [];
  for (const name of await disk.list()) {
    const firstOffset = parseSegmentName(name);
    if (firstOffset !== undefined) found.push({ name, firstOffset });
  }
  return found.toSorted((a, b) => a.firstOffset - b.firstOffset);
}

async function replaySegment(
  disk: Disk,
  segment: Segment,
  isLast: boolean,
  state: ReplayState,
  options: RecoveryOptions,
): Promise<void> {
  const file = await disk.open(segment.name, { writable: isLast, writeThrough: true });
  try {
    await replayFile(disk, file, segment, isLast, state, options);
  } finally {
    // The last one goes on.
    if (state.tail?.file !== file) await file.close();
  }
}

async function replayFile(
  disk: Disk,
  file: DiskFile,
  segment: Segment,
  isLast: boolean,
  state: ReplayState,
  options: RecoveryOptions,
): Promise<void> {
  const result = await readSegmentHeader(file);
  if (result.kind === 'otherVersion') {
    throw otherVersion(`segment ${segment.name}`, result.version, READABLE_VERSIONS);
  }
  const size = await file.size();
  if (result.kind === 'damaged') {
    // A file that holds no more than a header was being made when the crash came: nobody was told of anything in it.
    if (!isLast || size > SEGMENT_HEADER_BYTES) throw corrupt(segment.name, 0, result.reason);
    await removeTorn(disk, segment, size, result.reason, state);
    return;
  }
  const { header } = result;
  if (header.databaseKey !== options.databaseKey) {
    throw new LogError('OTHER_DATABASE', `segment ${segment.name} belongs to another database`);
  }
  const first = header.firstOffset;
  const expected = state.lastOffset === undefined ? undefined : state.lastOffset + 1;
  if (
    first !== segment.firstOffset ||
    (expected ?? first) !== first ||
    (state.chain ?? header.chain) !== header.chain
  ) {
    throw corrupt(segment.name, 0, `it begins at offset ${first} and does not follow what is before it`);
  }
  if (expected === undefined && first > (options.snapshotOffset ?? 0) + 1) {
    throw corrupt(segment.name, 0, `the transactions before offset ${first} are missing`);
  }
  const snapshotOffset = options.snapshotOffset ?? 0;
  const { apply } = options;
  const visit =
    options.applyBytes ??
    decoding((record, offset) => (offset > snapshotOffset ? apply?.(record, offset) : undefined));
  const scan = await scanSegment(file, { lastOffset: first - 1, chain: header.chain }, visit);
  state.lastOffset = scan.lastOffset;
  state.chain = scan.chain;
  state.epoch = Math.max(state.epoch, header.epoch, scan.epoch);
  await finishSegment(file, segment, isLast, size, scan, state);
  if (isLast && header.version !== FORMAT_VERSION) await endSegment(disk, segment, state);
}

async function finishSegment(
  file: DiskFile,
  segment: Segment,
  isLast: boolean,
  size: number,
  scan: SegmentScan,
  state: ReplayState,
): Promise<void> {
  const { damage } = scan;
  if (damage !== undefined) {
    if (!isLast || damage.hasGoodBatchBehind) throw corrupt(segment.name, damage.at, damage.reason);
    await file.truncate(damage.at);
    state.torn = { segment: segment.name, at: damage.at, bytes: size - damage.at, reason: damage.reason };
  }
  const allocatedBytes = damage === undefined ? size : scan.goodBytes;
  if (!isLast) return;
  // The same for the batch that was being written: whole, but perhaps in the system's memory only.
  await file.sync();
  state.tail = { file, bytes: scan.goodBytes, allocatedBytes };
}

/** What is written now has another format: it goes into a segment of its own. */
async function endSegment(disk: Disk, { name, firstOffset }: Segment, state: ReplayState): Promise<void> {
  state.tail = undefined;
  // The next segment has the name of one without batches.
  if (state.lastOffset === firstOffset - 1) await disk.remove(name);
}

async function removeTorn(
  disk: Disk,
  segment: Segment,
  size: number,
  reason: string,
  state: ReplayState,
): Promise<void> {
  await disk.remove(segment.name);
  state.torn = { segment: segment.name, at: 0, bytes: size, reason };
}

function corrupt(segment: string, at: number, reason: string): LogError {
  return new LogError(
    'CORRUPT',
    `segment ${segment} is damaged at byte ${at}: ${reason}. Restore a backup, or keep what is before it with \`chorale log repair\`.`,
  );
}
