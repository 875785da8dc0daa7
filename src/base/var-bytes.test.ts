import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { VarReader } from './var-reader.js';
import { VarWriter } from './var-writer.js';

describe('variable-length integers', () => {
  it('what is written is read, up to 2^53 - 1', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.string({ unit: 'grapheme' }), fc.uint8Array(), (n, text, bytes) => {
        const wire = new VarWriter().writeVarUint(n).writeVarString(text).writeVarBytes(bytes).finish();
        const reader = new VarReader(wire);
        expect([reader.readVarUint(), reader.readVarString(), [...reader.readVarBytes()]]).toEqual([
          n,
          text,
          [...bytes],
        ]);
        reader.expectEnd();
      }),
    );
  });

  it('refuses what is above 2^53, endless, or longer than the message', () => {
    expect(() => new VarReader(new Uint8Array(12).fill(0xff)).readVarUint()).toThrow('above 2^53');
    expect(() => new VarReader(new Uint8Array(12).fill(0x80)).readVarUint()).toThrow('too long');
    expect(() => new VarReader(Uint8Array.of(0x80)).readVarUint()).toThrow('need 1 bytes');
    expect(() => new VarReader(Uint8Array.of(0xff, 0xff, 0xff, 0x7f)).readVarBytes()).toThrow(
      'need 268435455',
    );
  });
});
