/** A flag that tasks can wait for. */
export class EventFlag {
  #isSet = false;
  #waiting: (() => void)[] = [];

  isSet(): boolean {
    return this.#isSet;
  }

  set(): void {
    this.#isSet = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  clear(): void {
    this.#isSet = false;
  }

  async wait(): Promise<true> {
    if (!this.#isSet) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    return true;
  }
}
