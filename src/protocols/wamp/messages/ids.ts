/** 2^53: the largest id on the wire. */
export const ID_MAX = 2 ** 53;
// 2^53 itself is not a safe integer, so ours end one below.
const SEQUENCE_MAX = Number.MAX_SAFE_INTEGER;

/** Whether `value` is an id: an integer from 1 to 2^53. */
export function isId(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && value <= ID_MAX && Number.isInteger(value);
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
