import { bytesToKey } from '../../values/integer-bytes.js';
import type { Row, RowChange } from '../contract.js';
import type { NetChanges } from './journal.js';

const NO_BYTES = new Uint8Array(0);

/** A changed row and where its bytes stand. `bytes` is valid after `cut`. */
export class EncodedChange implements RowChange {
  readonly row: Row;
  bytes: Uint8Array = NO_BYTES;
  readonly #start: number;
  readonly #end: number;

  constructor(row: Row, start: number, end: number) {
    this.row = row;
    this.#start = start;
    this.#end = end;
  }

  /** A view, not a copy: small typed arrays of their own cost several times more (measured 0.03 against 0.9 us). */
  cut(buffer: ArrayBuffer): void {
    this.bytes = new Uint8Array(buffer, this.#start, this.#end - this.#start);
  }

  isEqual(other: EncodedChange, bytes: Uint8Array): boolean {
    const size = this.#end - this.#start;
    if (size !== other.#end - other.#start) return false;
    for (let i = 0; i < size; i++) {
      if (bytes[this.#start + i] !== bytes[other.#start + i]) return false;
    }
    return true;
  }

  keyIn(bytes: Uint8Array): string {
    return bytesToKey(bytes, this.#start, this.#end);
  }
}

/** Takes out rows that were deleted from one cell and came back in another. Rows are distinct on either side. */
export function cancelEqual(bytes: Uint8Array, { deletes, inserts }: NetChanges): NetChanges {
  if (deletes.length === 0 || inserts.length === 0) return { deletes, inserts };
  const deletedKeys = new Set(deletes.map((change) => change.keyIn(bytes)));
  const cameBack = new Set<string>();
  const keptInserts = inserts.filter((change) => {
    const key = change.keyIn(bytes);
    const isBack = deletedKeys.has(key);
    if (isBack) cameBack.add(key);
    return !isBack;
  });
  return {
    inserts: keptInserts,
    deletes: cameBack.size === 0 ? deletes : deletes.filter((change) => !cameBack.has(change.keyIn(bytes))),
  };
}
