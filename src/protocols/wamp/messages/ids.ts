import type { Random } from '../../../base/random.js';

/** 2^53: the largest id on the wire. */
export const ID_MAX = 2 ** 53;
// 2^53 itself is not a safe integer, so ours end one below.
const SEQUENCE_MAX = Number.MAX_SAFE_INTEGER;

/** Whether `value` is an id: an integer from 1 to 2^53. */
export function isId(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && value <= ID_MAX && Number.isInteger(value);
}

/** An id of global scope, uniform over the whole range: sessions and publications. */
export function randomId(random: Random): number {
  const bytes = random.fill(new Uint8Array(8));
  const view = new DataView(bytes.buffer);
  const id = (view.getUint32(0) & 0x1f_ffff) * 2 ** 32 + view.getUint32(4);
  return id === 0 ? 1 : id;
}

/** Ids of session scope: 1, 2, 3 ... and after 2^53 - 1 from the start. */
export class IdSequence {
  #last: number;

  constructor(last = 0) {
    this.#last = last;
  }

  next(): number {
    this.#last = this.#last >= SEQUENCE_MAX ? 1 : this.#last + 1;
    return this.#last;
  }
}
