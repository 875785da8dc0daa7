import { ID_MAX } from '../messages/ids.js';

/** Request ids of a session: 1, 2, ... 2^53, then 1 again. */
export class IdGenerator {
  #last: number;

  constructor(last = 0) {
    this.#last = last;
  }

  /** What `next` will return. */
  peek(): number {
    return (this.#last % ID_MAX) + 1;
  }

  next(): number {
    this.#last = this.peek();
    return this.#last;
  }
}
