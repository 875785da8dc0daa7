/** Numbers that are looked at before others get their turn: some milliseconds. */
const SLICE = 20_000;

export interface PrimesSoFar {
  readonly done: number;
  readonly primes: number;
}

/** Counts the primes below `limit`; after each slice says how far it is. Between slices everything else in the process runs. */
export async function* countPrimes(limit: number): AsyncGenerator<PrimesSoFar, number> {
  let primes = 0;
  for (let from = 0; from < limit; from += SLICE) {
    const to = Math.min(limit, from + SLICE);
    for (let n = from; n < to; n++) if (isPrime(n)) primes += 1;
    yield { done: to, primes };
    await new Promise((resolve) => setImmediate(resolve));
  }
  return primes;
}

function isPrime(n: number): boolean {
  if (n < 2) return false;
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}
