import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { DocumentState } from './document-state.js';
import { IdRanges } from './id-ranges.js';
import { mergeAll } from './merge-updates.js';
import { scanUpdate, scanLimitsDefault } from './scan-update.js';
import { UpdateError } from './update-error.js';

/** Every kind of content there is, written by two clients, with deletions. */
function richUpdates(): Uint8Array[] {
  const a = new Y.Doc();
  const b = new Y.Doc();
  const updates: Uint8Array[] = [];
  for (const doc of [a, b])
    doc.on('update', (update: Uint8Array, origin: unknown) => void (origin === 'x' || updates.push(update)));
  const sync = (): void => {
    Y.applyUpdate(a, Y.encodeStateAsUpdate(b), 'x');
    Y.applyUpdate(b, Y.encodeStateAsUpdate(a), 'x');
  };
  a.getText('t').insert(0, 'grüße 👋 world', { bold: true });
  a.getText('t').insertEmbed(3, { image: 'x' });
  b.getMap('m').set('any', [1, -70_000, 1.5, 1.1, 2n ** 40n, null, undefined, true, false, 'ü', { k: [1] }]);
  sync();
  b.getText('t').delete(2, 4);
  a.getArray('a').insert(0, [new Uint8Array([1, 2]), new Y.Map(), new Y.Text('x'), new Y.Doc()]);
  sync();
  const element = new Y.XmlElement('p');
  b.getXmlFragment('x').insert(0, [element, new Y.XmlText('t'), new Y.XmlHook('h') as unknown as Y.XmlText]);
  element.setAttribute('k', 'v');
  b.getMap('m').delete('any');
  sync();
  a.getText('t').delete(0, 3);
  return updates;
}

const outcome = (run: () => unknown): 'accepted' | 'refused' => {
  try {
    run();
    return 'accepted';
  } catch {
    return 'refused';
  }
};

describe('scanning an update', () => {
  it('the state vector from headers is that of a Y.Doc', () => {
    const updates = richUpdates();
    const doc = new Y.Doc();
    const state = new DocumentState();
    for (const update of updates) {
      Y.applyUpdate(doc, update);
      state.add(scanUpdate(update));
      expect(state.encodeStateVector()).toEqual(Y.encodeStateVector(doc));
      expect(state.knows(scanUpdate(update))).toBe(true);
    }
    expect(state.hasGaps).toBe(false);
    expect(state.knows(scanUpdate(Y.encodeStateAsUpdate(doc)))).toBe(true);
    expect(updates.length).toBeGreaterThan(6);
  });

  it('a late update leaves a gap until the one before it comes', () => {
    const updates = richUpdates();
    const state = new DocumentState();
    for (const update of updates.slice(1)) state.add(scanUpdate(update));
    expect(state.hasGaps).toBe(true);
    state.add(scanUpdate(updates[0]!));
    expect(state.hasGaps).toBe(false);
  });

  it("an update that points at another client's missing struct is a gap", () => {
    const a = new Y.Doc();
    a.getText('t').insert(0, 'abc');
    const b = new Y.Doc();
    Y.applyUpdate(b, Y.encodeStateAsUpdate(a));
    const before = Y.encodeStateVector(b);
    b.getText('t').insert(3, 'd');
    const state = new DocumentState();
    state.add(scanUpdate(Y.encodeStateAsUpdate(b, before)));
    expect(state.hasGaps).toBe(true);
    state.add(scanUpdate(Y.encodeStateAsUpdate(a)));
    expect(state.hasGaps).toBe(false);
  });

  it('what it accepts yjs applies; what it refuses yjs refuses or is against a stated rule', () => {
    const corpus = [...richUpdates(), mergeAll(richUpdates())];
    const rules =
      /no length|comes twice|options of a subdocument|comes later|left over|nest 100|above 2\^53|too long|at most/;
    let accepted = 0;
    let refused = 0;
    let refusedByBoth = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...corpus),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
        fc.option(fc.nat(), { nil: undefined }),
        (base, flips, cut) => {
          let bytes = base.slice();
          for (const [at, value] of flips) bytes[at % bytes.length] = value;
          if (cut !== undefined) bytes = bytes.slice(0, cut % (bytes.length + 1));
          const yjs = (): void => Y.applyUpdate(new Y.Doc(), bytes);
          try {
            scanUpdate(bytes);
          } catch (error) {
            refused += 1;
            expect(error).toBeInstanceOf(UpdateError);
            const both = outcome(yjs) === 'refused';
            refusedByBoth += both ? 1 : 0;
            if (!rules.test((error as Error).message)) expect(both).toBe(true);
            return;
          }
          accepted += 1;
          expect(yjs).not.toThrow();
        },
      ),
      { numRuns: 4000 },
    );
    expect(Math.min(accepted, refused, refusedByBoth)).toBeGreaterThan(100);
  });

  it('lying counts are refused at once, and limits hold at the limit and one past it', () => {
    expect(() => scanUpdate(Uint8Array.of(1, 0xff, 0xff, 0xff, 0x7f, 1, 0))).toThrow('structs at most');
    expect(() => scanUpdate(Uint8Array.of(0xff, 0xff, 0xff, 0x7f))).toThrow('clients at most');
    // Two structs of client 1: gc of length 1 each.
    const two = Uint8Array.of(1, 2, 1, 0, 0, 1, 0, 1, 0);
    expect(scanUpdate(two, { ...scanLimitsDefault, structsMax: 2 }).structCount).toBe(2);
    expect(() => scanUpdate(two, { ...scanLimitsDefault, structsMax: 1 })).toThrow('1 structs at most');
    expect(scanUpdate(two, { ...scanLimitsDefault, updateBytesMax: 9 }).structs).toEqual([1, 0, 2]);
    expect(() => scanUpdate(two, { ...scanLimitsDefault, updateBytesMax: 8 })).toThrow('8 bytes at most');
  });
});

describe('ranges', () => {
  it('are what a set of single clocks would be', () => {
    const range = fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 8 }));
    fc.assert(
      fc.property(fc.array(range), range, (added, [from, length]) => {
        const ranges = new IdRanges();
        const model = new Set<number>();
        for (const [start, count] of added) {
          ranges.add(1, start, start + count);
          for (let i = 0; i < count; i++) model.add(start + i);
        }
        const wanted = Array.from({ length }, (_, i) => from + i);
        expect(ranges.has(1, from, from + length)).toBe(wanted.every((clock) => model.has(clock)));
        let next = 0;
        while (model.has(next)) next += 1;
        expect(ranges.next(1)).toBe(next);
        expect(ranges.hasGaps).toBe(model.size !== next);
      }),
    );
  });
});
