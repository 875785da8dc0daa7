import * as fc from 'fast-check';
import { expect } from 'vitest';
import { WireError } from '../../../../base/wire-error.js';

/** Runs a decoder on random bytes, on every truncation of the samples and on samples with changed bytes. */
export function expectOnlyWireErrors(
  samples: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => unknown,
): void {
  const attempt = (bytes: Uint8Array): void => {
    try {
      decode(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt), { numRuns: 2000 });
  for (const sample of samples) {
    for (let length = 0; length < sample.length; length++) {
      expect(() => decode(sample.slice(0, length))).toThrow(WireError);
    }
  }
  const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff)), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.constantFrom(...samples), changes, (sample, edits) => {
      const mutated = sample.slice();
      for (const [at, byte] of edits) mutated[at % mutated.length] = byte;
      attempt(mutated);
    }),
    { numRuns: 5000 },
  );
}
