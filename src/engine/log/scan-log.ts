import type { TxOffset } from './commit-log.js';
import type { Disk, DiskFile } from './disk.js';
import { LogError, otherVersion } from './log-error.js';
import { listSegments } from './recovery.js';
import { READABLE_VERSIONS, type SegmentHeader } from './segment-format.js';
import { decoding, readSegmentHeader, scanSegment, type Visit } from './segment-reader.js';
import { listSnapshots } from './snapshot-file.js';

/** One segment as a reader found it. */
export interface SegmentReport {
  readonly name: string;
  readonly bytes: number;
  readonly firstOffset: TxOffset;
  /** The last whole transaction, `firstOffset - 1` without any. */
  readonly lastOffset: TxOffset;
  readonly epoch: number;
  readonly damage: SegmentDamage | undefined;
}

export interface SegmentDamage {
  readonly at: number;
  readonly reason: string;
  /**
   * True at the end of the last segment with nothing whole behind: what a crash leaves, or a write that is under way. The next
   * start cuts it off.
   */
  readonly isTornTail: boolean;
}

/** Reads all segments there are, changing nothing, and gives every whole transaction to `visit`. Stops at damage. */
export async function scanLog(
  disk: Disk,
  databaseKey: string,
  visit: Visit = () => {},
): Promise<readonly SegmentReport[]> {
  const segments = await listSegments(disk);
  // A log that lost its end to damage that a snapshot covers goes on behind the snapshot, with a gap.
  const snapshots = await listSnapshots(disk);
  const reports: SegmentReport[] = [];
  let before: { readonly lastOffset: TxOffset; readonly chain: number } | undefined;
  for (const [i, { name, firstOffset }] of segments.entries()) {
    const file = await disk.open(name, { writable: false, writeThrough: false });
    try {
      if (snapshots.includes(firstOffset - 1)) before = undefined;
      const isLast = i === segments.length - 1;
      const bytes = await file.size();
      const header = await readHeader(file, name, databaseKey);
      const problem = typeof header === 'string' ? header : checkPlace(header, firstOffset, before);
      if (typeof header === 'string' || problem !== undefined) {
        const damage = { at: 0, reason: problem ?? 'unreadable', isTornTail: isLast && bytes <= 72 };
        reports.push({ name, bytes, firstOffset, lastOffset: firstOffset - 1, epoch: 0, damage });
        return reports;
      }
      const start = { lastOffset: firstOffset - 1, chain: header.chain };
      const scan = await scanSegment(file, start, decoding(visit));
      before = scan;
      const damage: SegmentDamage | undefined = scan.damage && {
        at: scan.damage.at,
        reason: scan.damage.reason,
        isTornTail: isLast && !scan.damage.hasGoodBatchBehind,
      };
      reports.push({ name, bytes, firstOffset, lastOffset: scan.lastOffset, epoch: header.epoch, damage });
      if (damage !== undefined) return reports;
    } finally {
      await file.close();
    }
  }
  return reports;
}

async function readHeader(
  file: DiskFile,
  name: string,
  databaseKey: string,
): Promise<SegmentHeader | string> {
  const result = await readSegmentHeader(file);
  if (result.kind === 'otherVersion')
    throw otherVersion(`segment ${name}`, result.version, READABLE_VERSIONS);
  if (result.kind === 'damaged') return result.reason;
  if (result.header.databaseKey !== databaseKey)
    throw new LogError('OTHER_DATABASE', `segment ${name} belongs to another database`);
  return result.header;
}

function checkPlace(
  header: SegmentHeader,
  firstOffset: TxOffset,
  before: { readonly lastOffset: TxOffset; readonly chain: number } | undefined,
): string | undefined {
  if (header.firstOffset !== firstOffset) return 'its name and its first offset disagree';
  if (before === undefined) return undefined;
  if (before.lastOffset + 1 !== firstOffset)
    return `it begins at offset ${firstOffset}, ${before.lastOffset + 1} was to come`;
  return before.chain === header.chain ? undefined : 'it does not follow the segment before it';
}
