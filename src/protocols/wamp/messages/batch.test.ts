import fc from 'fast-check';
import { expect, it } from 'vitest';

import { joinBatch, splitBatch } from './batch.js';
import { cborSerializer } from './cbor.js';
import { jsonSerializer } from './json.js';
import { MessageError } from './message-error.js';
import { msgpackSerializer } from './msgpack.js';

it.each([msgpackSerializer, cborSerializer])(
  '$name: any octets are a batch, which comes back, or refused',
  (serializer) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (octets, isPlausible) => {
        // Half of them begin with a length that may fit.
        if (isPlausible) octets.fill(0, 0, 3);
        try {
          const wires = splitBatch(serializer, octets);
          expect(joinBatch(serializer, wires)).toEqual(octets);
        } catch (error) {
          expect(error).toBeInstanceOf(MessageError);
        }
      }),
      { numRuns: 1000 },
    );
  },
);

it('json: any text is a batch, which comes back, or refused', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('[1]', '\u001e', 'x', '')), (parts) => {
      const text = parts.join('');
      try {
        expect(joinBatch(jsonSerializer, splitBatch(jsonSerializer, text))).toBe(text);
      } catch (error) {
        expect(error).toBeInstanceOf(MessageError);
      }
    }),
    { numRuns: 1000 },
  );
});

it('json: octets that are no UTF-8 are refused', () => {
  expect(() => splitBatch(jsonSerializer, Uint8Array.of(0x5b, 0xff, 0x5d, 0x1e))).toThrow(MessageError);
});
