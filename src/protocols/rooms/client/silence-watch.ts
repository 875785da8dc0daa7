import type { Clock, Timer } from '../../../base/clock.js';

/** Notices a connection over which nothing comes any more: it is asked, and given up when it does not answer. */
export class SilenceWatch {
  readonly #clock: Clock;
  readonly #silenceMs: number;
  readonly #ask: () => void;
  readonly #giveUp: () => void;
  #timer: Timer | undefined;
  #heardMs = 0;
  #wasAsked = false;

  constructor(clock: Clock, silenceMs: number, ask: () => void, giveUp: () => void) {
    this.#clock = clock;
    this.#silenceMs = silenceMs;
    this.#ask = ask;
    this.#giveUp = giveUp;
  }

  /** A connection is there. */
  start(): void {
    this.hear();
    this.#timer = this.#clock.startTimer(this.#silenceMs, () => this.#check());
  }

  hear(): void {
    this.#heardMs = this.#clock.monotonicMs();
    this.#wasAsked = false;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #check(): void {
    const leftMs = this.#silenceMs - (this.#clock.monotonicMs() - this.#heardMs);
    if (leftMs <= 0 && this.#wasAsked) return this.#giveUp();
    if (leftMs <= 0) {
      this.#wasAsked = true;
      this.#heardMs = this.#clock.monotonicMs();
      this.#ask();
    }
    this.#timer = this.#clock.startTimer(leftMs <= 0 ? this.#silenceMs : leftMs, () => this.#check());
  }
}
