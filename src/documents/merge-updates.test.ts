import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { mergeAll } from './merge-updates.js';

/** What three people do to a document, as small updates; they see each other's work now and then. */
function collaborate(steps: readonly (readonly [who: number, what: number, at: number])[]): Uint8Array[] {
  const updates: Uint8Array[] = [];
  const docs = [1, 2, 3].map((clientId) => {
    const doc = new Y.Doc();
    doc.clientID = clientId;
    doc.on('update', (update: Uint8Array, origin: unknown) => void (origin === 'x' || updates.push(update)));
    return doc;
  });
  for (const [who, what, at] of steps) {
    const doc = docs[who]!;
    const text = doc.getText('t');
    const place = text.length === 0 ? 0 : at % text.length;
    if (what === 0) Y.applyUpdate(doc, Y.encodeStateAsUpdate(docs[(who + 1) % 3]!), 'x');
    else if (what === 1) doc.getMap('m').set(`k${at % 3}`, at);
    else if (what === 2) text.delete(place, Math.min(3, text.length - place));
    else if (what === 3) text.format(place, Math.min(2, text.length - place), { bold: true });
    else if (what === 4) text.insert(place, '👋ü');
    else for (let i = 0; i < what; i++) text.insert(place + i, 'x');
  }
  return updates;
}

const steps = fc.array(fc.tuple(fc.nat(2), fc.nat(7), fc.nat(50)), { minLength: 1, maxLength: 40 });

/** What a Y.Doc makes of the updates: for people, and as bytes however it cut its structs. */
function stateOf(updates: readonly Uint8Array[]): object {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  const bytes = mergeAll([Y.encodeStateAsUpdate(doc), Uint8Array.of(0, 0)]);
  return { text: doc.getText('t').toDelta() as unknown, map: doc.getMap('m').toJSON(), bytes };
}

function typing(count: number, place: (i: number) => number): { doc: Y.Doc; updates: Uint8Array[] } {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => void updates.push(update));
  for (let i = 0; i < count; i++) doc.getText('t').insert(place(i), 'x');
  return { doc, updates };
}

describe('merging', () => {
  it('some of the updates in any order, and then the rest, is the same as all of them', () => {
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.boolean()), fc.nat(), (script, choices, rotation) => {
        const updates = collaborate(script);
        const some = updates.filter(() => choices.next().value);
        const rest = updates.filter((update) => !some.includes(update));
        const turned = some.map((_, i) => some[(i + rotation) % some.length]!);
        expect(stateOf([mergeAll(turned), ...rest])).toEqual(stateOf(updates));
      }),
      { numRuns: 300 },
    );
  });

  it('of what overlaps is the same as well, and merging again changes nothing', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (script, a, b) => {
        const updates = collaborate(script);
        const halves = [updates.slice(0, a % (updates.length + 1)), updates.slice(b % (updates.length + 1))];
        // As a Y.Doc writes it, cut at other places than ours.
        const doc = new Y.Doc();
        for (const update of updates) Y.applyUpdate(doc, update);
        const whole = Y.encodeStateAsUpdate(doc);
        const merged = mergeAll([mergeAll(halves[0]!), whole, mergeAll(halves[1]!)]);
        expect(stateOf([merged])).toEqual(stateOf(updates));
        expect(mergeAll([merged, merged])).toEqual(merged);
      }),
      { numRuns: 300 },
    );
  });

  it('what was typed letter by letter becomes one text', () => {
    const { doc, updates } = typing(1000, (i) => i);
    expect(mergeAll(updates)).toEqual(Y.encodeStateAsUpdate(doc));
  });

  it('16,000 updates take less than 0.2 s of CPU', () => {
    const { doc, updates } = typing(16_000, (i) => (i * 7919) % (i + 1));
    const started = process.cpuUsage();
    const merged = mergeAll(updates);
    const { user, system } = process.cpuUsage(started);
    expect(stateOf([merged])).toEqual(stateOf([Y.encodeStateAsUpdate(doc)]));
    // yjs in one go takes 2.8 s, in a tree 0.05 to 0.2 s; measured here: 0.09 s in a process that has just started, 0.03 s later.
    expect((user + system) / 1e6).toBeLessThan(0.2);
  });
});
