import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireError } from '../../base/wire-error.js';
import { arrayType, primitiveType, productType, sumType, UNIT_TYPE } from '../algebraic-type.js';
import type { AlgebraicType, Typespace } from '../algebraic-type.js';
import { Identity } from '../identity.js';
import {
  IDENTITY_TYPE, optionType, resultType, SCHEDULE_AT_TYPE, TIMESTAMP_TYPE, UUID_TYPE,
} from '../special-types.js'; // prettier-ignore
import { typeAndValue } from '../testing/arbitrary-type.js';
import { ScheduleAt, Timestamp } from '../timestamp.js';
import { Uuid } from '../uuid.js';
import { decodeJson } from './decode-json.js';
import { encodeJson } from './encode-json.js';
import { parseJson } from './parse-json.js';

const u8 = primitiveType('u8');
const u64 = primitiveType('u64');
const i128 = primitiveType('i128');
const f32 = primitiveType('f32');
const string = primitiveType('string');

const typed = (type: AlgebraicType, value: unknown): string => encodeJson(type, value, { form: 'typed' });
const row = (type: AlgebraicType, value: unknown): string => encodeJson(type, value, { form: 'row' });
const untyped = (type: AlgebraicType, value: unknown): string => encodeJson(type, value, { form: 'untyped' });

