import { nextFraction } from '../../../../base/random.js';
import type { Random } from '../../../../base/random.js';

/** How a connection that was cut comes back. Times in milliseconds. */
export interface ReconnectOptions {
  /** The longest wait before the first try; it doubles with each try that fails. Default 500. */
  readonly firstDelayMs?: number;
  /** No wait is longer than this. Default 30,000. */
  readonly delayMaxMs?: number;
  /** Tries in a row before the connection ends for good. Default: no limit. */
  readonly attemptsMax?: number;
}

// Half a second: a server that restarts is back by then, and nobody has noticed much.
const FIRST_DELAY_MS = 500;
// Half a minute: polite to a server that is down for long, and bearable for who waits.
const DELAY_MAX_MS = 30_000;

/** The times between tries: they double up to a limit, and vary so that not all clients come at once. */
export class Backoff {
  readonly #random: Random;
  readonly #firstDelayMs: number;
  readonly #delayMaxMs: number;
  readonly #attemptsMax: number;
  #attempts = 0;

  constructor(
    random: Random,
    {
      firstDelayMs = FIRST_DELAY_MS,
      delayMaxMs = DELAY_MAX_MS,
      attemptsMax = Number.POSITIVE_INFINITY,
    }: ReconnectOptions,
  ) {
    this.#random = random;
    this.#firstDelayMs = firstDelayMs;
    this.#delayMaxMs = delayMaxMs;
    this.#attemptsMax = attemptsMax;
  }

  /** Tries since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  /** How long to wait before the next try: between half and all of its time. Undefined when there is to be none. */
  next(): number | undefined {
    if (this.#attempts >= this.#attemptsMax) return undefined;
    const limitMs = Math.min(this.#delayMaxMs, this.#firstDelayMs * 2 ** this.#attempts++);
    return (limitMs * (1 + nextFraction(this.#random))) / 2;
  }

  reset(): void {
    this.#attempts = 0;
  }
}
