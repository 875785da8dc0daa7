/** Background tasks that end together. */
export class TaskScope {
  readonly #abort = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void = () => {}) {
    this.#onError = onError;
  }

  /** Aborted when the scope ends. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Runs a task until it ends by itself or the scope does. */
  start(task: (signal: AbortSignal) => Promise<void>): void {
    const running: Promise<void> = task(this.signal)
      .catch((error: unknown) => {
        if (!this.signal.aborted) this.#onError(error);
      })
      .finally(() => void this.#tasks.delete(running));
    this.#tasks.add(running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#tasks);
  }
}

/** Resolves when the signal is aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
