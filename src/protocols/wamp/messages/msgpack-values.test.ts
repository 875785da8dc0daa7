import { decode, encode, ExtensionCodec } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DEPTH_MAX } from './depth.js';
import { MessageError } from './message-error.js';
import { decodeMsgpack, encodeMsgpack } from './msgpack-values.js';

const integers = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.integer({ min: -300, max: 300 }),
  // The ends of each form.
  fc.constantFrom(
    ...[5, 7, 8, 15, 16, 31, 32, 52].flatMap((bits) =>
      [-1, 0, 1].flatMap((off) => [2 ** bits + off, off - 2 ** bits]),
    ),
  ),
);
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary-ascii', maxLength: 300 }),
  fc.constantFrom(
    'é'.repeat(12),
    'x'.repeat(24),
    'x'.repeat(25),
    'x'.repeat(31),
    'x'.repeat(32),
    'ü'.repeat(128),
    '\uFEFFbom',
    '€'.repeat(22_000),
  ),
);
const leaves = fc.oneof(
  integers,
  texts,
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 300 }),
);
const keys = texts.filter((key) => key !== '__proto__');
const { value: values } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaves,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 20 }),
  ),
}));

const OCTETS = 300;
const extensionCodec = new ExtensionCodec();
for (let type = -128; type < 128; type++) {
  // A time, which both know.
  if (type === -1) continue;
  extensionCodec.register({ type, encode: () => null, decode: (data) => (type === 0 ? null : data) });
}

/** The value, or that there is none. Ours throws nothing but MessageErrors, theirs errors of many kinds. */
function outcome(read: () => unknown, kind: typeof Error | typeof MessageError): unknown {
  try {
    return [read()];
  } catch (error) {
    if (error instanceof kind) return 'refused';
    throw error;
  }
}

describe('MessagePack, beside @msgpack/msgpack', () => {
  it('what we write, it reads; what it writes, we read', () => {
    fc.assert(
      fc.property(values, (value) => {
        const ours = encodeMsgpack(value);
        const theirs = encode(value, { maxDepth: 300 });
        expect(decode(ours)).toEqual(decode(theirs));
        expect(decodeMsgpack(theirs)).toEqual(decode(theirs));
        expect(decodeMsgpack(ours)).toEqual(decode(ours));
        expect(ours.length).toBeLessThanOrEqual(theirs.length);
      }),
      { numRuns: 300 },
    );
  });

  it('any octets are the same value for both, or for neither', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(values, fc.nat(), fc.nat(255)).map(([value, at, octet]) => {
        const bytes = encodeMsgpack(value).slice(0, OCTETS);
        bytes[at % bytes.length] = octet;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        const ours = outcome(() => decodeMsgpack(bytes), MessageError);
        const theirs = outcome(() => decode(bytes, { extensionCodec }), Error);
        // Only ours has texts for keys and nothing else; only theirs refuses `__proto__` and takes a damaged text as it is.
        if (ours === 'refused' || theirs === 'refused') return;
        if (!JSON.stringify(ours).includes('\uFFFD')) expect(ours).toEqual(theirs);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['seconds', 'd6ff 5a4af6a5', '2018-01-02T03:04:05.000Z'],
    ['nanoseconds', 'd7ff a1dcd7c8 5a4af6a5', '2018-01-02T03:04:05.678Z'],
    ['96 bit, before 1970', 'c70cff 28697580 ffffffff ffffffff', '1969-12-31T23:59:59.678Z'],
  ])('reads times: %s', (_, hex, iso) => {
    const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    expect((decodeMsgpack(bytes) as Date).toISOString()).toBe(iso);
    expect(decode(bytes)).toEqual(new Date(iso));
  });

  it('writes times as text, and leaves out what is undefined, both as JSON does', () => {
    const value = { at: new Date(0), none: undefined, list: [undefined] };
    expect(decodeMsgpack(encodeMsgpack(value))).toEqual({ at: '1970-01-01T00:00:00.000Z', list: [null] });
  });

  it('a key `__proto__` is a property, and no prototype', () => {
    const map = decodeMsgpack(encodeMsgpack(JSON.parse('{"__proto__":{"admin":true}}'))) as object;
    expect(Object.keys(map)).toEqual(['__proto__']);
    expect('admin' in map).toBe(false);
  });

  it(`values are nested ${DEPTH_MAX} deep at most, in both directions`, () => {
    const nested = (depth: number): Uint8Array => new Uint8Array(depth + 1).fill(0x91, 0, depth);
    const deepest = decodeMsgpack(nested(DEPTH_MAX));
    expect(encodeMsgpack(deepest)).toEqual(nested(DEPTH_MAX));
    expect(() => decodeMsgpack(nested(DEPTH_MAX + 1))).toThrow(expect.objectContaining({ code: 'TOO_DEEP' }));
    expect(() => encodeMsgpack([deepest])).toThrow(expect.objectContaining({ code: 'UNENCODABLE' }));
    const itself: unknown[] = [];
    itself.push(itself);
    expect(() => encodeMsgpack(itself)).toThrow(expect.objectContaining({ code: 'UNENCODABLE' }));
  });

  it.each([
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['an integer past 2^53', 2n ** 60n],
  ])('%s has no form, and leaves nothing behind', (_, value) => {
    expect(() => encodeMsgpack([1, value])).toThrow(expect.objectContaining({ code: 'UNENCODABLE' }));
    expect([...encodeMsgpack(1)]).toEqual([1]);
  });

  it('a getter may encode while it is encoded', () => {
    const value = {
      get inner() {
        return encodeMsgpack('x'.repeat(5000)).length;
      },
    };
    expect(decodeMsgpack(encodeMsgpack([7, value]))).toEqual([7, { inner: 5003 }]);
  });

  it.each(['81c201', '81c001', '810102', '81c40101'])('%s has a key that is not a string', (hex) => {
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
    expect(() => decodeMsgpack(bytes)).toThrow(expect.objectContaining({ code: 'UNDECODABLE' }));
  });

  it.each(['df7fffffff', 'dd7fffffff', 'c6ffffffff', 'dbffffffff', 'c9ffffffff00'])(
    '%s lies about its length, and is refused at once',
    (hex) => {
      const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
      expect(() => decodeMsgpack(bytes)).toThrow(expect.objectContaining({ code: 'UNDECODABLE' }));
    },
  );
});
