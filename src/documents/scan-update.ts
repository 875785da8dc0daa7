import { VarReader } from '../base/var-reader.js';
import { WireError } from '../base/wire-error.js';
import { skipContent } from './scan-content.js';
import { UpdateError } from './update-error.js';

/*
 * A Yjs update, encoding v1. All integers are varuints unless said otherwise.
 *
 * | clients | count of blocks; then for each                                                           |
 * | block   | count of structs, client, clock of the first; then the structs, their clocks in sequence |
 * | struct  | u8 info; kind = info & 31                                                                |
 * |   0  gc   | length                                                                                 |
 * |   10 skip | length: a gap, nobody has told these yet                                               |
 * |   else item | info & 0x80: origin (client, clock); info & 0x40: right origin (client, clock)       |
 * |             | neither: 1 and the root's name, or 0 and the parent (client, clock); info & 0x20: key |
 * |             | content, by kind: scan-content.ts                                                     |
 * | deletes | count of clients; for each: client, count, count x (clock, length)                       |
 */

export interface ScanLimits {
  readonly updateBytesMax: number;
  readonly structsMax: number;
  readonly clientsMax: number;
  readonly deletesMax: number;
}

export const scanLimitsDefault: ScanLimits = {
  updateBytesMax: 16 * 1024 * 1024, // a book of a thousand pages is 2 MB with its history
  structsMax: 1_000_000, // four times the edits of the longest published editing trace
  clientsMax: 65_536, // a session is one client: as many as a port has sockets
  deletesMax: 1_000_000, // as structs
};

/** What an update holds, from its headers alone. Triples lie flat in arrays: one scan is a microsecond. */
export interface UpdateSummary {
  /** client, from, to, client, from, to, … without the gaps. */
  readonly structs: readonly number[];
  /** client, from, to, … */
  readonly deletes: readonly number[];
  /** client, clock, …: what the structs point at and cannot be placed without. */
  readonly needs: readonly number[];
  readonly structCount: number;
}

const KIND = 0x1f;
const HAS_KEY = 0x20;
const HAS_RIGHT = 0x40;
const HAS_LEFT = 0x80;
const GC = 0;
const SKIP = 10;

interface Draft {
  readonly structs: number[];
  readonly deletes: number[];
  readonly needs: number[];
  structCount: number;
}

/**
 * Reads an update from its first to its last byte without building anything. Throws UpdateError for what yjs would refuse, what would
 * harm it, and what is over a limit.
 */
export function scanUpdate(update: Uint8Array, limits: ScanLimits = scanLimitsDefault): UpdateSummary {
  if (update.length > limits.updateBytesMax)
    throw new UpdateError('TOO_LARGE', `an update has ${limits.updateBytesMax} bytes at most`);
  const reader = new VarReader(update);
  const draft: Draft = { structs: [], deletes: [], needs: [], structCount: 0 };
  try {
    scanBlocks(reader, draft, limits);
    scanDeletes(reader, draft, limits);
    reader.expectEnd();
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new UpdateError('MALFORMED', `not a Yjs update: ${cause.message}`, { cause });
  }
  return draft;
}

function scanBlocks(reader: VarReader, draft: Draft, limits: ScanLimits): void {
  const blockCount = reader.readVarUint();
  if (blockCount > limits.clientsMax) throw tooMany('clients', limits.clientsMax);
  const seen = blockCount > 1 ? new Set<number>() : undefined;
  for (let i = 0; i < blockCount; i++) {
    const structCount = reader.readVarUint();
    const client = reader.readVarUint();
    const clock = reader.readVarUint();
    draft.structCount += structCount;
    if (draft.structCount > limits.structsMax) throw tooMany('structs', limits.structsMax);
    if (seen?.has(client)) throw new WireError('BAD_VALUE', `client ${client} comes twice`);
    seen?.add(client);
    scanStructs(reader, draft, structCount, client, clock);
  }
}

function scanStructs(reader: VarReader, draft: Draft, count: number, client: number, start: number): void {
  let clock = start;
  let from = start;
  for (let i = 0; i < count; i++) {
    const info = reader.readU8();
    const kind = info & KIND;
    const isPlain = kind === GC || kind === SKIP;
    const length = isPlain ? reader.readVarUint() : scanItem(reader, draft, info, client, clock);
    if (length < 1) throw new WireError('BAD_LENGTH', `a struct of no length at clock ${clock}`);
    if (kind === SKIP) {
      if (clock > from) draft.structs.push(client, from, clock);
      from = clock + length;
    }
    clock += length;
  }
  if (clock > Number.MAX_SAFE_INTEGER) throw new WireError('OUT_OF_RANGE', 'a clock is above 2^53');
  if (clock > from) draft.structs.push(client, from, clock);
}

/** The length of an item. */
function scanItem(reader: VarReader, draft: Draft, info: number, client: number, clock: number): number {
  if (info & HAS_LEFT) scanReference(reader, draft, client, clock);
  if (info & HAS_RIGHT) scanReference(reader, draft, client, clock);
  if ((info & (HAS_LEFT | HAS_RIGHT)) === 0) {
    if (reader.readVarUint() === 1) reader.readVarString();
    else scanReference(reader, draft, client, clock);
    if (info & HAS_KEY) reader.readVarString();
  }
  return skipContent(reader, info & KIND);
}

function scanReference(reader: VarReader, draft: Draft, client: number, clock: number): void {
  const target = reader.readVarUint();
  const targetClock = reader.readVarUint();
  if (target !== client) draft.needs.push(target, targetClock);
  else if (targetClock >= clock)
    throw new WireError(
      'BAD_VALUE',
      `the struct at clock ${clock} points at ${targetClock}, which comes later`,
    );
}

function scanDeletes(reader: VarReader, draft: Draft, limits: ScanLimits): void {
  const clientCount = reader.readVarUint();
  if (clientCount > limits.clientsMax) throw tooMany('clients', limits.clientsMax);
  let left = limits.deletesMax;
  for (let i = 0; i < clientCount; i++) {
    const client = reader.readVarUint();
    const count = reader.readVarUint();
    left -= count;
    if (left < 0) throw tooMany('deletions', limits.deletesMax);
    for (let k = 0; k < count; k++) {
      const from = reader.readVarUint();
      const to = from + reader.readVarUint();
      if (to > Number.MAX_SAFE_INTEGER) throw new WireError('OUT_OF_RANGE', 'a clock is above 2^53');
      if (to === from) throw new WireError('BAD_LENGTH', `a deletion of no length at clock ${from}`);
      draft.deletes.push(client, from, to);
    }
  }
}

function tooMany(what: string, limit: number): UpdateError {
  return new UpdateError('TOO_LARGE', `an update has ${limit} ${what} at most`);
}
