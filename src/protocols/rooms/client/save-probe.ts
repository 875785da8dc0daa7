import { VarReader } from '../../../base/var-reader.js';
import { VarWriter } from '../../../base/var-writer.js';
import { Deferred } from './deferred.js';

/*
 * The question whether all that was sent is on disk: y-sweet's message 66, whose body comes back when it is. The body is a varuint
 * that grows with every question.
 */

/** Who waits until what he has edited is on disk. An answer is one for all questions before it. */
export class SaveProbe {
  readonly #waiting = new Map<number, Deferred>();
  #askedCount = 0;

  /** Settles with the answer, or the end. */
  wait(): Promise<void> {
    const saved = new Deferred();
    this.#askedCount += 1;
    this.#waiting.set(this.#askedCount, saved);
    return saved.promise;
  }

  /** What to ask with after whatever was sent; undefined if nobody wants to know. */
  get question(): Uint8Array | undefined {
    return this.#waiting.size === 0 ? undefined : new VarWriter().writeVarUint(this.#askedCount).finish();
  }

  /** Throws WireError. */
  onAnswer(body: Uint8Array): void {
    const count = new VarReader(body).readVarUint();
    for (const [number, saved] of this.#waiting) {
      if (number > count) break;
      this.#waiting.delete(number);
      saved.resolve();
    }
  }

  end(error: unknown): void {
    for (const saved of this.#waiting.values()) saved.reject(error);
    this.#waiting.clear();
  }
}
