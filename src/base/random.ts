/** A source of random bytes, handed in so that tests can repeat a run. */
export interface Random {
  /** Fills `target` with random bytes and returns it. */
  fill(target: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
}

// Asking the platform takes 2 us, however little is wanted: one question gives 256 ids of 16 octets.
const POOL_BYTES = 4096;
const POOLED_MAX = 64;
let pool: Uint8Array<ArrayBuffer> | undefined;
let taken = POOL_BYTES;

/** Cryptographically strong bytes of the platform. None is given out twice, or kept. */
export const systemRandom: Random = {
  fill(target) {
    const count = target.length;
    if (count > POOLED_MAX) return crypto.getRandomValues(target);
    if (taken + count > POOL_BYTES) {
      pool = crypto.getRandomValues(pool ?? new Uint8Array(POOL_BYTES));
      taken = 0;
    }
    const end = taken + count;
    target.set(pool!.subarray(taken, end));
    pool!.fill(0, taken, end);
    taken = end;
    return target;
  },
};

/** A number from 0 up to, but not, 1. */
export function nextFraction(random: Random): number {
  const bytes = random.fill(new Uint8Array(4));
  return new DataView(bytes.buffer).getUint32(0) / 0x1_0000_0000;
}

/** The same bytes for the same seed (splitmix32). For tests and simulation only, never for secrets. */
export function seededRandom(seed: number): Random & { nextUint32(): number; nextFloat(): number } {
  let state = seed >>> 0;
  const nextUint32 = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  return {
    nextUint32,
    nextFloat: () => nextUint32() / 0x1_0000_0000,
    fill(target) {
      for (let i = 0; i < target.length; i++) target[i] = nextUint32() & 0xff;
      return target;
    },
  };
}
