import type { ConnectionId, Identity } from '../values/identity.js';
import {
  decodeDocumentSection,
  DOCUMENT_UPDATE_SECTION,
  encodeDocumentSection,
  type UpdateOrigin,
} from './document-section.js';
import { type ScanLimits, scanLimitsDefault } from './scan-update.js';
import { StoredDocument } from './stored-document.js';

/** Who an update is from. */
export interface UpdateAuthor {
  readonly identity: Identity | undefined;
  readonly connectionId: ConnectionId | undefined;
}

/** The log as documents need it. */
export interface DocumentLog {
  /** Logs a section of kind `DOCUMENT_UPDATE_SECTION` as one transaction. Throws when the log has failed. */
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
  | { readonly kind: 'accepted'; readonly offset: number; readonly update: Uint8Array }
  /** Nothing in it is new. */
  | { readonly kind: 'known' };

// 64 MiB for what could be made again: a few dozen large documents.
const CACHE_BYTES_MAX = 64 * 1024 * 1024;

/** All documents of one database. What it holds is what the log holds. */
export class DocumentStore {
  readonly kind = DOCUMENT_UPDATE_SECTION;
  /** Least recently used first. */
  readonly #documents = new Map<string, StoredDocument>();
  readonly #inUse = new Map<string, number>();
  readonly #cacheBytesMax: number;
  #log: DocumentLog | undefined;

  constructor(cacheBytesMax: number = CACHE_BYTES_MAX) {
    this.#cacheBytesMax = cacheBytesMax;
  }

  /** Where updates go from now on. Before that it can only be read. */
  attachLog(log: DocumentLog): void {
    this.#log = log;
  }

  get ids(): readonly string[] {
    return [...this.#documents.keys()];
  }

  find(id: string): StoredDocument | undefined {
    return this.#documents.get(id);
  }

  /** The document, made when it is not there; it stays out of the way of `trim` until it is closed as often as opened. */
  open(id: string): StoredDocument {
    const document = this.#documents.get(id) ?? new StoredDocument(id);
    this.#documents.delete(id);
    this.#documents.set(id, document);
    this.#inUse.set(id, (this.#inUse.get(id) ?? 0) + 1);
    return document;
  }

  close(document: StoredDocument): void {
    const count = (this.#inUse.get(document.id) ?? 1) - 1;
    if (count > 0) return void this.#inUse.set(document.id, count);
    this.#inUse.delete(document.id);
    // Nobody has ever written in it: asking for a name must not cost memory for ever.
    if (document.isEmpty) this.#documents.delete(document.id);
    this.#trim();
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
    const summary = document.inspect(update, limits, limits.documentBytesMax);
    if (summary === undefined) return { kind: 'known' };
    if (this.#log === undefined) throw new Error('the documents have no log yet');
    const section = new Uint8Array(document.sectionHead.length + update.length);
    section.set(document.sectionHead);
    section.set(update, document.sectionHead.length);
    const { offset, timestampMicros } = this.#log.append(section, author);
    const own = section.subarray(section.length - update.length);
    document.append(own, summary, { offset, timestampMicros, author: author.identity });
    document.compact(this.#log.durableOffset);
    return { kind: 'accepted', offset, update: own };
  }

  /** Takes a section that the log or a snapshot gives back; `origin` is that of its record. */
  replay(bytes: Uint8Array, record: UpdateOrigin): void {
    const { room, update, origin } = decodeDocumentSection(bytes);
    let document = this.#documents.get(room);
    if (document === undefined) this.#documents.set(room, (document = new StoredDocument(room)));
    // The bytes are a view of the file's.
    document.replay(update.slice(), origin ?? record, 0);
    document.compact(Infinity);
  }

  /** What a snapshot has to keep. */
  sections(): { readonly kind: number; readonly bytes: Uint8Array }[] {
    const sections: { kind: number; bytes: Uint8Array }[] = [];
    for (const [room, document] of this.#documents) {
      for (const { update, offset, timestampMicros, author } of document.pieces()) {
        const origin = { offset, timestampMicros, author };
        sections.push({ kind: this.kind, bytes: encodeDocumentSection({ room, update, origin }) });
      }
    }
    return sections;
  }

  /** After the log failed: forgets what is after `offset`, which will never be on disk. */
  takeBack(offset: number): void {
    for (const document of this.#documents.values()) document.takeBack(offset);
  }

  /** Cools the documents that nobody has used for the longest time, until what could be made again fits. */
  #trim(): void {
    let bytes = 0;
    for (const document of this.#documents.values()) bytes += document.cachedBytes;
    for (const document of this.#documents.values()) {
      if (bytes <= this.#cacheBytesMax) return;
      if (this.#inUse.has(document.id)) continue;
      bytes -= document.cachedBytes;
      document.cool();
    }
  }
}
