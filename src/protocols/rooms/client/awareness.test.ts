import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { ManualClock } from '../../../base/clock.js';
import { encodeAwareness } from '../messages/awareness.js';
import { Awareness, type AwarenessChange } from './awareness.js';

function make(clientID: number): { clock: ManualClock; awareness: Awareness; trace: string[] } {
  const doc = new Y.Doc();
  doc.clientID = clientID;
  const clock = new ManualClock();
  const awareness = new Awareness(doc, clock);
  const trace: string[] = [];
  const line = (event: string, { added, updated, removed }: AwarenessChange, origin: unknown): void =>
    void trace.push(`${event} +${added.join()} ~${updated.join()} -${removed.join()} by ${String(origin)}`);
  awareness.on('change', (change, origin) => line('change', change, origin));
  awareness.on('update', (change, origin) => line('update', change, origin));
  return { clock, awareness, trace };
}

const said = (clientId: number, clock: number, state: unknown): Uint8Array =>
  encodeAwareness([{ clientId, clock, json: JSON.stringify(state) }]);

describe('awareness', () => {
  it('shows nothing before it is told to, then says what changed and what was only said again', () => {
    const { awareness, trace } = make(1);
    expect([awareness.getLocalState(), awareness.encode()]).toEqual([null, Uint8Array.of(0)]);
    awareness.setLocalStateField('user', 'ada');
    awareness.setLocalState({ user: 'ada' });
    awareness.setLocalState({ user: 'bob' });
    awareness.setLocalState(null);
    awareness.setLocalStateField('user', 'not any more');
    expect(trace).toEqual([
      'change +1 ~ - by local',
      'update +1 ~ - by local',
      'update + ~1 - by local',
      'change + ~1 - by local',
      'update + ~1 - by local',
      'change + ~ -1 by local',
      'update + ~ -1 by local',
    ]);
  });

  it('takes what is newer, and of the same clock only that somebody has gone', () => {
    const { awareness, trace } = make(1);
    expect(awareness.apply(said(2, 5, { x: 1 }), 'wire')).toEqual([2]);
    expect(awareness.apply(said(2, 5, { x: 2 }), 'wire')).toEqual([]);
    expect(awareness.apply(said(2, 4, null), 'wire')).toEqual([]);
    expect(awareness.getStates().get(2)).toEqual({ x: 1 });
    awareness.apply(said(2, 5, null), 'wire');
    awareness.apply(said(2, 5, { x: 3 }), 'late');
    expect(awareness.getStates().size).toBe(0);
    expect(trace.at(-1)).toBe('update + ~ -2 by wire');
  });

  it('who was lost with his connection may come back with what he said last', () => {
    const { awareness, trace } = make(1);
    awareness.apply(said(2, 5, { x: 1 }), 'wire');
    awareness.remove([2, 3], 'wire');
    expect(awareness.encode([2, 3])).toEqual(said(2, 5, null));
    awareness.apply(said(2, 5, { x: 1 }), 'wire');
    expect(trace.filter((line) => line.startsWith('change'))).toEqual([
      'change +2 ~ - by wire',
      'change + ~ -2 by wire',
      'change +2 ~ - by wire',
    ]);
  });

  it('nobody else decides what it shows: it says so again, later than that, and does not quarrel', () => {
    const { awareness, trace } = make(1);
    awareness.setLocalState({ user: 'ada' });
    awareness.apply(said(1, 9, null), 'wire');
    expect(awareness.getLocalState()).toEqual({ user: 'ada' });
    expect(awareness.encode([1])).toEqual(said(1, 10, { user: 'ada' }));
    trace.length = 0;
    awareness.apply(said(1, 10, { user: 'ada' }), 'echo');
    awareness.apply(said(1, 12, { user: 'a twin' }), 'wire');
    expect(trace).toEqual([]);
    awareness.setLocalState({ user: 'eve' });
    expect(awareness.encode([1])).toEqual(said(1, 13, { user: 'eve' }));
  });

  it('says every 15 s that it is there, forgets after 30 s who does not, and lets its timer end with them', () => {
    const { awareness, clock, trace } = make(1);
    awareness.apply(said(2, 0, { x: 1 }), 'wire');
    awareness.setLocalState({ user: 'ada' });
    trace.length = 0;
    clock.advance(14_999);
    expect(trace).toEqual([]);
    clock.advance(1);
    expect(trace).toEqual(['update + ~1 - by local']);
    clock.advance(14_999);
    expect(awareness.getStates().has(2)).toBe(true);
    clock.advance(1);
    expect(trace.slice(-3)).toContain('change + ~ -2 by timeout');
    awareness.setLocalState(null);
    clock.advance(33_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('a clock at the end of the numbers does no harm', () => {
    const { awareness } = make(1);
    awareness.setLocalState({});
    awareness.apply(said(1, Number.MAX_SAFE_INTEGER, null), 'wire');
    awareness.apply(said(2, Number.MAX_SAFE_INTEGER, { x: 1 }), 'wire');
    awareness.remove([2], 'wire');
    expect(awareness.getStates().size).toBe(1);
    expect(awareness.encode([2])).toEqual(said(2, Number.MAX_SAFE_INTEGER, null));
  });
});
