import * as Y from 'yjs';

import type { Identity } from '../values/identity.js';
import { DocumentState } from './document-state.js';
import { encodeDocumentSection, type UpdateOrigin } from './document-section.js';
import { scanUpdate, type ScanLimits, type UpdateSummary } from './scan-update.js';
import { UpdateError } from './update-error.js';
import { UpdateList } from './update-list.js';

/** A point in a document's past that can be shown. */
export interface DocumentVersion extends UpdateOrigin {
  readonly author: Identity | undefined;
}

/** Where a hot document's own edits come from; others' are applied with this origin. */
export const FROM_LOG: unique symbol = Symbol('chorale.fromLog');

/**
 * One document: its updates as they were logged. *Cold* it is only those; *lazy* once somebody has asked what it holds, known from headers;
 * *hot* while server code has its Y.Doc.
 */
export class StoredDocument {
  readonly id: string;
  /** What stands in front of each of its updates in the log. */
  readonly sectionHead: Uint8Array;
  readonly #updates = new UpdateList();
  #state: DocumentState | undefined;
  #doc: Y.Doc | undefined;

  constructor(id: string) {
    this.id = id;
    this.sectionHead = encodeDocumentSection({ room: id, update: new Uint8Array(0), origin: undefined });
  }

  get temperature(): 'cold' | 'lazy' | 'hot' {
    if (this.#doc !== undefined) return 'hot';
    return this.#state === undefined ? 'cold' : 'lazy';
  }

  get bytes(): number {
    return this.#updates.bytes;
  }

  /** Bytes that can be given back by `cool`. */
  get cachedBytes(): number {
    return this.#updates.wholeBytes;
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

  /** What somebody with that vector lacks. A view of shared bytes: not to be changed. Throws UpdateError. */
  missingFor(stateVector: Uint8Array): Uint8Array {
    const whole = this.#updates.whole();
    if (stateVector.length === 1 && stateVector[0] === 0) return whole;
    try {
      return Y.diffUpdate(whole, stateVector);
    } catch (cause) {
      throw new UpdateError('MALFORMED', 'not a state vector', { cause });
    }
  }

  /** What came after that offset of the log, or a little more. */
  after(offset: number): Uint8Array {
    return this.#updates.after(offset);
  }

  whole(): Uint8Array {
    return this.#updates.whole();
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
    this.#updates.add(update, origin);
    this.#known().add(summary);
    if (this.#doc !== undefined) Y.applyUpdate(this.#doc, update, FROM_LOG);
  }

  /** Takes an update that the log gives back. */
  replay(update: Uint8Array, origin: UpdateOrigin, level: number): void {
    this.#updates.add(update, origin, level);
    this.#state = undefined;
  }

  compact(durableOffset: number): void {
    this.#updates.compact(durableOffset);
  }

  takeBack(offset: number): void {
    if (!this.#updates.takeBack(offset)) return;
    this.#state = undefined;
    this.#doc?.destroy();
    this.#doc = undefined;
  }

  /** The Y.Doc, kept up to date until `cool`. What is edited in it goes to `onEdit`. */
  heat(onEdit: (update: Uint8Array) => void): Y.Doc {
    if (this.#doc !== undefined) return this.#doc;
    const doc = new Y.Doc({ guid: this.id });
    Y.applyUpdate(doc, this.#updates.whole(), FROM_LOG);
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== FROM_LOG) onEdit(update);
    });
    this.#doc = doc;
    return doc;
  }

  /** Lets go of everything that can be made again. */
  cool(): void {
    this.#doc?.destroy();
    this.#doc = undefined;
    this.#state = undefined;
    this.#updates.forgetWhole();
  }

  /** Oldest first. Neighbours merge with age, so that the distant past is coarser. */
  versions(): DocumentVersion[] {
    return Array.from(this.#updates, ({ offset, timestampMicros, author }) => ({
      offset,
      timestampMicros,
      author,
    }));
  }

  /** The pieces with where they are from, for a snapshot. */
  pieces(): Iterable<UpdateOrigin & { readonly update: Uint8Array; readonly level: number }> {
    return this.#updates;
  }

  /** The document as of the newest version that is not after `offset`, as one update. */
  at(offset: number): Uint8Array {
    return this.#updates.upTo(offset);
  }

  #known(): DocumentState {
    if (this.#state !== undefined) return this.#state;
    const state = new DocumentState();
    // It was checked before it was logged; limits may have become smaller since.
    for (const { update } of this.#updates) state.add(scanUpdate(update, NO_LIMITS));
    this.#state = state;
    return state;
  }
}

const NO_LIMITS: ScanLimits = {
  updateBytesMax: Infinity,
  structsMax: Infinity,
  clientsMax: Infinity,
  deletesMax: Infinity,
};
