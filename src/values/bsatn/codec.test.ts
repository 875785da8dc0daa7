import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHex, encodeHex } from '../../base/hex.js';
import { arrayType, primitiveType, productType, sumType, UNIT_TYPE } from '../algebraic-type.js';
import { Identity } from '../identity.js';
import { IDENTITY_TYPE, optionType, resultType, SCHEDULE_AT_TYPE, TIMESTAMP_TYPE } from '../special-types.js';
import { typeAndValue } from '../testing/arbitrary-type.js';
import { ScheduleAt, Timestamp } from '../timestamp.js';
import { compileCodec, decodeFromBytes, encodeToBytes } from './codec.js';

const u32 = primitiveType('u32');
const u64 = primitiveType('u64');
const string = primitiveType('string');

function hexOf(type: Parameters<typeof compileCodec>[0], value: unknown): string {
  return encodeHex(encodeToBytes(compileCodec(type), value));
}

function fromHex(type: Parameters<typeof compileCodec>[0], hex: string): unknown {
  return decodeFromBytes(compileCodec(type), decodeHex(hex.replaceAll(' ', ''))!);
}

describe('golden bytes', () => {
  it('the row of the reference module is eight zero bytes and a string', () => {
    const user = productType({ id: u64, name: string });
    expect(hexOf(user, { id: 0n, name: 'bob' })).toBe('000000000000000003000000626f62');
    expect(fromHex(user, '4d00000000000000 03000000 626f62')).toEqual({ id: 77n, name: 'bob' });
  });

  it('the arguments of a reducer are a product without a frame', () => {
    expect(hexOf(productType({ name: string }), { name: 'bob' })).toBe('03000000626f62');
  });

  it('the unsubscribe message of the reference client is read', () => {
    const message = productType({ requestId: u32, querySetId: u32, flags: primitiveType('u8') });
    expect(fromHex(message, '06000000 00000000 01')).toEqual({ requestId: 6, querySetId: 0, flags: 1 });
  });

  it('options and results put the good case first', () => {
    expect(hexOf(optionType(primitiveType('u8')), 7)).toBe('0007');
    expect(hexOf(optionType(primitiveType('u8')), undefined)).toBe('01');
    expect(hexOf(optionType(primitiveType('u8')), null)).toBe('01');
    expect(hexOf(resultType(UNIT_TYPE, string), { ok: {} })).toBe('00');
    expect(hexOf(resultType(UNIT_TYPE, string), { err: 'no' })).toBe('01020000006e6f');
  });

  it('wide integers are little-endian two`s complement', () => {
    expect(hexOf(primitiveType('i128'), -2n)).toBe('feffffffffffffffffffffffffffffff');
    expect(hexOf(primitiveType('u256'), 1n << 248n)).toBe('00'.repeat(31) + '01');
    expect(hexOf(primitiveType('i16'), -2)).toBe('feff');
  });

  it('special products are their classes', () => {
    const identity = new Identity(0x0102n);
    expect(hexOf(IDENTITY_TYPE, identity)).toBe(`0201${'00'.repeat(30)}`);
    expect(fromHex(IDENTITY_TYPE, `0201${'00'.repeat(30)}`)).toEqual(identity);
    expect(fromHex(TIMESTAMP_TYPE, '0100000000000000')).toBeInstanceOf(Timestamp);
    expect(hexOf(SCHEDULE_AT_TYPE, ScheduleAt.time(1n))).toBe('010100000000000000');
  });

  it('bytes are copied out of the message and may be given as numbers', () => {
    const bytes = arrayType(primitiveType('u8'));
    const message = Uint8Array.of(2, 0, 0, 0, 8, 9);
    const value = decodeFromBytes(compileCodec<Uint8Array>(bytes), message);
    message.fill(0);
    expect([...value]).toEqual([8, 9]);
    expect(hexOf(bytes, [8, 9])).toBe('020000000809');
  });

  it('a plain variant is a tag without a value', () => {
    const fruit = sumType({ Apple: UNIT_TYPE, Pear: u32 });
    expect(fromHex(fruit, '00')).toStrictEqual({ tag: 'Apple' });
    expect(fromHex(fruit, '0105000000')).toStrictEqual({ tag: 'Pear', value: 5 });
    expect(hexOf(fruit, { tag: 'Apple', value: {} })).toBe('00');
  });
});

describe('generated code and closures', () => {
  it('write the same bytes and read the same values', () => {
    fc.assert(
      fc.property(typeAndValue, ({ type, value }) => {
        const generated = compileCodec(type, undefined, { codegen: true });
        const closures = compileCodec(type, undefined, { codegen: false });
        const bytes = encodeToBytes(generated, value);
        expect(encodeHex(encodeToBytes(closures, value))).toBe(encodeHex(bytes));
        expect(decodeFromBytes(generated, bytes)).toEqual(value);
        expect(decodeFromBytes(closures, bytes)).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });
});
