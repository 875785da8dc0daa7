import { describe, expect, it } from 'vitest';

import { AwarenessStates } from './awareness-states.js';

const ada = { name: 'ada' };
const bob = { name: 'bob' };

describe('who is present', () => {
  it('is told once, renewed by a higher clock, and gone with its connection', () => {
    const states = new AwarenessStates();
    const entry = { clientId: 1, clock: 1, json: '{}' };
    expect(states.apply([entry], ada, 'a', 0)).toEqual([entry]);
    expect(states.apply([entry], ada, 'a', 0)).toEqual([]);
    expect(states.apply([{ ...entry, clock: 2 }], ada, 'a', 1)).toHaveLength(1);
    expect(states.removeOwner(ada)).toEqual([{ clientId: 1, clock: 3, json: 'null' }]);
    expect(states.isEmpty).toBe(true);
  });

  it("cannot be changed by somebody else's connection, but moves to a new one of the same", () => {
    const states = new AwarenessStates();
    states.apply([{ clientId: 1, clock: 1, json: '"a"' }], ada, 'a', 0);
    expect(states.apply([{ clientId: 1, clock: 9, json: '"evil"' }], bob, 'b', 0)).toEqual([]);
    expect(states.apply([{ clientId: 1, clock: 1, json: 'null' }], bob, 'b', 0)).toEqual([]);
    expect(states.apply([{ clientId: 1, clock: 2, json: '"again"' }], bob, 'a', 0)).toHaveLength(1);
    expect(states.removeOwner(ada)).toEqual([]);
  });

  it('is gone after 30 s of silence, not before', () => {
    const states = new AwarenessStates();
    states.apply([{ clientId: 1, clock: 1, json: '{}' }], ada, 'a', 0);
    expect(states.removeSilent(29_999)).toEqual([]);
    expect(states.removeSilent(30_000)).toHaveLength(1);
  });

  it('a clock at the end of the numbers can still go', () => {
    const states = new AwarenessStates();
    states.apply([{ clientId: 1, clock: Number.MAX_SAFE_INTEGER, json: '{}' }], ada, 'a', 0);
    expect(states.removeOwner(ada)).toEqual([{ clientId: 1, clock: Number.MAX_SAFE_INTEGER, json: 'null' }]);
  });

  it('a connection announces sixteen clients, and no more', () => {
    const states = new AwarenessStates();
    const entries = Array.from({ length: 17 }, (_, clientId) => ({ clientId, clock: 1, json: '{}' }));
    expect(states.apply(entries, ada, 'a', 0)).toHaveLength(16);
  });

  it('a state of 16 KiB passes and a longer one does not', () => {
    const states = new AwarenessStates();
    const json = (bytes: number): string => `"${'x'.repeat(bytes - 2)}"`;
    expect(states.apply([{ clientId: 1, clock: 1, json: json(16_385) }], ada, 'a', 0)).toEqual([]);
    expect(states.apply([{ clientId: 1, clock: 1, json: json(16_384) }], ada, 'a', 0)).toHaveLength(1);
  });
});
