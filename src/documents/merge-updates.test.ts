import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import * as Y from 'yjs';

import { mergeAll } from './merge-updates.js';

/** What merging does that could become too much: all that is not in proportion to the updates shows in one of these. */
const work = vi.hoisted(() => ({
  structsRead: 0,
  octetsWritten: 0,
  /** How many updates yjs was given, call by call. */
  givenToYjs: [] as number[],
}));

vi.mock('./read-struct.js', async (importOriginal) => {
  const real = await importOriginal<typeof import('./read-struct.js')>();
  const readStruct: typeof real.readStruct = (reader, view) => {
    work.structsRead++;
    real.readStruct(reader, view);
  };
  return { ...real, readStruct };
});

vi.mock('yjs', async (importOriginal) => {
  const real = await importOriginal<typeof import('yjs')>();
  const mergeUpdates: typeof real.mergeUpdates = (updates) => {
    work.givenToYjs.push(updates.length);
    return real.mergeUpdates(updates);
  };
  return { ...real, mergeUpdates };
});

vi.mock('../base/byte-writer.js', async (importOriginal) => {
  const real = await importOriginal<typeof import('../base/byte-writer.js')>();
  class ByteWriter extends real.ByteWriter {
    // Before every octet that is written.
    override reserve(count: number): void {
      work.octetsWritten += count;
      super.reserve(count);
    }
  }
  return { ...real, ByteWriter };
});

beforeEach(() => {
  Object.assign(work, { structsRead: 0, octetsWritten: 0, givenToYjs: [] });
});

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
    if (what === 0) {
      for (const other of docs) if (other !== doc) Y.applyUpdate(doc, Y.encodeStateAsUpdate(other), 'x');
    } else if (what === 7) text.insert(Math.max(0, text.length - 1), 'w');
    else if (what === 1) doc.getMap('m').set(`k${at % 3}`, at);
    else if (what === 2) text.delete(place, Math.min(3, text.length - place));
    else if (what === 3) text.format(place, Math.min(2, text.length - place), { bold: true });
    else if (what === 4) text.insert(place, '👋ü');
    else if (what === 5) doc.getText('u').insert(doc.getText('u').length, 'y');
    else if (what === 6) text.insert(text.length, 'z');
    else for (let i = 0; i < 5; i++) text.insert(place + i, 'x');
  }
  return updates;
}

const steps = fc.array(fc.tuple(fc.nat(2), fc.nat(8), fc.nat(50)), { minLength: 1, maxLength: 40 });

/** What a Y.Doc makes of the updates: for people, and as bytes however it cut its structs. */
function stateOf(updates: readonly Uint8Array[]): object {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  const bytes = mergeAll([Y.encodeStateAsUpdate(doc), Uint8Array.of(0, 0)]);
  return {
    text: doc.getText('t').toDelta() as unknown,
    other: doc.getText('u').toJSON(),
    map: doc.getMap('m').toJSON(),
    bytes,
  };
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

  it('letters with different right neighbours stay apart: somebody else has written in between', () => {
    const [a, c] = [new Y.Doc(), new Y.Doc()];
    a.clientID = 9;
    c.clientID = 1;
    const own: Uint8Array[] = [];
    c.getText('t').insert(0, 'z');
    Y.applyUpdate(a, Y.encodeStateAsUpdate(c));
    a.on('update', (update: Uint8Array, origin: unknown) => void (origin === 'x' || own.push(update)));
    a.getText('t').insert(0, 'a');
    Y.applyUpdate(c, own[0]!);
    c.getText('t').insert(1, 'c');
    Y.applyUpdate(a, Y.encodeStateAsUpdate(c), 'x');
    a.getText('t').insert(1, 'b');
    const theirs = Y.diffUpdate(Y.encodeStateAsUpdate(c), Y.encodeStateVectorFromUpdate(mergeAll(own)));
    expect(stateOf([mergeAll(own), theirs])).toMatchObject({ text: [{ insert: 'abcz' }] });
  });

  it('what was typed letter by letter becomes one text', () => {
    const { doc, updates } = typing(1000, (i) => i);
    expect(mergeAll(updates)).toEqual(Y.encodeStateAsUpdate(doc));
  });

  it.each([
    ['anywhere', (i: number) => (i * 7919) % (i + 1)],
    ['one behind the other', (i: number) => i],
  ])('16,000 updates %s reads each struct twice and writes each octet three times at most', (_, place) => {
    const { doc, updates } = typing(16_000, place);
    const merged = mergeAll(updates);
    const { structsRead, octetsWritten, givenToYjs } = work;
    expect(stateOf([merged])).toEqual(stateOf([Y.encodeStateAsUpdate(doc)]));
    // Once to see which clocks it has, once to write it. yjs would look at each of the others for each update.
    expect({ structsRead, givenToYjs }).toEqual({ structsRead: 32_000, givenToYjs: [] });
    // Into the text that is joined, into the structs of the client, into the update.
    expect(octetsWritten).toBeGreaterThanOrEqual(merged.length);
    expect(octetsWritten).toBeLessThan(3 * merged.length + 100);
  });

  it('structs that yjs has to cut go to it a hundred at a time', () => {
    const { doc, updates } = typing(2000, (i) => i);
    const overlapping = Array.from({ length: 400 }, (_, i) => mergeAll(updates.slice(i * 5, i * 5 + 10)));
    expect(stateOf([mergeAll(overlapping)])).toEqual(stateOf([Y.encodeStateAsUpdate(doc)]));
    expect(work.givenToYjs).toEqual([100, 100, 100, 100, 4]);
  });
});
