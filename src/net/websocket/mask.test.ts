import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { unmask } from './mask.js';

test('masks any range at any alignment and phase like the octet-wise definition', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 400 }),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.nat({ max: 7 }),
      fc.nat({ max: 40 }),
      fc.nat({ max: 5 }),
      (bytes, key, shift, start, phase) => {
        const from = Math.min(start, bytes.length);
        const expected = bytes.map((octet, i) =>
          i < from ? octet : octet ^ (key.at((i - from + phase) % 4) ?? 0),
        );
        // In the middle of a larger buffer, so that the first octet lies on any boundary.
        const shifted = new Uint8Array(shift + bytes.length).subarray(shift);
        shifted.set(bytes);
        unmask(
          shifted,
          from,
          bytes.length,
          new DataView(key.buffer, key.byteOffset).getInt32(0, true),
          phase,
        );
        expect(Buffer.from(shifted).equals(Buffer.from(expected))).toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
});
