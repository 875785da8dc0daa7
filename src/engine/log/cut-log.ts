import type { TxOffset } from './commit-log.js';
import { type Disk, type DiskFile, readFully, writeFully } from './disk.js';
import { LogError } from './log-error.js';
import { listSegments } from './recovery.js';
import { scanLog, type SegmentDamage } from './scan-log.js';
import {
  BATCH_HEADER_BYTES,
  decodeBatchHeader,
  findBatch,
  sealBatch,
  SEGMENT_HEADER_BYTES,
} from './segment-format.js';
import { listSnapshots, readSnapshot, snapshotName } from './snapshot-file.js';

/** Makes a database end behind `offset`: later transactions and snapshots are removed. For a restored copy, never for the only one. */
export async function cutLogAfter(disk: Disk, offset: TxOffset): Promise<void> {
  for (const snapshot of await listSnapshots(disk)) {
    if (snapshot > offset) await disk.remove(snapshotName(snapshot));
  }
  for (const { name, firstOffset } of await listSegments(disk)) {
    if (firstOffset > offset) await disk.remove(name);
  }
  const last = (await listSegments(disk)).at(-1);
  if (last !== undefined) await cutSegmentAfter(disk, last.name, offset);
  await disk.syncFolder();
}

async function cutSegmentAfter(disk: Disk, name: string, offset: TxOffset): Promise<void> {
  const file = await disk.open(name, { writable: true, writeThrough: false });
  try {
    const bytes = await readFully(file, 0, await file.size());
    let end = SEGMENT_HEADER_BYTES;
    for (;;) {
      const batch = findBatch(bytes, end);
      if (batch === undefined) break;
      const { at, header } = batch;
      if (at + BATCH_HEADER_BYTES + header.bodyBytes > bytes.length) break;
      const keep = offset - header.firstOffset + 1;
      if (keep < header.count) {
        if (keep > 0) end = await shortenBatch(file, bytes, at, keep);
        break;
      }
      end = at + BATCH_HEADER_BYTES + header.bodyBytes;
    }
    await file.truncate(end);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Keeps the first `keep` records of the batch at `at`. Gives the byte behind them. */
async function shortenBatch(file: DiskFile, bytes: Uint8Array, at: number, keep: number): Promise<number> {
  const header = decodeBatchHeader(bytes.subarray(at))!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = at + BATCH_HEADER_BYTES;
  for (let i = 0; i < keep; i++) end += 4 + view.getUint32(end, true);
  const batch = bytes.slice(at, end);
  sealBatch(batch, { ...header, count: keep });
  await writeFully(file, batch, at);
  return end;
}

/** The last transaction before the first one that is later than `timeMicros`. Throws when the log begins later. */
export async function findOffsetAt(disk: Disk, databaseKey: string, timeMicros: number): Promise<TxOffset> {
  let found: TxOffset | undefined;
  let isPast = false;
  let first: number | undefined;
  await scanLog(disk, databaseKey, (record, offset) => {
    first ??= record.timestampMicros;
    if (record.timestampMicros > timeMicros) isPast = true;
    if (!isPast) found = offset;
  });
  if (found !== undefined) return found;
  throw new LogError('TOO_OLD', describeStart(first));
}

function describeStart(firstMicros: number | undefined): string {
  if (firstMicros === undefined) return 'there is no log to go back in';
  return `the log begins at ${new Date(firstMicros / 1000).toISOString()}: there is no way further back`;
}

/** Throws TOO_OLD when what is there does not lead to `offset`: no snapshot before it, and no log from the beginning. */
export async function checkReach(disk: Disk, databaseKey: string, offset: TxOffset): Promise<void> {
  const reports = await scanLog(disk, databaseKey);
  const first = reports[0]?.firstOffset;
  const last = reports.at(-1)?.lastOffset ?? 0;
  const snapshots = await goodSnapshots(disk, databaseKey);
  if (offset > Math.max(last, ...snapshots))
    throw new LogError(
      'TOO_OLD',
      `there is no transaction ${offset} yet: the last one is ${Math.max(last, ...snapshots)}`,
    );
  const hasBase = snapshots.some(
    (snapshot) => snapshot === offset || (snapshot < offset && first !== undefined && snapshot + 1 >= first),
  );
  if (hasBase || first === 1) return;
  const oldest = Math.min(...snapshots);
  throw new LogError(
    'TOO_OLD',
    `transaction ${offset} cannot be gone back to: the oldest state that is kept is that of transaction ${oldest}. ` +
      `Keep more with \`chorale start --retain 7d\`.`,
  );
}

async function goodSnapshots(disk: Disk, databaseKey: string): Promise<TxOffset[]> {
  const good: TxOffset[] = [];
  for (const offset of await listSnapshots(disk)) {
    if ((await snapshotProblem(disk, offset, databaseKey)) === undefined) good.push(offset);
  }
  return good;
}

/** What is wrong with a snapshot, undefined when nothing is. */
export async function snapshotProblem(
  disk: Disk,
  offset: TxOffset,
  databaseKey: string,
): Promise<string | undefined> {
  try {
    await readSnapshot(disk, offset, databaseKey, { section: () => {}, rows: () => {} });
    return undefined;
  } catch (error) {
    if (error instanceof LogError && error.code === 'CORRUPT') return error.message;
    throw error;
  }
}

/** What a repair would cut off. */
export interface RepairPlan {
  readonly segment: string;
  readonly damage: SegmentDamage;
  /** The last transaction that is kept in the log. */
  readonly lastKept: TxOffset;
  readonly cutBytes: number;
  /** Whole segments behind the damage. */
  readonly lostSegments: readonly string[];
  /** A good snapshot that holds more than the log up to the damage, so that less is lost. */
  readonly snapshot: TxOffset | undefined;
}

/** Where the log is damaged and what cutting there costs; undefined when a start would cut nothing or only a torn tail. */
export async function planRepair(disk: Disk, databaseKey: string): Promise<RepairPlan | undefined> {
  const reports = await scanLog(disk, databaseKey);
  const report = reports.at(-1);
  if (report?.damage === undefined || report.damage.isTornTail) return undefined;
  const segments = await listSegments(disk);
  const lostSegments = segments.slice(reports.length).map(({ name }) => name);
  const snapshot = (await goodSnapshots(disk, databaseKey))[0];
  return {
    segment: report.name,
    damage: report.damage,
    lastKept: report.lastOffset,
    cutBytes: report.bytes - report.damage.at,
    lostSegments,
    snapshot: snapshot !== undefined && snapshot > report.lastOffset ? snapshot : undefined,
  };
}

/** Cuts as planned. What is cut off stays beside the log under names with `.cut`, for those who want to look. */
export async function repairLog(disk: Disk, plan: RepairPlan): Promise<void> {
  for (const name of plan.lostSegments) await disk.rename(name, `${name}.cut`);
  const { at } = plan.damage;
  if (at === 0) {
    await disk.rename(plan.segment, `${plan.segment}.cut`);
  } else {
    const file = await disk.open(plan.segment, { writable: true, writeThrough: false });
    const rest = await disk.create(`${plan.segment}.${at}.cut`, { writeThrough: false });
    try {
      await writeFully(rest, await readFully(file, at, plan.cutBytes), 0);
      await rest.sync();
      await disk.syncFolder();
      await file.truncate(at);
      await file.sync();
    } finally {
      await file.close();
      await rest.close();
    }
  }
  await disk.syncFolder();
}
