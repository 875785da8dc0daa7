import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionId, Identity } from './identity.js';
import {
  bigintToKey,
  bytesToKey,
  keyToBigint,
  keyToBytes,
  readSigned,
  writeInteger,
} from './integer-bytes.js';

const wide = (bits: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: (1n << bits) - 1n });

describe('Identity', () => {
  it('text, bytes, key and integer come back', () => {
    fc.assert(
      fc.property(wide(256n), (value) => {
        const identity = new Identity(value);
        expect(identity.__identity__).toBe(value);
        expect(Identity.fromString(identity.toHexString()).isEqual(identity)).toBe(true);
        expect(new Identity(`0x${identity.toString()}`).equals(identity)).toBe(true);
        expect(Identity.fromBytes(identity.toUint8Array()).__identity__).toBe(value);
        expect(Identity.fromKey(identity.key).__identity__).toBe(value);
      }),
    );
  });

  it('is big-endian as text and little-endian as bytes', () => {
    const identity = new Identity(0xc2n << 248n);
    expect(identity.toHexString()).toBe(`c2${'0'.repeat(62)}`);
    expect(identity.toUint8Array()[31]).toBe(0xc2);
    expect(JSON.stringify({ identity })).toBe(`{"identity":"c2${'0'.repeat(62)}"}`);
    expect(Identity.zero().__identity__).toBe(0n);
  });

  it('refuses other texts, integers and bytes', () => {
    expect(() => Identity.fromString('c2')).toThrow('an identity is 64 hexadecimal digits, got "c2"');
    expect(() => Identity.fromString('x'.repeat(64))).toThrow(SyntaxError);
    expect(() => new Identity(-1n)).toThrow(RangeError);
    expect(() => new Identity(1n << 256n)).toThrow(RangeError);
    expect(() => Identity.fromBytes(new Uint8Array(31))).toThrow(RangeError);
  });
});

describe('ConnectionId', () => {
  it('text, bytes, key and integer come back', () => {
    fc.assert(
      fc.property(wide(128n), (value) => {
        const id = new ConnectionId(value);
        expect(id.__connection_id__).toBe(value);
        expect(ConnectionId.fromString(id.toString()).isEqual(id)).toBe(true);
        expect(ConnectionId.fromBytes(id.toUint8Array()).equals(id)).toBe(true);
        expect(JSON.stringify(id)).toBe(`"${id.toHexString()}"`);
      }),
    );
    expect(() => ConnectionId.fromString('00')).toThrow('a connection id is 32 hexadecimal digits');
  });

  it('is never all zeros at random', () => {
    const fills = [0, 0, 7];
    const random = { fill: (bytes: Uint8Array<ArrayBuffer>) => bytes.fill(fills.shift() ?? 0) };
    expect(ConnectionId.random(random).toHexString()).toBe('07'.repeat(16));
    expect(ConnectionId.random().isEqual(ConnectionId.random())).toBe(false);
  });

  it('zero means none', () => {
    expect(ConnectionId.zero().isZero()).toBe(true);
    expect(ConnectionId.nullIfZero(ConnectionId.zero())).toBeNull();
    expect(ConnectionId.fromStringOrNull('0'.repeat(32))).toBeNull();
    expect(ConnectionId.fromStringOrNull(`${'0'.repeat(31)}1`)?.__connection_id__).toBe(1n);
  });
});

describe('wide integers', () => {
  it('are the same as bytes, key and bigint', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(8, 16, 32),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (size, random) => {
          const bytes = random.slice(0, size);
          const key = bytesToKey(bytes);
          expect(key).toHaveLength(size);
          const back = new Uint8Array(size);
          keyToBytes(key, back, 0);
          expect(back).toEqual(bytes);
          expect(bigintToKey(keyToBigint(key), size)).toBe(key);
          const signed = readSigned(new DataView(bytes.buffer), 0, size);
          expect(BigInt.asUintN(size * 8, signed)).toBe(keyToBigint(key));
          writeInteger(new DataView(back.buffer), 0, signed, size);
          expect(back).toEqual(bytes);
        },
      ),
    );
  });
});