function errorOf(action: () => unknown): WireError {
  try {
    action();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('encodeJson', () => {
  it('writes 64 and 128 bits with all their digits', () => {
    expect(typed(u64, 18446744073709551615n)).toBe('18446744073709551615');
    expect(typed(i128, -170141183460469231731687303715884105728n)).toBe(
      '-170141183460469231731687303715884105728',
    );
    expect(typed(primitiveType('u256'), 255n)).toBe('"0xff"');
  });

  it('writes the rows of SQL as the reference does', () => {
    const identity = new Identity(0xc2n << 248n);
    expect(untyped(IDENTITY_TYPE, identity)).toBe(`["0xc2${'0'.repeat(62)}"]`);
    expect(untyped(TIMESTAMP_TYPE, new Timestamp(5n))).toBe('[5]');
    expect(untyped(optionType(u8), 5)).toBe('[0,5]');
    expect(untyped(optionType(u8), undefined)).toBe('[1,[]]');
    expect(untyped(UUID_TYPE, new Uuid(7n))).toBe('[7]');
    expect(untyped(SCHEDULE_AT_TYPE, ScheduleAt.time(9n))).toBe('[1,[9]]');
    expect(untyped(productType({ a: u8, b: string }), { a: 1, b: '"' })).toBe('[1,"\\""]');
    expect(row(productType({ who: IDENTITY_TYPE, name: optionType(string) }), { who: identity })).toBe(
      `{"who":{"__identity__":"0xc2${'0'.repeat(62)}"},"name":[1,[]]}`,
    );
  });

  it('writes names when asked for the typed form', () => {
    const named: AlgebraicType = {
      kind: 'product',
      elements: [{ name: 'user_id', property: 'userId', type: u64 }],
    };
    expect(typed(named, { userId: 3n })).toBe('{"user_id":3}');
    expect(typed(sumType({ Dot: UNIT_TYPE, Line: u8 }), { tag: 'Dot' })).toBe('{"Dot":[]}');
    expect(typed(sumType({ Dot: UNIT_TYPE, Line: u8 }), { tag: 'Line', value: 4 })).toBe('{"Line":4}');
    expect(typed(resultType(u8, string), { err: 'no' })).toBe('{"err":"no"}');
    expect(typed(IDENTITY_TYPE, new Identity(1n))).toBe('{"__identity__":"0x1"}');
  });

  it('writes bytes in hexadecimal, an f32 in its shortest digits and null for what JSON has no number for', () => {
    expect(typed(arrayType(u8), Uint8Array.of(1, 255))).toBe('"01ff"');
    expect(typed(arrayType(u8), [1, 255])).toBe('"01ff"');
    expect(typed(f32, Math.fround(0.1))).toBe('0.1');
    expect(typed(f32, Number.NaN)).toBe('null');
  });

  it('names the place of a value that does not fit', () => {
    const row = productType({ tags: arrayType(string) });
    expect(errorOf(() => typed(row, { tags: ['a', 5] })).message).toBe(
      'tags[1]: expected string, got number',
    );
  });
});

describe('decodeJson', () => {
  it('reads every form of a sum and of an option', () => {
    const shape = sumType({ Dot: UNIT_TYPE, Line: u8 });
    for (const text of ['{"Line":4}', '{"1":4}', '[1,4]']) {
      expect(decodeJson(shape, text)).toEqual({ tag: 'Line', value: 4 });
    }
    expect(decodeJson(shape, '{"Dot":[]}')).toStrictEqual({ tag: 'Dot' });
    expect(decodeJson(shape, '{"Dot":{}}')).toStrictEqual({ tag: 'Dot' });
    for (const text of ['null', '{"none":[]}', '[1,[]]'])
      expect(decodeJson(optionType(u8), text)).toBeUndefined();
    for (const text of ['{"some":5}', '[0,5]']) expect(decodeJson(optionType(u8), text)).toBe(5);
  });

  it('reads both forms of an identity argument', () => {
    const hex = `0xc2${'0'.repeat(62)}`;
    const identity = new Identity(0xc2n << 248n);
    expect(decodeJson(IDENTITY_TYPE, `{"__identity__":"${hex}"}`)).toEqual(identity);
    expect(decodeJson(IDENTITY_TYPE, `["${hex}"]`)).toEqual(identity);
  });

  it('reads objects and arrays as products, canonical names or those of the author', () => {
    const named: AlgebraicType = {
      kind: 'product',
      elements: [
        { name: 'user_id', property: 'userId', type: u64 },
        { name: 'nick', property: 'nick', type: optionType(string) },
      ],
    };
    const value = { userId: 9007199254740993n, nick: undefined };
    expect(decodeJson(named, '{"user_id":9007199254740993}')).toEqual(value);
    expect(decodeJson(named, '{"userId":9007199254740993,"nick":null}')).toEqual(value);
    expect(decodeJson(named, '[9007199254740993,null]')).toEqual(value);
  });

  it('reads bytes from hexadecimal text or numbers', () => {
    expect(decodeJson(arrayType(u8), '"01fF"')).toEqual(Uint8Array.of(1, 255));
    expect(decodeJson(arrayType(u8), '[1,255]')).toEqual(Uint8Array.of(1, 255));
  });

  it('what is encoded is decoded again, in both forms', () => {
    const hasNoNumber = (value: unknown): boolean =>
      typeof value === 'number'
        ? !Number.isFinite(value)
        : typeof value === 'object' && value !== null && Object.values(value).some(hasNoNumber);
    fc.assert(
      fc.property(typeAndValue, fc.constantFrom('typed', 'untyped', 'row'), ({ type, value }, form) => {
        fc.pre(!hasNoNumber(value));
        const text = encodeJson(type, value, { form: form as 'typed' });
        expect(decodeJson(type, text)).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['{"id":256}', 'id: 256 is not a whole number in the range of u8', 'OUT_OF_RANGE'],
    ['{"id":1.5}', 'id: 1.5 is not a whole number in the range of u8', 'OUT_OF_RANGE'],
    ['{"id":"1"}', 'id: expected integer (u8), got string', 'BAD_VALUE'],
    ['{"idd":1}', 'there is no field "idd" (did you mean "id"?)', 'BAD_TAG'],
    ['{}', 'id: is missing', 'BAD_VALUE'],
    ['[]', 'expected 1 parts, got 0', 'BAD_LENGTH'],
    ['[1,2]', 'expected 1 parts, got 2', 'BAD_LENGTH'],
    ['5', 'expected object or array, got number', 'BAD_VALUE'],
    ['{"__proto__":1}', 'there is no field "__proto__"', 'BAD_TAG'],
    ['{"id":}', 'not JSON: expected a JSON value at position 6, found "}"', 'BAD_VALUE'],
  ])('%s: %s', (text, message, code) => {
    const error = errorOf(() => decodeJson(productType({ id: u8 }), text));
    expect([error.message, error.code]).toEqual([message, code]);
  });

  it.each([
    '{"Square":1}',
    '[2,1]',
    '[-1,1]',
    '[0.5,1]',
    '[[],1]',
    '{"Dot":[],"Line":4}',
    '[1]',
    '{}',
    '"Dot"',
    '["Dot",[]]',
  ])('as a sum %s is refused', (text) => {
    expect(errorOf(() => decodeJson(sumType({ Dot: UNIT_TYPE, Line: u8 }), text))).toBeInstanceOf(WireError);
  });

  it('a recursive value may be 256 levels deep and no deeper', () => {
    const typespace: Typespace = { types: [productType({ next: optionType({ kind: 'ref', ref: 0 }) })] };
    const list = (items: number): string => `${'[[0,'.repeat(items)}[null]${']]'.repeat(items)}`;
    expect(decodeJson({ kind: 'ref', ref: 0 }, list(128), typespace)).toBeDefined();
    expect(errorOf(() => decodeJson({ kind: 'ref', ref: 0 }, list(129), typespace)).code).toBe('TOO_DEEP');
  });

  it('any JSON for any type gives a value or a WireError', () => {
    fc.assert(
      fc.property(typeAndValue, fc.json(), ({ type }, text) => {
        try {
          decodeJson(type, text);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseJson', () => {
  it('agrees with the platform, but for whole numbers beyond 2^53', () => {
    const round = (json: unknown): unknown =>
      JSON.parse(JSON.stringify(json, (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v)));
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        expect(round(parseJson(text))).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
    expect(parseJson('[9007199254740992, 9007199254740991, -18446744073709551616, 1e300, -0]')).toEqual([
      9007199254740992n,
      9007199254740991,
      -18446744073709551616n,
      1e300,
      -0,
    ]);
  });

  it('refuses exactly what the platform refuses', () => {
    const scrap = fc
      .array(
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"a"',
          '"\\u00e9"',
          '"\\x"',
          '1',
          '-',
          '01',
          '1.',
          '1e5',
          'true',
          'nul',
          ' ',
          '\n',
          '"\t"',
          '"',
        ),
        { maxLength: 8 },
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(scrap, (text) => {
        const parses = (parse: (given: string) => unknown): boolean => {
          try {
            parse(text);
            return true;
          } catch {
            return false;
          }
        };
        expect(parses(parseJson)).toBe(parses(JSON.parse));
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps __proto__ as a property of its own', () => {
    const value = parseJson('{"__proto__":{"polluted":true}}') as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.hasOwn(value, '__proto__')).toBe(true);
    expect(value['polluted']).toBeUndefined();
  });

  it('bounds depth and size, and reads long digits as a float', () => {
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    expect(parseJson(nested(513))).toBeDefined();
    expect(errorOf(() => parseJson(nested(514))).code).toBe('TOO_DEEP');
    expect(errorOf(() => parseJson('{"a":'.repeat(100_000))).code).toBe('TOO_DEEP');
    expect(parseJson('[1]', { sizeMax: 3 })).toEqual([1]);
    expect(errorOf(() => parseJson('[11]', { sizeMax: 3 })).code).toBe('BAD_LENGTH');
    expect(parseJson('1'.repeat(100_000))).toBe(Infinity);
  });
});
