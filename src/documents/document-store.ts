import type { ConnectionId, Identity } from '../values/identity.js';
import { ByteWriter } from '../base/byte-writer.js';
import { VarReader } from '../base/var-reader.js';
import {
  decodeDocumentSection,
  DOCUMENT_UPDATE_SECTION,
  encodeDocumentSection,
  type UpdateOrigin,
  writeDocumentSection,
} from './document-section.js';
import { type ScanLimits, scanLimitsDefault } from './scan-update.js';
import { CachedDocuments } from './cached-documents.js';
import { mergeAll } from './merge-updates.js';
import { MERGE_BYTES_INLINE_MAX, type Merger, mergeHere } from './merger.js';
import { Shelf } from './shelf.js';
import { diffFor, StoredDocument } from './stored-document.js';
import { type MergeGroup, UpdateList } from './update-list.js';

/** Who an update is from. */
export interface UpdateAuthor {
  readonly identity: Identity | undefined;
  readonly connectionId: ConnectionId | undefined;
}

/** The log as documents need it. */
export interface DocumentLog {
  /** Logs a copy of a section of kind `DOCUMENT_UPDATE_SECTION` as one transaction. Throws when the log has failed. */
  append(
    section: Uint8Array,
    author: UpdateAuthor,
  ): { readonly offset: number; readonly timestampMicros: number };
  readonly durableOffset: number;
}

export interface DocumentLimits extends ScanLimits {
  readonly documentBytesMax: number;
}

export const documentLimitsDefault: DocumentLimits = {
  ...scanLimitsDefault,
  documentBytesMax: 64 * 1024 * 1024, // fifty times the 1.2 MB of a large document; a browser needs a second for a tenth
};

export type AcceptResult =
  | { readonly kind: 'accepted'; readonly offset: number }
  /** Nothing in it is new. */
  | { readonly kind: 'known' };

/** What somebody lacks of what is on disk, up to `offset`. */
export interface Missing {
  readonly update: Uint8Array;
  readonly offset: number;
}

export interface DocumentStoreOptions {
  /** Where documents are that nobody uses, and all but the newest updates of the others. Default: memory. */
  readonly shelf?: Shelf;
  readonly merger?: Merger;
  /** For what could be made again: contents that were asked for, and Y.Docs. Default 64 MiB, a few dozen large documents. */
  readonly cacheBytesMax?: number;
  readonly onError?: (error: unknown, where: string) => void;
}

/** Sections as they were when they were asked for. They can be read until they are released. */
export interface KeptSections extends Iterable<{ readonly kind: number; readonly bytes: Uint8Array }> {
  release(): void;
}

interface OpenDocument {
  readonly document: StoredDocument;
  useCount: number;
}

/** A document on the shelf. */
interface ShelvedDocument {
  readonly at: number;
  readonly length: number;
  readonly lastOffset: number;
}

// While a log is read back its documents come in any order: so much of them waits in memory for their next updates.
const IDLE_BYTES_MAX = 8 * 1024 * 1024;

// Longer ones get memory of their own: what they are written into grows, and is kept.
const SCRATCH_UPDATE_BYTES_MAX = 1024;

/** All documents of one database. What it holds is what the log holds. */
export class DocumentStore {
  readonly kind = DOCUMENT_UPDATE_SECTION;
  readonly #shelf: Shelf;
  readonly #merger: Merger;
  readonly #onError: NonNullable<DocumentStoreOptions['onError']>;
  readonly #cached: CachedDocuments;
  readonly #open = new Map<string, OpenDocument>();
  /** Read back from the log and not shelved yet, with their bytes; least recently used first. */
  readonly #idle = new Map<string, { readonly document: StoredDocument; heldBytes: number }>();
  #idleBytes = 0;
  /** Open and idle ones are here as they were shelved last, if ever. */
  readonly #shelved = new Map<string, ShelvedDocument>();
  readonly #scratch = new ByteWriter(1024);
  readonly #merging = new Set<StoredDocument>();
  /** Long merges that several may wait for. */
  readonly #wholes = new Map<StoredDocument, Promise<Missing>>();
  /** One for all documents. */
  readonly #noteCached = (document: StoredDocument): void => this.#cached.note(document);
  #log: DocumentLog | undefined;

  constructor(options: DocumentStoreOptions = {}) {
    this.#shelf = options.shelf ?? new Shelf();
    this.#merger = options.merger ?? mergeHere;
    this.#onError = options.onError ?? (() => {});
    this.#cached = new CachedDocuments(options.cacheBytesMax ?? 64 * 1024 * 1024);
  }

  /** Where updates go from now on. Before that it can only be read. */
  attachLog(log: DocumentLog): void {
    this.#log = log;
  }

