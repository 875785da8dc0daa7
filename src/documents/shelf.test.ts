import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Shelf } from './shelf.js';

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

describe('a shelf', () => {
  it('gives back what was put there, whatever was dropped meanwhile', () => {
    const put = fc.record({ kind: fc.constant('put' as const), length: fc.nat(3000) });
    const drop = fc.record({ kind: fc.constant('drop' as const), which: fc.nat() });
    fc.assert(
      fc.property(fc.array(fc.oneof(put, drop)), (steps) => {
        const shelf = new Shelf();
        const kept: { readonly at: number; readonly bytes: Uint8Array }[] = [];
        for (const [i, step] of steps.entries()) {
          if (step.kind === 'put') {
            const bytes = filled(step.length, i);
            kept.push({ at: shelf.put(bytes), bytes });
          } else if (kept.length > 0) {
            const [gone] = kept.splice(step.which % kept.length, 1);
            shelf.drop(gone!.at, gone!.bytes.length);
          }
        }
        for (const { at, bytes } of kept) expect(shelf.get(at, bytes.length)).toEqual(bytes);
        const ends = kept
          .map(({ at, bytes }) => [at, at + bytes.length] as const)
          .toSorted(([a], [b]) => a - b);
        for (const [i, [at]] of ends.entries()) expect(at).toBeGreaterThanOrEqual(ends[i - 1]?.[1] ?? 0);
      }),
    );
  });

  it('uses places again, so that it does not grow with what comes and goes', () => {
    const shelf = new Shelf();
    for (let i = 0; i < 1000; i++) shelf.drop(shelf.put(filled(1000, i)), 1000);
    expect(shelf.usedBytes).toBe(0);
    expect(shelf.extentBytes).toBe(1024);
  });

  it('keeps what is dropped while somebody has pinned it', () => {
    const shelf = new Shelf();
    const at = shelf.put(filled(10, 1));
    const [release, releaseToo] = [shelf.pin(), shelf.pin()];
    shelf.drop(at, 10);
    release();
    release();
    expect(shelf.put(filled(10, 2))).not.toBe(at);
    expect(shelf.get(at, 10)).toEqual(filled(10, 1));
    releaseToo();
    expect(shelf.put(filled(10, 3))).toBe(at);
  });
});
