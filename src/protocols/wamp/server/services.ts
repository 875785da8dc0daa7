import type { Clock } from '../../../base/clock.js';
import type { Random } from '../../../base/random.js';
import type { TimerWheel } from '../../../net/timer-wheel.js';
import type { RouterLimits } from './options.js';

/** What all realms of a router share. */
export interface Services {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly limits: RouterLimits;
  readonly onError: (error: unknown, where: string) => void;
}

/** Random ids of global scope from a pool: asking the system for eight octets at a time costs more than an EVENT. */
export class RandomIds {
  readonly #random: Random;
  readonly #pool = new Uint8Array(4096);
  readonly #view = new DataView(this.#pool.buffer);
  #at = 4096;

  constructor(random: Random) {
    this.#random = random;
  }

  /** 1 to 2^53 - 1. */
  next(): number {
    if (this.#at === this.#pool.length) {
      this.#random.fill(this.#pool);
      this.#at = 0;
    }
    const at = this.#at;
    this.#at = at + 8;
    const id = (this.#view.getUint32(at) & 0x1f_ffff) * 2 ** 32 + this.#view.getUint32(at + 4);
    return id === 0 ? this.next() : id;
  }
}
