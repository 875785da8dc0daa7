/** 2^53: the largest id on the wire. */
export const ID_MAX = 2 ** 53;

/** Whether `value` is an id: an integer from 1 to 2^53. */
export function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= ID_MAX;
}

/** Ids of session scope: 1, 2, 3 ... and after 2^53 - 1 from the start: 2^53 itself is not a safe integer. */
export class IdSequence {
  #last: number;

  constructor(last = 0) {
    this.#last = last;
  }

  next(): number {
    this.#last = this.#last >= Number.MAX_SAFE_INTEGER ? 1 : this.#last + 1;
    return this.#last;
  }
}
