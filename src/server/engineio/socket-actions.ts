import type { DeferredAction, Durability, TransactionScope } from '../../module/effects.js';

interface Step {
  run: () => void;
  readonly bytes: number;
  /** Nothing but what is before it has to be waited for. */
  isDue: boolean;
}

export interface SocketActionsOptions {
  readonly scope: TransactionScope;
  /** Of the database whose rows handlers see. */
  readonly durability: Durability;
  /** What may wait at most. */
  readonly bytesMax: number;
  /** More waits than may. */
  readonly onFull: () => void;
  /** What was asked for outside of transactions, and may tell of them, will never be true: the disk is lost. */
  readonly onLost: () => void;
  readonly onError: (error: unknown) => void;
}

/**
 * What is done to one socket, in the order in which it was asked for. What a transaction asks for waits until that is on disk and is
 * forgotten if it never will be. What is asked for elsewhere may tell of anything that is committed, and waits for that.
 */
export class SocketActions {
  /** Octets of messages that wait. */
  bytes = 0;
  readonly #options: SocketActionsOptions;
  #waiting: Step[] | undefined;

  constructor(options: SocketActionsOptions) {
    this.#options = options;
  }

  /** Whether nothing has to be waited for: who has seen that may act without asking. */
  get isFree(): boolean {
    const { scope, durability } = this.#options;
    return this.#waiting === undefined && !scope.isOpen && durability.isDurable;
  }

  /** Runs it now, if nothing has to be waited for. */
  add(bytes: number, run: () => void): void {
    const { scope, durability, onLost } = this.#options;
    if (scope.isOpen) scope.defer(this.#action({ run, bytes, isDue: false }, nothing));
    else if (this.isFree) run();
    else durability.deferUntilDurable(this.#action({ run, bytes, isDue: false }, onLost));
  }

  #action(step: Step, ifLost: () => void): DeferredAction {
    return {
      kind: 'action',
      committed: () => this.#hold(step),
      settled: (isDurable) => {
        if (!isDurable) step.run = ifLost;
        this.#settle(step);
      },
    };
  }

  #hold(step: Step): void {
    (this.#waiting ??= []).push(step);
    this.bytes += step.bytes;
    if (this.bytes > this.#options.bytesMax) this.#options.onFull();
  }

  #settle(step: Step): void {
    step.isDue = true;
    while (this.#waiting?.[0]?.isDue === true) this.#runFirst(this.#waiting);
    if (this.#waiting?.length === 0) this.#waiting = undefined;
  }

  #runFirst(waiting: Step[]): void {
    const { run, bytes } = waiting.shift()!;
    this.bytes -= bytes;
    try {
      run();
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

function nothing(): void {}
