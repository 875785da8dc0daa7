import { describe, expect, it } from 'vitest';

import type { CommitLog } from '../engine/log/commit-log.js';
import { PendingEffects } from './pending-effects.js';

/** A log whose disk is moved on by hand. */
function start() {
  const state = { durableOffset: 0, grown: () => {}, failed: () => {} };
  const log = {
    get durableOffset() {
      return state.durableOffset;
    },
    onDurable: (listener: () => void) => ((state.grown = listener), () => {}),
    onFailed: (listener: () => void) => ((state.failed = listener), () => {}),
  };
  const effects = new PendingEffects(log as unknown as CommitLog);
  const seen: string[] = [];
  effects.deliver = ({ topic }) => void seen.push(topic);
  const publish = (offset: number, ...topics: string[]) =>
    effects.add(
      offset,
      topics.map((topic) => ({ kind: 'publication', topic, args: [], kwargs: undefined }) as const),
    );
  const reach = (offset: number): void => {
    state.durableOffset = offset;
    state.grown();
  };
  return { publish, reach, seen, fail: () => state.failed() };
}

describe('effects of transactions', () => {
  it('leave when their commits are on disk, in the order of the commits', () => {
    const { publish, reach, seen } = start();
    publish(1, 'a', 'b');
    publish(2, 'c');
    publish(4, 'd');
    expect(seen).toEqual([]);
    reach(1);
    expect(seen).toEqual(['a', 'b']);
    reach(3);
    expect(seen).toEqual(['a', 'b', 'c']);
    reach(9);
    publish(9, 'e');
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('of commits that never reach the disk never leave', () => {
    const { publish, reach, seen, fail } = start();
    publish(1, 'a');
    fail();
    reach(1);
    expect(seen).toEqual([]);
  });
});
