// Ours: far above any answer's time; a test that reaches it has failed.
const PATIENCE_MS = 5000;

/** What a test's client was told, in order, and how its connection ended. */
export class Inbox<T> {
  closed: string | undefined;
  readonly #messages: T[] = [];
  #wake: (() => void) | undefined;

  push(message: T): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  end(code: number, reason: string): void {
    this.closed = `${code} ${reason}`.trim();
    this.#wake?.();
  }

  /** The next message, waiting for it. */
  async next(): Promise<T> {
    await this.#until(() => this.#messages.length > 0 || this.closed !== undefined);
    const message = this.#messages.shift();
    if (message === undefined) throw new Error(`the connection was closed: ${this.closed ?? ''}`);
    return message;
  }

  /** The close code and reason, waiting for the end. */
  async ended(): Promise<string> {
    await this.#until(() => this.closed !== undefined);
    return this.closed!;
  }

  async #until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!condition()) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, Math.max(1, deadline - Date.now()));
      });
      clearTimeout(timer);
      if (!condition() && Date.now() >= deadline) throw new Error('the server says nothing');
    }
  }
}
