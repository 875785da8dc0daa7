/**
 * Runs one task after the other, for clients whose handlers must not interleave. What waits is bounded in octets, as the client who
 * sends it decides how much that is.
 */
export class TaskChain {
  readonly #bytesMax: number;
  readonly #waiting: { readonly bytes: number; readonly run: () => unknown }[] = [];
  #bytes = 0;
  #isRunning = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** False if it is too much. What `run` throws is its own affair. */
  add(bytes: number, run: () => unknown): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    this.#waiting.push({ bytes, run });
    if (!this.#isRunning) void this.#runAll();
    return true;
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await next.run();
      this.#bytes -= next.bytes;
    }
    this.#isRunning = false;
  }
}
