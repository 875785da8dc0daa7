interface Bucket {
  tokens: number;
  atMs: number;
}

// Bursts of ten seconds' worth pass: a paste, a format of the whole document, a benchmark.
const BURST_SECONDS = 10;

/** How many updates each identity may still send. */
export class UpdateBudget {
  readonly #buckets = new Map<string, Bucket>();

  /** Takes one; false when there is none left. */
  take(key: string, perSecond: number, nowMs: number): boolean {
    const full = perSecond * BURST_SECONDS;
    const bucket = this.#buckets.get(key) ?? { tokens: full, atMs: nowMs };
    if (nowMs > bucket.atMs) {
      bucket.tokens = Math.min(full, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
      bucket.atMs = nowMs;
    }
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** Forgets who has been silent long enough to be full again. */
  forgetIdle(nowMs: number): void {
    for (const [key, { atMs }] of this.#buckets)
      if (nowMs - atMs > BURST_SECONDS * 1000) this.#buckets.delete(key);
  }
}