  /** Of documents that hold something or are open. */
  get ids(): readonly string[] {
    return [...new Set([...this.#shelved.keys(), ...this.#idle.keys(), ...this.#open.keys()])];
  }

  /** The document, made when it is not there. It stays in memory until it is closed as often as opened. */
  open(id: string): StoredDocument {
    let open = this.#open.get(id);
    if (open === undefined)
      this.#open.set(id, (open = { document: this.#takeIdle(id) ?? this.#unshelve(id), useCount: 0 }));
    open.useCount += 1;
    return open.document;
  }

  close({ id }: StoredDocument): void {
    const open = this.#open.get(id);
    if (open === undefined || --open.useCount > 0) return;
    this.#open.delete(id);
    this.#putAway(open.document);
  }

  #unshelve(id: string): StoredDocument {
    const found = this.#shelved.get(id);
    const bytes = found && this.#shelf.get(found.at, found.length);
    return new StoredDocument(id, this.#shelf, this.#noteCached, bytes);
  }

  #putAway(document: StoredDocument): void {
    const { id } = document;
    this.#cached.forget(document);
    if (!document.isChanged) return;
    const before = this.#shelved.get(id);
    if (before !== undefined) this.#shelf.drop(before.at, before.length);
    this.#shelved.delete(id);
    // Nobody has ever written in it: asking for a name must not cost memory for ever.
    if (document.isEmpty) return;
    const bytes = document.encode();
    const { lastOffset } = document;
    this.#shelved.set(id, { at: this.#shelf.put(bytes), length: bytes.length, lastOffset });
    document.isChanged = false;
  }

  #takeIdle(id: string): StoredDocument | undefined {
    const idle = this.#idle.get(id);
    if (idle === undefined) return undefined;
    this.#idle.delete(id);
    this.#idleBytes -= idle.heldBytes;
    return idle.document;
  }

  #setIdle(document: StoredDocument): void {
    const { heldBytes } = document;
    this.#idle.set(document.id, { document, heldBytes });
    this.#idleBytes += heldBytes;
    for (const { document: oldest } of this.#idle.values()) {
      if (this.#idleBytes <= IDLE_BYTES_MAX) return;
      this.#takeIdle(oldest.id);
      this.#putAway(oldest);
    }
  }

  /**
   * Checks an update, logs it and takes it into the document. It may still be lost until `offset` is durable. The caller's bytes are
   * copied. Throws UpdateError, and what the log throws.
   */
  accept(
    document: StoredDocument,
    update: Uint8Array,
    author: UpdateAuthor,
    limits: DocumentLimits = documentLimitsDefault,
  ): AcceptResult {
    if (this.#open.get(document.id)?.document !== document)
      return this.#acceptLate(document.id, update, author, limits);
    const summary = document.inspect(update, limits, limits.documentBytesMax);
    if (summary === undefined) return { kind: 'known' };
    if (this.#log === undefined) throw new Error('the documents have no log yet');
    const { offset, timestampMicros } = this.#log.append(this.#section(document, update), author);
    document.append(update, summary, { offset, timestampMicros, author: author.identity });
    const { durableOffset } = this.#log;
    if (document.isMergeDue(durableOffset)) this.#compact(document, durableOffset);
    return { kind: 'accepted', offset };
  }

  /** Good until the next one: the log copies it. */
  #section({ id: room }: StoredDocument, update: Uint8Array): Uint8Array {
    const section = { room, update, origin: undefined };
    if (update.length > SCRATCH_UPDATE_BYTES_MAX) return encodeDocumentSection(section);
    const scratch = this.#scratch;
    scratch.reset();
    writeDocumentSection(scratch, section);
    return scratch.bytes.subarray(0, scratch.length);
  }

  /** Server code has kept a Y.Doc of a document that was closed since. */
  #acceptLate(id: string, update: Uint8Array, author: UpdateAuthor, limits: DocumentLimits): AcceptResult {
    const document = this.open(id);
    try {
      return this.accept(document, update, author, limits);
    } finally {
      this.close(document);
    }
  }

  #compact(document: StoredDocument, durableOffset: number): void {
    if (this.#merging.has(document)) return;
    for (;;) {
      const group = document.findMerge(durableOffset);
      if (group === undefined) return;
      const updates = document.updatesOf(group);
      if (group.bytes > MERGE_BYTES_INLINE_MAX) return void this.#mergeAside(document, group, updates);
      document.replace(group, mergeAll(updates));
    }
  }

  async #mergeAside(document: StoredDocument, group: MergeGroup, updates: Uint8Array[]): Promise<void> {
    this.#merging.add(document);
    this.open(document.id);
    try {
      document.replace(group, await this.#merger.merge(updates));
    } catch (error) {
      this.#onError(error, `merging updates of document ${document.id}`);
    } finally {
      this.#merging.delete(document);
      this.close(document);
    }
  }

  /** What somebody with that vector lacks of what is on disk; later when that takes long. Throws or rejects with UpdateError. */
  missingFor(document: StoredDocument, stateVector: Uint8Array): Missing | Promise<Missing> {
    const offset = this.#log?.durableOffset ?? Infinity;
    if (document.bytes <= MERGE_BYTES_INLINE_MAX)
      return { update: document.missingFor(stateVector, offset), offset };
    return this.#missingAside(document, stateVector, offset);
  }

  async #missingAside(document: StoredDocument, stateVector: Uint8Array, offset: number): Promise<Missing> {
    const parts = document.partsOfWhole(offset);
    const whole =
      parts === undefined
        ? { update: document.whole(offset), offset }
        : await this.#mergeWhole(document, parts, offset);
    // Nothing to leave out.
    if (stateVector.length === 1) return { ...whole, update: diffFor(whole.update, stateVector) };
    return { ...whole, update: await this.#merger.diff(whole.update, stateVector) };
  }

  #mergeWhole(document: StoredDocument, parts: readonly Uint8Array[], offset: number): Promise<Missing> {
    let running = this.#wholes.get(document);
    if (running === undefined) {
      running = this.#merger
        .merge(parts)
        .then((update) => {
          document.keepWhole(update, offset);
          return { update, offset };
        })
        .finally(() => void this.#wholes.delete(document));
      this.#wholes.set(document, running);
    }
    return running;
  }

  /** What is on disk of what came after `offset`. */
  durableAfter(document: StoredDocument, offset: number): Uint8Array {
    return document.between(offset, this.#log?.durableOffset ?? Infinity);
  }

  /** Lets go of contents that nobody has asked for since it was called last. */
  forgetUnused(): void {
    this.#cached.forgetUnused();
  }

  /** Takes a section that the log or a snapshot gives back; `origin` is that of its record. */
  replay(bytes: Uint8Array, record: UpdateOrigin): void {
    const { room, update, origin } = decodeDocumentSection(bytes);
    const document = this.#takeIdle(room) ?? this.#unshelve(room);
    document.replay(update, origin ?? record);
    if (document.isMergeDue(Infinity)) this.#compactHere(document);
    this.#setIdle(document);
  }

  /** Nobody waits for anything while a log is read back. */
  #compactHere(document: StoredDocument): void {
    for (let group; (group = document.findMerge(Infinity)) !== undefined;)
      document.replace(group, mergeAll(document.updatesOf(group)));
  }

  /** What a snapshot has to keep of the documents as they are now. */
  capture(): KeptSections {
    const release = this.#shelf.pin();
    const inMemory = [...this.#open.values(), ...this.#idle.values()].map(
      ({ document }) => [document.id, document.encode()] as const,
    );
    const seen = new Set(inMemory.map(([id]) => id));
    const shelved = [...this.#shelved].filter(([id]) => !seen.has(id));
    return { release, [Symbol.iterator]: () => this.#sections(inMemory, shelved) };
  }

  *#sections(
    inMemory: readonly (readonly [string, Uint8Array])[],
    shelved: readonly (readonly [string, ShelvedDocument])[],
  ): IterableIterator<{ readonly kind: number; readonly bytes: Uint8Array }> {
    for (const [room, encoded] of inMemory) yield* this.#sectionsOf(room, encoded);
    for (const [room, { at, length }] of shelved) yield* this.#sectionsOf(room, this.#shelf.get(at, length));
  }

  *#sectionsOf(
    room: string,
    encoded: Uint8Array,
  ): IterableIterator<{ readonly kind: number; readonly bytes: Uint8Array }> {
    const updates = UpdateList.decode(new VarReader(encoded), this.#shelf);
    for (const { update, ...origin } of updates.pieces())
      yield { kind: this.kind, bytes: encodeDocumentSection({ room, update, origin }) };
  }

  /** After the log failed: forgets what is after `offset`, which will never be on disk. */
  takeBack(offset: number): void {
    for (const { document } of this.#idle.values()) document.takeBack(offset);
    for (const [id, { lastOffset }] of this.#shelved)
      if (lastOffset > offset && !this.#idle.has(id)) this.close(this.#takeBackOne(id, offset));
    for (const { document } of this.#open.values()) document.takeBack(offset);
  }

  #takeBackOne(id: string, offset: number): StoredDocument {
    const document = this.open(id);
    document.takeBack(offset);
    return document;
  }

  /** Nobody uses it any more. */
  dispose(): void {
    this.#shelf.close();
    this.#merger.close();
  }
}
