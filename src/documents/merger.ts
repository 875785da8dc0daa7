import { mergeAll } from './merge-updates.js';
import { diffFor } from './stored-document.js';

/** Who does the merges that are too long for the thread that answers everybody. */
export interface Merger {
  merge(updates: readonly Uint8Array[]): Promise<Uint8Array>;
  /** What somebody with that state vector lacks. Rejects with UpdateError when it is none. */
  diff(whole: Uint8Array, stateVector: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

// 256 KiB: two milliseconds.
export const MERGE_BYTES_INLINE_MAX = 256 * 1024;

/** Where there is no other thread. */
export const mergeHere: Merger = {
  merge: async (updates) => mergeAll(updates),
  diff: async (whole, stateVector) => diffFor(whole, stateVector),
  close: () => {},
};
