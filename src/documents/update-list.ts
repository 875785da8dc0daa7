import type { UpdateOrigin } from './document-section.js';
import { mergeAll } from './merge-updates.js';

/** An update, or several that were merged; then the origin is that of the newest. */
export interface KeptUpdate extends UpdateOrigin {
  readonly update: Uint8Array;
  /** 0 as it came, 1 for a hundred and twenty-eight merged, and so on. */
  readonly level: number;
}

// 128: merging that many small updates takes half a millisecond; sixteen of those again, so that a document of a
// million updates is a few dozen pieces.
const WIDTHS = [128, 16] as const;

/**
 * The updates of one document in the order of the log. What is on disk is merged in pieces as it grows old, small ones first, so no single
 * merge takes long and every piece remains a version that can be shown.
 */
export class UpdateList {
  readonly #kept: KeptUpdate[] = [];
  readonly #countByLevel: number[] = [0];
  #bytes = 0;
  /** All of it as one update, made when somebody asks. */
  #whole: Uint8Array | undefined;
  /** Offset of the newest update that is in `#whole`. */
  #wholeOffset = -1;

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#kept.length;
  }

  get lastOffset(): number {
    return this.#kept.at(-1)?.offset ?? 0;
  }

  get wholeBytes(): number {
    return this.#whole?.length ?? 0;
  }

  [Symbol.iterator](): IterableIterator<KeptUpdate> {
    return this.#kept[Symbol.iterator]();
  }

  add(update: Uint8Array, origin: UpdateOrigin, level = 0): void {
    const { offset, timestampMicros, author } = origin;
    this.#kept.push({ update, offset, timestampMicros, author, level });
    this.#countByLevel[level] = (this.#countByLevel[level] ?? 0) + 1;
    this.#bytes += update.length;
  }

  /** All of it as one update. */
  whole(): Uint8Array {
    if (this.#whole !== undefined && this.#wholeOffset === this.lastOffset) return this.#whole;
    const newer = this.#kept.filter(({ offset }) => offset > this.#wholeOffset).map(({ update }) => update);
    const parts = this.#whole === undefined ? newer : [this.#whole, mergeAll(newer)];
    this.#whole = mergeAll(parts);
    this.#wholeOffset = this.lastOffset;
    return this.#whole;
  }

  forgetWhole(): void {
    this.#whole = undefined;
    this.#wholeOffset = -1;
  }

  /** Everything up to the newest version that is not after `offset`. */
  upTo(offset: number): Uint8Array {
    return mergeAll(this.#kept.filter((kept) => kept.offset <= offset).map(({ update }) => update));
  }

  /** What came after `offset`, or a little more. */
  after(offset: number): Uint8Array {
    return mergeAll(this.#kept.filter((kept) => kept.offset > offset).map(({ update }) => update));
  }

  /** Merges old pieces; nothing that is after `durableOffset`, as that may still be taken back. */
  compact(durableOffset: number): void {
    for (let level = 0; level < this.#countByLevel.length; level++) {
      const width = WIDTHS[level] ?? WIDTHS[1];
      while ((this.#countByLevel[level] ?? 0) >= width * 2)
        if (!this.#mergeOldest(level, width, durableOffset)) return;
    }
  }

  #mergeOldest(level: number, width: number, durableOffset: number): boolean {
    // Higher levels are older and come first.
    const start = this.#kept.findIndex((kept) => kept.level === level);
    const group = this.#kept.slice(start, start + width);
    const newest = group.at(-1)!;
    if (newest.offset > durableOffset) return false;
    const update = mergeAll(group.map((kept) => kept.update));
    this.#kept.splice(start, width, { ...newest, update, level: level + 1 });
    for (const { update: old } of group) this.#bytes -= old.length;
    this.#bytes += update.length;
    this.#countByLevel[level]! -= width;
    this.#countByLevel[level + 1] = (this.#countByLevel[level + 1] ?? 0) + 1;
    return true;
  }

  /** Forgets what is after `offset`: it will never be on disk. Whether there was any. */
  takeBack(offset: number): boolean {
    const before = this.#kept.length;
    while (this.lastOffset > offset) {
      const { update, level } = this.#kept.pop()!;
      this.#bytes -= update.length;
      this.#countByLevel[level]! -= 1;
    }
    if (this.#kept.length === before) return false;
    this.forgetWhole();
    return true;
  }
}
