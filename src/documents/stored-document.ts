import * as Y from 'yjs';

import { VarReader } from '../base/var-reader.js';
import { VarWriter } from '../base/var-writer.js';
import { DocumentState } from './document-state.js';
import type { UpdateOrigin } from './document-section.js';
import { mergeAll } from './merge-updates.js';
import { scanUpdate, type ScanLimits, type UpdateSummary } from './scan-update.js';
import type { Shelf } from './shelf.js';
import { UpdateError } from './update-error.js';
import { type MergeGroup, mergeRows, UpdateList } from './update-list.js';

/** A point in a document's past that can be shown. */
export type DocumentVersion = UpdateOrigin;

/** Where a hot document's own edits come from; others' are applied with this origin. */
export const FROM_LOG: unique symbol = Symbol('chorale.fromLog');

// Measured: 1.2 MB of small insertions are 20 MB of yjs' objects.
const HOT_FACTOR = 16;
const EMPTY_VECTOR = Uint8Array.of(0);

/**
 * One document that somebody uses: where its updates are, and, *lazy*, what it holds, known from headers; *hot* while server code has its
 * Y.Doc. *Cold* ones are on the shelf as a whole.
 */
export class StoredDocument {
  readonly id: string;
  /** It differs from what `encode` gave last. */
  isChanged = false;
  readonly #updates: UpdateList;
  /** Told when `cachedBytes` has grown or was used. */
  readonly #onCached: (document: StoredDocument) => void;
  #state: DocumentState | undefined;
  #doc: Y.Doc | undefined;
  /** All of it as one update, as of `#wholeOffset`, made when somebody asks. */
  #whole: Uint8Array | undefined;
  #wholeOffset = -1;

  constructor(
    id: string,
    shelf: Shelf,
    onCached: (document: StoredDocument) => void = () => {},
    encoded?: Uint8Array,
  ) {
    this.id = id;
    this.#onCached = onCached;
    const reader = encoded && new VarReader(encoded);
    this.#updates = reader === undefined ? new UpdateList(shelf) : UpdateList.decode(reader, shelf);
    if (reader?.readU8() === 1) this.#state = DocumentState.decode(reader);
  }

