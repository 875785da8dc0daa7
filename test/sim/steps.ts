import { seededRandom } from '../../src/base/random.js';

/** One thing that happens in a simulation. Plain data, so that a failing run can be shortened and repeated. */
export type Step =
  | { readonly kind: 'connect'; readonly confirmed: boolean; readonly subscribes: boolean }
  | { readonly kind: 'leave'; readonly client: number }
  | { readonly kind: 'put'; readonly client: number; readonly count: number }
  /** Puts again what was asked for `back` keys ago, by whomever, unless it is there. */
  | { readonly kind: 'putOnce'; readonly client: number; readonly back: number }
  | { readonly kind: 'later'; readonly client: number; readonly ms: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'slowDisk'; readonly ms: number }
  | { readonly kind: 'shortWrites'; readonly bytes: number }
  | {
      readonly kind: 'fault';
      readonly operation: 'write' | 'create' | 'syncFolder';
      readonly message: string;
    }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'jump'; readonly ms: number }
  | { readonly kind: 'kill' }
  | { readonly kind: 'cutPower'; readonly seed: number }
  | { readonly kind: 'restart' };

/** What a seed means: the same steps for the same seed, on every machine. */
export function stepsOf(seed: number, count: number): Step[] {
  const random = seededRandom(seed);
  const upTo = (max: number): number => random.nextUint32() % max;
  const step = (): Step => {
    const dice = upTo(100);
    if (dice < 8) return { kind: 'connect', confirmed: upTo(3) > 0, subscribes: upTo(2) === 0 };
    if (dice < 12) return { kind: 'leave', client: upTo(8) };
    if (dice < 20) return { kind: 'putOnce', client: upTo(8), back: upTo(4) };
    if (dice < 50) return { kind: 'put', client: upTo(8), count: 1 + upTo(5) };
    if (dice < 58) return { kind: 'later', client: upTo(8), ms: upTo(3000) };
    if (dice < 74) return { kind: 'wait', ms: upTo(500) };
    if (dice < 79) return { kind: 'slowDisk', ms: upTo(2) * upTo(2000) };
    if (dice < 81) return { kind: 'shortWrites', bytes: 1 + upTo(400) };
    if (dice < 83) {
      const operation = (['write', 'create', 'syncFolder'] as const)[upTo(3)]!;
      return { kind: 'fault', operation, message: upTo(2) === 0 ? 'ENOSPC' : 'EIO' };
    }
    if (dice < 90) return { kind: 'snapshot' };
    if (dice < 92) return { kind: 'jump', ms: upTo(7_200_000) - 3_600_000 };
    if (dice < 95) return { kind: 'kill' };
    if (dice < 98) return { kind: 'cutPower', seed: upTo(1_000_000) };
    return { kind: 'restart' };
  };
  return [
    { kind: 'connect', confirmed: true, subscribes: true },
    { kind: 'connect', confirmed: true, subscribes: false },
    { kind: 'connect', confirmed: false, subscribes: true },
    ...Array.from({ length: count }, step),
  ];
}
