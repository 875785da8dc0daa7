import { seededRandom } from '../../src/base/random.js';

/** Pairs of different accounts, drawn with a Zipf distribution of exponent `zipf`; 0 is uniform. */
export function drawPairs(accounts: number, zipf: number, count: number, seed: number): Uint32Array {
  const random = seededRandom(seed);
  const draw =
    zipf === 0
      ? () => Math.floor(random.nextFloat() * accounts)
      : zipfDraw(accounts, zipf, () => random.nextFloat());
  const pairs = new Uint32Array(2 * count);
  for (let i = 0; i < pairs.length; i += 2) {
    const from = draw();
    let to = draw();
    while (to === from) to = draw();
    pairs[i] = from;
    pairs[i + 1] = to;
  }
  return pairs;
}

/** Account 0 is the most popular one. */
function zipfDraw(accounts: number, exponent: number, nextFloat: () => number): () => number {
  const cumulative = new Float64Array(accounts);
  let sum = 0;
  for (let i = 0; i < accounts; i++) cumulative[i] = sum += (i + 1) ** -exponent;
  return () => {
    const target = nextFloat() * sum;
    let low = 0;
    let high = accounts - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! < target) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
