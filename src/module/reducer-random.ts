/** What `ctx.random` fills. */
export type IntegerArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * Random numbers of one transaction; its timestamp and place in the log are the seed, so a replay repeats them.
 *
 * @example
 * const dice = ctx.random.integerInRange(1, 6);
 */
export interface ReducerRandom {
  /** A float in [0, 1) with 53 random bits. */
  (): number;
  /** Fills an array with random integers and returns it. */
  fill<A extends IntegerArray>(array: A): A;
  /** An integer in [0, 2^32). */
  uint32(): number;
  /** An integer in [min, max], both included. */
  integerInRange(min: number, max: number): number;
  /** A bigint in [min, max], both included. */
  bigintInRange(min: bigint, max: bigint): bigint;
}

/** xoshiro128** over a state that splitmix32 makes from the two halves of each seed. */
export function makeReducerRandom(timestampMicros: number, offset: number): ReducerRandom {
  const uint32 = makeUint32([
    timestampMicros >>> 0,
    Math.floor(timestampMicros / 0x1_0000_0000) >>> 0,
    offset >>> 0,
    Math.floor(offset / 0x1_0000_0000) >>> 0,
  ]);
  const bits53 = (): number => (uint32() >>> 5) * 0x400_0000 + (uint32() >>> 6);
  const bigintInRange = (min: bigint, max: bigint): bigint => randomBigint(uint32, min, max);
  return Object.assign((): number => bits53() / 0x20_0000_0000_0000, {
    fill: <A extends IntegerArray>(array: A): A => fillArray(uint32, array),
    uint32,
    integerInRange: (min: number, max: number): number => randomInteger(bigintInRange, min, max),
    bigintInRange,
  });
}

function makeUint32(seed: readonly number[]): () => number {
  let mixed = 0;
  const [a, b, c, d] = seed.map((part) => (mixed = scramble((mixed + part + 0x9e37_79b9) >>> 0)));
  // The seed is never all zero after scrambling four different sums; the constant makes it certain.
  const state = new Uint32Array([a!, b!, c!, d! | 1]);
  return () => {
    const s1 = state[1]!;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    state[2]! ^= state[0]!;
    state[3]! ^= s1;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= s1 << 9;
    state[3] = rotateLeft(state[3]!, 11);
    return result;
  };
}

function scramble(value: number): number {
  const z = Math.imul(value ^ (value >>> 16), 0x21f0_aaad);
  const y = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
  return (y ^ (y >>> 15)) >>> 0;
}

function rotateLeft(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count));
}

function fillArray<A extends IntegerArray>(uint32: () => number, array: A): A {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let at = 0; at < bytes.length; at += 4) {
    const word = uint32();
    for (let i = 0; i < 4 && at + i < bytes.length; i++) bytes[at + i] = word >>> (8 * i);
  }
  return array;
}

function randomInteger(
  bigintInRange: (min: bigint, max: bigint) => bigint,
  min: number,
  max: number,
): number {
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) {
    throw new RangeError(`integerInRange needs two whole numbers, got ${min} and ${max}`);
  }
  return Number(bigintInRange(BigInt(min), BigInt(max)));
}

/** Draws again what falls past the range, so that every value is equally likely. */
function randomBigint(uint32: () => number, min: bigint, max: bigint): bigint {
  if (min > max) throw new RangeError(`the range is empty: ${min} is more than ${max}`);
  const span = max - min;
  const bitCount = span.toString(2).length;
  for (;;) {
    let value = 0n;
    for (let bits = 0; bits < bitCount; bits += 32) value = (value << 32n) | BigInt(uint32());
    value = BigInt.asUintN(bitCount, value);
    if (value <= span) return min + value;
  }
}
