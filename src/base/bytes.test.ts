import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from './byte-reader.js';
import { ByteWriter, putVarUint, VAR_UINT_BYTES } from './byte-writer.js';
import { VarReader } from './var-reader.js';
import { WireError } from './wire-error.js';

function errorOf(action: () => unknown): WireError {
  try {
    action();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('ByteWriter and ByteReader', () => {
  it('what was written is read again, through any growth', () => {
    const writer = new ByteWriter(1);
    writer.writeU8(255);
    writer.writeU16(65535);
    writer.writeU32(4294967295);
    writer.writeI64(-1n);
    writer.writeU64((1n << 64n) - 1n);
    writer.writeBytes(Uint8Array.of(1, 2));
    writer.writeString('é');
    const reader = new ByteReader(writer.finish());
    expect([reader.readU8(), reader.readU16(), reader.readU32()]).toEqual([255, 65535, 4294967295]);
    expect([reader.readI64(), reader.readU64()]).toEqual([-1n, (1n << 64n) - 1n]);
    expect([...reader.readBytes(), reader.readString(), reader.remaining]).toEqual([1, 2, 'é', 0]);
    reader.expectEnd();
  });

  it('varuints are those of LEB128, and what is longer than five bytes or cut off is refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 0, max: 2 ** 35 - 1 }), fc.nat({ max: 300 })), (value) => {
        const bytes = new Uint8Array(VAR_UINT_BYTES);
        const end = putVarUint(bytes, 0, value);
        const reader = new ByteReader(bytes.subarray(0, end));
        expect([reader.readVarUint(), reader.remaining]).toEqual([value, 0]);
        expect(new VarReader(bytes).readVarUint()).toBe(value);
        const cut = new ByteReader(bytes.subarray(0, end - 1));
        expect(errorOf(() => cut.readVarUint()).code).toBe('SHORT_READ');
      }),
    );
    const long = new ByteReader(Uint8Array.of(255, 255, 255, 255, 255, 1));
    expect(errorOf(() => long.readVarUint()).code).toBe('OUT_OF_RANGE');
    const text = new ByteReader(Uint8Array.of(3, 226, 130, 172, 2, 97));
    expect(text.readVarString()).toBe('€');
    expect(errorOf(() => text.readVarString()).code).toBe('SHORT_READ');
  });

  it('strings of any length and script are UTF-8; a lone surrogate becomes U+FFFD', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.string({ unit: 'binary-ascii', maxLength: 100 }),
      fc
        .array(fc.constantFrom('\ud800', '\udc00', 'a', 'é', '€', '😀'), { maxLength: 60 })
        .map((parts) => parts.join('')),
    );
    const writer = new ByteWriter(1);
    fc.assert(
      fc.property(text, (value) => {
        writer.writeString(value);
        const bytes = writer.finish();
        expect(bytes.subarray(4)).toEqual(new TextEncoder().encode(value));
        expect(new ByteReader(bytes).readString()).toBe(
          new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(value)),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('a string that is not UTF-8 is refused, short or long', () => {
    for (const size of [1, 2, 23, 24, 25, 100]) {
      const bytes = new Uint8Array(4 + size).fill(0x61, 4);
      new DataView(bytes.buffer).setUint32(0, size, true);
      expect(new ByteReader(bytes).readString()).toBe('a'.repeat(size));
      bytes[3 + size] = 0xc3;
      expect(errorOf(() => new ByteReader(bytes).readString()).code).toBe('BAD_UTF8');
    }
  });

  it('keeps a byte order mark', () => {
    const bytes = Uint8Array.of(3, 0, 0, 0, 0xef, 0xbb, 0xbf);
    expect(new ByteReader(bytes).readString()).toBe('\ufeff');
  });

  it.each([
    ['readU8', 1], ['readU16', 2], ['readU32', 4], ['readI64', 8], ['readU64', 8], ['readBytes', 4], ['readString', 4],
  ] as const)('%s needs its bytes', (method, size) => {
    const error = errorOf(() => new ByteReader(new Uint8Array(size - 1))[method]());
    expect(error.facts).toEqual({ need: size, have: size - 1, offset: 0 });
    new ByteReader(new Uint8Array(size))[method]();
  }); // prettier-ignore

  it('a length that lies is refused before anything is allocated', () => {
    const bytes = new Uint8Array(20).fill(0xff);
    expect(errorOf(() => new ByteReader(bytes).readString()).code).toBe('SHORT_READ');
    expect(errorOf(() => new ByteReader(bytes).readBytes()).code).toBe('SHORT_READ');
  });

  it('bools are 0 or 1 and nothing may be left over', () => {
    expect(new ByteReader(Uint8Array.of(1)).readBool()).toBe(true);
    expect(errorOf(() => new ByteReader(Uint8Array.of(2)).readBool()).code).toBe('BAD_BOOL');
    expect(errorOf(() => new ByteReader(Uint8Array.of(2)).expectEnd()).code).toBe('TRAILING_BYTES');
  });

  it('the finished bytes are a copy', () => {
    const writer = new ByteWriter();
    writer.writeU8(1);
    const first = writer.finish();
    writer.writeU8(2);
    expect([...first]).toEqual([1]);
    expect([...writer.finish()]).toEqual([2]);
  });
});