  /** What the constructor takes: all that is in memory, but what can be made again. */
  encode(): Uint8Array<ArrayBuffer> {
    const writer = new VarWriter();
    this.#updates.encode(writer);
    writer.writeU8(this.#state === undefined ? 0 : 1);
    this.#state?.encode(writer);
    return writer.finish();
  }

  get temperature(): 'cold' | 'lazy' | 'hot' {
    if (this.#doc !== undefined) return 'hot';
    return this.#state === undefined ? 'cold' : 'lazy';
  }

  get bytes(): number {
    return this.#updates.bytes;
  }

  /** What it needs in memory, about, without what is cached. */
  get heldBytes(): number {
    return 1000 + this.#updates.heldBytes + (this.#state?.heldBytes ?? 0);
  }

  /** Bytes that `forgetCached` gives back. */
  get cachedBytes(): number {
    return (this.#whole?.length ?? 0) + (this.#doc === undefined ? 0 : this.bytes * HOT_FACTOR);
  }

  get updateCount(): number {
    return this.#updates.count;
  }

  get lastOffset(): number {
    return this.#updates.lastOffset;
  }

  get isEmpty(): boolean {
    return this.#updates.count === 0;
  }

  /** Whether part of it waits for an update that has not come. */
  get hasGaps(): boolean {
    return this.#known().hasGaps;
  }

  /** As a syncStep1 carries it. */
  stateVector(): Uint8Array<ArrayBuffer> {
    return this.#known().encodeStateVector();
  }

  /** What somebody with that vector lacks of what came up to `offset`. A view of shared bytes: not to be changed. Throws UpdateError. */
  missingFor(stateVector: Uint8Array, offset = Infinity): Uint8Array {
    return diffFor(this.whole(offset), stateVector);
  }

  /** All of it up to `offset` as one update; shared: not to be changed. */
  whole(offset = Infinity): Uint8Array {
    const updates = this.#updates;
    const end = updates.rowAfter(offset);
    const wholeOffset = end === 0 ? 0 : updates.origin(end - 1).offset;
    if (this.#whole === undefined || this.#wholeOffset !== wholeOffset) {
      // A past before what is cached is asked for by `at`; only a log that fails goes back.
      const isOlder = this.#whole !== undefined && this.#wholeOffset < wholeOffset;
      const newer = mergeRows(updates, isOlder ? updates.rowAfter(this.#wholeOffset) : 0, end);
      this.#whole = isOlder ? mergeAll([this.#whole!, newer]) : newer;
      this.#wholeOffset = wholeOffset;
    }
    this.#onCached(this);
    return this.#whole;
  }

  /** The updates that `whole` would have to merge; undefined when there is nothing to merge. */
  partsOfWhole(offset: number): Uint8Array[] | undefined {
    const updates = this.#updates;
    const end = updates.rowAfter(offset);
    if (end < 2 || this.#wholeOffset === updates.origin(end - 1).offset) return undefined;
    return Array.from(updates.updates(0, end), (update) => update.slice());
  }

  /** Takes what merging `partsOfWhole` has given, made elsewhere. */
  keepWhole(update: Uint8Array, offset: number): void {
    const end = this.#updates.rowAfter(offset);
    if (end === 0) return;
    this.#whole = update;
    this.#wholeOffset = this.#updates.origin(end - 1).offset;
    this.#onCached(this);
  }

  /** What came after that offset of the log and up to the other one, or a little more. */
  between(after: number, offset: number): Uint8Array {
    return mergeRows(this.#updates, this.#updates.rowAfter(after), this.#updates.rowAfter(offset));
  }

  /** What the update holds, or undefined if all of it is here already. Throws UpdateError. */
  inspect(update: Uint8Array, limits: ScanLimits, documentBytesMax: number): UpdateSummary | undefined {
    const summary = scanUpdate(update, limits);
    if (this.#known().knows(summary)) return undefined;
    if (this.#updates.bytes + update.length > documentBytesMax)
      throw new UpdateError('DOCUMENT_FULL', `the document would grow past ${documentBytesMax} bytes`);
    return summary;
  }

  /** Takes an update that was logged and inspected. */
  append(update: Uint8Array, summary: UpdateSummary, origin: UpdateOrigin): void {
    this.isChanged = true;
    this.#updates.add(update, origin);
    this.#known().add(summary);
    if (this.#doc !== undefined) Y.applyUpdate(this.#doc, update, FROM_LOG);
  }

  /** Takes an update that the log gives back. */
  replay(update: Uint8Array, origin: UpdateOrigin): void {
    this.isChanged = true;
    this.#updates.add(update, origin);
    this.#state = undefined;
  }

  isMergeDue(durableOffset: number): boolean {
    return this.#updates.isMergeDue(durableOffset);
  }

  findMerge(durableOffset: number): MergeGroup | undefined {
    return this.#updates.findMerge(durableOffset);
  }

  updatesOf({ start, count }: MergeGroup): Uint8Array[] {
    return [...this.#updates.updates(start, start + count)];
  }

  replace(group: MergeGroup, update: Uint8Array): void {
    this.isChanged = true;
    this.#updates.replace(group, update);
  }

  /** Forgets what is after `offset`: it will never be on disk. */
  takeBack(offset: number): void {
    if (!this.#updates.takeBack(offset)) return;
    this.isChanged = true;
    this.#state = undefined;
    this.forgetCached();
  }

  /** The Y.Doc, kept up to date until it is forgotten. What is edited in it goes to `onEdit`, even after that. */
  heat(onEdit: (update: Uint8Array) => void): Y.Doc {
    if (this.#doc === undefined) {
      const doc = new Y.Doc({ guid: this.id });
      Y.applyUpdate(doc, mergeRows(this.#updates), FROM_LOG);
      doc.on('update', (update: Uint8Array, origin: unknown) => {
        if (origin !== FROM_LOG) onEdit(update);
      });
      this.#doc = doc;
    }
    this.#onCached(this);
    return this.#doc;
  }

  /** Lets go of what can be made again from the updates. */
  forgetCached(): void {
    this.#doc = undefined;
    this.forgetWhole();
  }

  forgetWhole(): void {
    this.#whole = undefined;
    this.#wholeOffset = -1;
  }

  /** Oldest first. Neighbours merge with age, so that the distant past is coarser. */
  versions(): DocumentVersion[] {
    return Array.from({ length: this.#updates.count }, (_, row) => this.#updates.origin(row));
  }

  /** The pieces with where they are from, for a snapshot. */
  pieces(): Iterable<UpdateOrigin & { readonly update: Uint8Array }> {
    return this.#updates.pieces();
  }

  /** The document as of the newest version that is not after `offset`, as one update. */
  at(offset: number): Uint8Array {
    return mergeRows(this.#updates, 0, this.#updates.rowAfter(offset));
  }

  #known(): DocumentState {
    if (this.#state !== undefined) return this.#state;
    const state = new DocumentState();
    // It was checked before it was logged; limits may have become smaller since.
    for (const update of this.#updates.updates()) state.add(scanUpdate(update, NO_LIMITS));
    this.isChanged = true;
    this.#state = state;
    return state;
  }
}

/** What somebody with that vector lacks of a document. Throws UpdateError. */
export function diffFor(whole: Uint8Array, stateVector: Uint8Array): Uint8Array {
  if (stateVector.length === EMPTY_VECTOR.length && stateVector[0] === EMPTY_VECTOR[0]) return whole;
  try {
    return Y.diffUpdate(whole, stateVector);
  } catch (cause) {
    throw new UpdateError('MALFORMED', 'not a state vector', { cause });
  }
}

const NO_LIMITS: ScanLimits = {
  updateBytesMax: Infinity,
  structsMax: Infinity,
  clientsMax: Infinity,
  deletesMax: Infinity,
};
