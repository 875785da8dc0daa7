import { randomFillSync } from 'node:crypto';

// 15 octets are 20 characters without padding; 120 bits cannot be guessed.
const ID_BYTES = 15;
// One call to the system for so many ids.
const POOL_IDS = 128;

const pool = Buffer.allocUnsafeSlow(ID_BYTES * POOL_IDS);
let used = pool.length;

/** 20 characters of the URL-safe base64 alphabet. */
export function randomSessionId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString('base64url', used, used + ID_BYTES);
  used += ID_BYTES;
  return id;
}
