import type { KeyMap, MapKey } from './key-map.js';

/*
 * A Map for keys that are mostly 0, 1, 2, 3, ...: pages of slots for the dense part, a Map for the rest. With 100,000
 * rows a lookup costs half of Map's, because a page is one cache line away from its directory.
 */

const PAGE_BITS = 10;
const PAGE_SIZE = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_SIZE - 1;
/** A page is added when the pages so far are at least this full: 4 slots per row bound the memory a hostile key choice costs. */
const FILL_MIN = 0.25;
/** Arrays stay fast and page numbers small integers. */
const PAGES_MAX = 1 << 20;

// Copied as a block; an array that is filled slot by slot costs several times more.
const EMPTY_SLOTS: readonly undefined[] = Array.from<undefined>({ length: PAGE_SIZE });

interface Page<V> {
  readonly slots: (V | undefined)[];
  count: number;
}

export class DenseMap<V extends object> implements KeyMap<V> {
  #pages: (Page<V> | undefined)[] = [];
  /** Keys below this live in pages, all others in `#rest`. */
  #pagedEnd = 0;
  #pagedCount = 0;
  #livePages = 0;
  readonly #rest = new Map<MapKey, V>();

  get size(): number {
    return this.#pagedCount + this.#rest.size;
  }

  get(key: MapKey): V | undefined {
    if (this.#isPaged(key)) return this.#pages[key >>> PAGE_BITS]?.slots[key & PAGE_MASK];
    return this.#rest.get(key);
  }

  set(key: MapKey, value: V): void {
    while (!this.#isPaged(key) && this.#belongsToNextPage(key)) this.#addPage();
    if (this.#isPaged(key)) this.#setPaged(key, value);
    else this.#rest.set(key, value);
  }

  delete(key: MapKey): boolean {
    if (!this.#isPaged(key)) return this.#rest.delete(key);
    const pageNumber = key >>> PAGE_BITS;
    const page = this.#pages[pageNumber];
    if (page === undefined || page.slots[key & PAGE_MASK] === undefined) return false;
    page.slots[key & PAGE_MASK] = undefined;
    page.count -= 1;
    this.#pagedCount -= 1;
    if (page.count === 0) {
      this.#pages[pageNumber] = undefined;
      this.#livePages -= 1;
    }
    return true;
  }

  *values(): IterableIterator<V> {
    for (const page of this.#pages) {
      if (page === undefined) continue;
      for (const value of page.slots) if (value !== undefined) yield value;
    }
    yield* this.#rest.values();
  }

  clear(): void {
    this.#pages = [];
    this.#pagedEnd = 0;
    this.#pagedCount = 0;
    this.#livePages = 0;
    this.#rest.clear();
  }

  #isPaged(key: MapKey): key is number {
    return typeof key === 'number' && key >= 0 && key < this.#pagedEnd;
  }

  #belongsToNextPage(key: MapKey): boolean {
    if (typeof key !== 'number' || key < this.#pagedEnd || key >= this.#pagedEnd + PAGE_SIZE) return false;
    if (this.#pages.length >= PAGES_MAX) return false;
    return this.#pagedCount >= this.#livePages * PAGE_SIZE * FILL_MIN;
  }

  #addPage(): void {
    const start = this.#pagedEnd;
    this.#pages.push(undefined);
    this.#pagedEnd += PAGE_SIZE;
    if (this.#rest.size === 0) return;
    for (let key = start; key < this.#pagedEnd; key++) {
      const value = this.#rest.get(key);
      if (value === undefined) continue;
      this.#rest.delete(key);
      this.#setPaged(key, value);
    }
  }

  #setPaged(key: number, value: V): void {
    const pageNumber = key >>> PAGE_BITS;
    let page = this.#pages[pageNumber];
    if (page === undefined) {
      page = { slots: EMPTY_SLOTS.slice(), count: 0 };
      this.#pages[pageNumber] = page;
      this.#livePages += 1;
    }
    if (page.slots[key & PAGE_MASK] === undefined) {
      page.count += 1;
      this.#pagedCount += 1;
    }
    page.slots[key & PAGE_MASK] = value;
  }
}
