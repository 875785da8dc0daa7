import type { DeferredAction, Durability, TransactionScope } from '../../module/effects.js';
import type { Session } from '../../protocols/engineio/server/session.js';

interface Step {
  run: () => void;
  readonly bytes: number;
  /** Nothing but what is before it has to be waited for. */
  isDue: boolean;
}

/** What the actions of many sockets share. */
export interface SocketActionsOptions {
  readonly scope: TransactionScope;
  /** What may wait for one socket at most. */
  readonly queueBytesMax: number;
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
  readonly #session: Pick<Session, 'terminate'>;
  readonly #durability: Durability;
  #waiting: Step[] | undefined;

  /** @param durability of the database whose rows handlers see. */
  constructor(options: SocketActionsOptions, session: Pick<Session, 'terminate'>, durability: Durability) {
    this.#options = options;
    this.#session = session;
    this.#durability = durability;
  }

  /** Whether nothing has to be waited for: who has seen that may act without asking. */
  get isFree(): boolean {
    return this.#waiting === undefined && !this.#options.scope.isOpen && this.#durability.isDurable;
  }

  /** Runs it now, if nothing has to be waited for. */
  add(bytes: number, run: () => void): void {
    const { scope } = this.#options;
    if (scope.isOpen) scope.defer(this.#action({ run, bytes, isDue: false }, nothing));
    else if (this.isFree) run();
    else
      this.#durability.deferUntilDurable(this.#action({ run, bytes, isDue: false }, () => this.#endLost()));
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
    if (this.bytes > this.#options.queueBytesMax)
      this.#session.terminate('transport error', 'more waits for the client than may');
  }

  /** What was asked for outside of transactions, and may tell of them, will never be true. */
  #endLost(): void {
    this.#session.terminate('forced close', "the database's log has failed");
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
