import type { TransactionScope } from '../../module/effects.js';

interface Step {
  run: () => void;
  readonly bytes: number;
  /** Nothing but what is before it has to be waited for. */
  isDue: boolean;
}

export interface SocketActionsOptions {
  readonly scope: TransactionScope;
  /** What may wait at most. */
  readonly bytesMax: number;
  /** More waits than may. */
  readonly onFull: () => void;
  readonly onError: (error: unknown) => void;
}

/**
 * What is done to one socket, in the order in which it was asked for. What a transaction asks for waits until that is on disk and is
 * forgotten if it never will be; what is asked for behind that waits for its turn.
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
    return this.#waiting === undefined && !this.#options.scope.isOpen;
  }

  /** Runs it now, if nothing has to be waited for. */
  add(bytes: number, run: () => void): void {
    const step = { run, bytes, isDue: false };
    const { scope } = this.#options;
    if (scope.isOpen) {
      scope.defer({
        kind: 'action',
        committed: () => this.#hold(step),
        settled: (isDurable) => this.#settle(step, isDurable),
      });
    } else if (this.#waiting === undefined) run();
    else {
      step.isDue = true;
      this.#hold(step);
    }
  }

  #hold(step: Step): void {
    (this.#waiting ??= []).push(step);
    this.bytes += step.bytes;
    if (this.bytes > this.#options.bytesMax) this.#options.onFull();
  }

  #settle(step: Step, isDurable: boolean): void {
    step.isDue = true;
    if (!isDurable) step.run = nothing;
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
