import type { StoredDocument } from './stored-document.js';

/** Which documents hold what could be made again, so that all of them together hold no more than a limit. */
export class CachedDocuments {
  readonly #bytesMax: number;
  /** Least recently used first, with what each was counted for. */
  readonly #bytesOf = new Map<StoredDocument, number>();
  #used = new Set<StoredDocument>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The document's `cachedBytes` have grown, or were used. */
  note(document: StoredDocument): void {
    this.#count(document);
    this.#used.add(document);
    for (const oldest of this.#bytesOf.keys()) {
      // What is being used now may be larger than the limit alone.
      if (this.#bytes <= this.#bytesMax || oldest === document) return;
      this.forget(oldest);
    }
  }

  #count(document: StoredDocument): void {
    this.#bytes -= this.#bytesOf.get(document) ?? 0;
    this.#bytesOf.delete(document);
    const bytes = document.cachedBytes;
    if (bytes === 0) return;
    this.#bytesOf.set(document, bytes);
    this.#bytes += bytes;
  }

  forget(document: StoredDocument): void {
    document.forgetCached();
    this.#count(document);
  }

  /** Contents as bytes that were not used since the last call go; Y.Docs, which cost more to make, only for others. */
  forgetUnused(): void {
    const unused = [...this.#bytesOf.keys()].filter((document) => !this.#used.has(document));
    for (const document of unused) {
      document.forgetWhole();
      this.#count(document);
    }
    this.#used = new Set();
  }
}
