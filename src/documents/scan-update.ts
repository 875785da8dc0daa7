import { VarReader } from '../base/var-reader.js';
import { WireError } from '../base/wire-error.js';
import { readStruct, StructKind, StructView } from './read-struct.js';
import { UpdateError } from './update-error.js';

/*
 * A Yjs update, encoding v1. All integers are varuints unless said otherwise.
 *
 * | clients | count of blocks; then for each                                                           |
 * | block   | count of structs, client, clock of the first; then the structs, their clocks in sequence |
 * | struct  | read-struct.ts; a skip is a gap: nobody has told these clocks yet                          |
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

const view = new StructView();

function scanStructs(reader: VarReader, draft: Draft, count: number, client: number, start: number): void {
  let clock = start;
  let from = start;
  for (let i = 0; i < count; i++) {
    readStruct(reader, view);
    const { kind, length } = view;
    if (length < 1) throw new WireError('BAD_LENGTH', `a struct of no length at clock ${clock}`);
    if (view.isItem) scanLinks(draft, client, clock);
    if (kind === StructKind.skip) {
      if (clock > from) draft.structs.push(client, from, clock);
      from = clock + length;
    }
    clock += length;
  }
  if (clock > Number.MAX_SAFE_INTEGER) throw new WireError('OUT_OF_RANGE', 'a clock is above 2^53');
  if (clock > from) draft.structs.push(client, from, clock);
}

/** What the item in `view` cannot be placed without. */
function scanLinks(draft: Draft, client: number, clock: number): void {
  if (view.hasLeft) scanLink(draft, client, clock, view.leftClient, view.leftClock);
  if (view.hasRight) scanLink(draft, client, clock, view.rightClient, view.rightClock);
  if (view.hasParent) scanLink(draft, client, clock, view.parentClient, view.parentClock);
}

function scanLink(draft: Draft, client: number, clock: number, target: number, targetClock: number): void {
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
