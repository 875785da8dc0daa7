import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../base/byte-reader.js';
import { ByteWriter } from '../base/byte-writer.js';
import { decodeHex, encodeHex } from '../base/hex.js';
import { WireError } from '../base/wire-error.js';
import {
  algebraicTypeFromJson, algebraicTypeToJson, decodeAlgebraicType, decodeTypespace, encodeAlgebraicType,
  encodeTypespace, typespaceFromJson, typespaceToJson,
} from './algebraic-type-codec.js'; // prettier-ignore
import { arrayType, primitiveType, productType } from './algebraic-type.js';
import type { AlgebraicType } from './algebraic-type.js';
import { arbitraryType } from './testing/arbitrary-type.js';

/** The typespace of the reference module: a row and the arguments of a reducer. */
const GOLDEN =
  '02000000 02 02000000 00 02000000 6964 0d 00 04000000 6e616d65 04 02 01000000 00 04000000 6e616d65 04';
const goldenTypes = {
  types: [
    productType({ id: primitiveType('u64'), name: primitiveType('string') }),
    productType({ name: primitiveType('string') }),
  ],
};

function bytesOf(hex: string): Uint8Array {
  return decodeHex(hex.replaceAll(' ', '')) ?? new Uint8Array();
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return 'none';
}

/** What remains of a type on the wire: properties and tags become the canonical names. */
function asOnWire(type: AlgebraicType): AlgebraicType {
  const writer = new ByteWriter();
  encodeAlgebraicType(writer, type);
  return decodeAlgebraicType(new ByteReader(writer.finish()));
}

describe('types in BSATN', () => {
  it('the typespace of the reference module has its bytes', () => {
    const writer = new ByteWriter();
    encodeTypespace(writer, goldenTypes);
    expect(encodeHex(writer.finish())).toBe(GOLDEN.replaceAll(' ', ''));
    expect(decodeTypespace(new ByteReader(bytesOf(GOLDEN)))).toEqual(goldenTypes);
  });

  it('any type comes back, in BSATN and in JSON', () => {
    fc.assert(
      fc.property(arbitraryType, ({ type }) => {
        const wire = asOnWire(type);
        expect(asOnWire(wire)).toEqual(wire);
        expect(algebraicTypeFromJson(JSON.parse(JSON.stringify(algebraicTypeToJson(type))))).toEqual(wire);
      }),
    );
  });

  it('random, cut and mutated bytes are a type or a WireError', () => {
    const mutated = fc.tuple(fc.nat(40), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
      const bytes = bytesOf(GOLDEN);
      bytes[at % bytes.length] = byte;
      return bytes.subarray(0, 1 + ((at * 7) % bytes.length));
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated), (bytes) => {
        codeOf(() => decodeTypespace(new ByteReader(bytes)));
        codeOf(() => decodeAlgebraicType(new ByteReader(bytes)));
      }),
      { numRuns: 2000 },
    );
  });

  it('a count of four billion in nine bytes allocates nothing', () => {
    expect(codeOf(() => decodeTypespace(new ByteReader(bytesOf('ffffffff 0404040404'))))).toBe('SHORT_READ');
    expect(codeOf(() => decodeAlgebraicType(new ByteReader(bytesOf('02 ffffffff 01040104'))))).toBe(
      'SHORT_READ',
    );
  });

  it('nesting is bounded: 256 levels are taken, one more is not', () => {
    const nested = (levels: number): Uint8Array =>
      new Uint8Array(levels + 1).fill(3, 0, levels).fill(4, levels);
    expect(codeOf(() => decodeAlgebraicType(new ByteReader(nested(256))))).toBe('none');
    expect(codeOf(() => decodeAlgebraicType(new ByteReader(nested(257))))).toBe('TOO_DEEP');
    let type: AlgebraicType = primitiveType('u8');
    for (let i = 0; i < 257; i++) type = arrayType(type);
    expect(codeOf(() => encodeAlgebraicType(new ByteWriter(), type))).toBe('TOO_DEEP');
    expect(codeOf(() => algebraicTypeToJson(type))).toBe('TOO_DEEP');
  });
});

describe('types in JSON', () => {
  it('have the form of the reference server', () => {
    expect(typespaceToJson(goldenTypes)).toEqual({
      types: [
        {
          Product: {
            elements: [
              { name: { some: 'id' }, algebraic_type: { U64: [] } },
              { name: { some: 'name' }, algebraic_type: { String: [] } },
            ],
          },
        },
        { Product: { elements: [{ name: { some: 'name' }, algebraic_type: { String: [] } }] } },
      ],
    });
    expect(typespaceFromJson(typespaceToJson(goldenTypes))).toEqual(goldenTypes);
    expect(algebraicTypeToJson({ kind: 'array', element: { kind: 'ref', ref: 3 } })).toEqual({
      Array: { Ref: 3 },
    });
  });

  it.each([
    {},
    null,
    { Ref: -1 },
    { Ref: '0' },
    { U7: [] },
    { Sum: {} },
    { Product: { elements: [{}] } },
    { U8: [], U16: [] },
  ])('%j is refused', (json) => {
    expect(codeOf(() => algebraicTypeFromJson(json as never))).toBe('BAD_VALUE');
  });
});
