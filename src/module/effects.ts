/* What a transaction wants to have happen outside of its database. It happens once the transaction is on disk, or never. */

/** An event that a transaction published. */
export interface Publication {
  readonly kind: 'publication';
  readonly topic: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>> | undefined;
}

/** Anything else. One that was undone with its transaction hears nothing. */
export interface DeferredAction {
  readonly kind: 'action';
  /** The transaction is committed, but perhaps not on disk. */
  committed(): void;
  /** It is on disk now, or never will be. Called once, after `committed`. */
  settled(isDurable: boolean): void;
}

/** For those who tell others what they saw in a database, outside of its transactions. */
export interface Durability {
  /** Whether all that is committed is on disk. */
  readonly isDurable: boolean;
  /** Has it done once all that is committed by now is on disk. */
  deferUntilDurable(action: DeferredAction): void;
}

export type Effect = Publication | DeferredAction;

/**
 * Knows which transaction runs now, for those who must not do before its end what it asks them to do. Transactions are synchronous, so
 * that one is enough for all databases of a server.
 */
export class TransactionScope {
  #context: { effects: Effect[] | undefined } | undefined;

  get isOpen(): boolean {
    return this.#context !== undefined;
  }

  /** Has the open transaction do it once it is on disk. */
  defer(action: DeferredAction): void {
    if (this.#context === undefined) throw new Error('no transaction is open');
    (this.#context.effects ??= []).push(action);
  }

  /** Runs `body` as the transaction whose effects `context` collects. */
  run<Result>(context: { effects: Effect[] | undefined }, body: () => Result): Result {
    const outer = this.#context;
    this.#context = context;
    try {
      return body();
    } finally {
      this.#context = outer;
    }
  }
}
