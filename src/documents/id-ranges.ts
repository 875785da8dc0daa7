import type { VarReader } from '../base/var-reader.js';
import type { VarWriter } from '../base/var-writer.js';

/** Sets of clocks by client, as ranges: what a document has, or what was deleted in it. */
export class IdRanges {
  /** from, to, from, to, … ascending and apart from each other. Undefined while there are none. */
  #byClient: Map<number, number[]> | undefined;
  /** Ranges that do not begin where the one before ends, or at 0. */
  #gapCount = 0;

  get clients(): Iterable<number> {
    return this.#byClient?.keys() ?? [];
  }

  /** Whether some client's clocks begin late or have a hole. */
  get hasGaps(): boolean {
    return this.#gapCount > 0;
  }

  /** Of memory, about. */
  get heldBytes(): number {
    let numbers = 0;
    for (const ranges of this.#byClient?.values() ?? []) numbers += 10 + ranges.length;
    return numbers * 8;
  }

  encode(writer: VarWriter): void {
    writer.writeVarUint(this.#byClient?.size ?? 0);
    for (const [client, ranges] of this.#byClient ?? []) {
      writer.writeVarUint(client).writeVarUint(ranges.length);
      let before = 0;
      for (const clock of ranges) {
        writer.writeVarUint(clock - before);
        before = clock;
      }
    }
  }

  static decode(reader: VarReader): IdRanges {
    const all = new IdRanges();
    for (let left = reader.readVarUint(); left > 0; left--) {
      const client = reader.readVarUint();
      const ranges: number[] = [];
      let clock = 0;
      for (let count = reader.readVarUint(); count > 0; count--) ranges.push((clock += reader.readVarUint()));
      (all.#byClient ??= new Map()).set(client, ranges);
      all.#gapCount += gapsIn(ranges);
    }
    return all;
  }

  has(client: number, from: number, to: number): boolean {
    const ranges = this.#byClient?.get(client);
    if (ranges === undefined) return false;
    const at = firstEndingAtOrAfter(ranges, to);
    return at < ranges.length && ranges[at]! <= from;
  }

  /** The first clock that is missing. */
  next(client: number): number {
    const ranges = this.#byClient?.get(client);
    return ranges === undefined || ranges[0] !== 0 ? 0 : ranges[1]!;
  }

  add(client: number, from: number, to: number): void {
    const ranges = this.#byClient?.get(client);
    if (ranges === undefined) {
      (this.#byClient ??= new Map()).set(client, [from, to]);
      if (from !== 0) this.#gapCount += 1;
      return;
    }
    // Nearly always it goes on where it ended.
    if (ranges.at(-1) === from) {
      ranges[ranges.length - 1] = to;
      return;
    }
    this.#gapCount -= gapsIn(ranges);
    insert(ranges, from, to);
    this.#gapCount += gapsIn(ranges);
  }
}

function gapsIn(ranges: readonly number[]): number {
  return ranges.length / 2 - (ranges[0] === 0 ? 1 : 0);
}

/** Index of the first range whose end is `clock` or more. */
function firstEndingAtOrAfter(ranges: readonly number[], clock: number): number {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle * 2 + 1]! < clock) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}

function insert(ranges: number[], from: number, to: number): void {
  const first = firstEndingAtOrAfter(ranges, from);
  let last = first;
  let low = from;
  let high = to;
  while (last < ranges.length && ranges[last]! <= high) {
    low = Math.min(low, ranges[last]!);
    high = Math.max(high, ranges[last + 1]!);
    last += 2;
  }
  ranges.splice(first, last - first, low, high);
}
