import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WireError } from '../../../../base/wire-error.js';
import {
  arrayType,
  primitiveType,
  productType,
  sumType,
  UNIT_TYPE,
} from '../../../../values/algebraic-type.js';
import type { AlgebraicType } from '../../../../values/algebraic-type.js';
import { compileCodec, encodeToBytes } from '../../../../values/bsatn/codec.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import { valueFromJson } from '../../../../values/sats-json/decode-json.js';
import { parseJson } from '../../../../values/sats-json/parse-json.js';
import {
  CONNECTION_ID_TYPE,
  IDENTITY_TYPE,
  optionType,
  SCHEDULE_AT_TYPE,
  TIMESTAMP_TYPE,
} from '../../../../values/special-types.js';
import { typeAndValue } from '../../../../values/testing/arbitrary-type.js';
import { ScheduleAt, Timestamp } from '../../../../values/timestamp.js';
import { encodeLegacyJson, stringifyJson, toSatsJson } from './legacy-json.js';
import { decodeTextClientMessage, encodeTextClientMessage } from './messages.js';

const NONE = { types: [] };
const encode = (type: AlgebraicType, value: unknown): string => encodeLegacyJson(type, value, NONE);
const decode = (type: AlgebraicType, json: string): unknown =>
  valueFromJson(type, toSatsJson(type, parseJson(json), NONE));

const string = primitiveType('string');
const identity = new Identity('c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38');

describe('values of v1.text', () => {
  const ROW = productType({
    id: primitiveType('u64'),
    who: IDENTITY_TYPE,
    from: CONNECTION_ID_TYPE,
    sent: TIMESTAMP_TYPE,
    name: optionType(string),
    nick: optionType(string),
    color: sumType({ red: UNIT_TYPE, rgb: arrayType(primitiveType('u8')) }),
    at: SCHEDULE_AT_TYPE,
    words: arrayType(string),
  });
  const row = {
    id: 2n ** 64n - 1n,
    who: identity,
    from: new ConnectionId(0xabn),
    sent: new Timestamp(5n),
    name: 'ada',
    color: { tag: 'rgb', value: Uint8Array.of(1, 255) },
    at: ScheduleAt.time(9n),
    words: ['a', '"'],
  };

  test('a row is an array of its columns, as the SDK reads it', () => {
    expect(encode(ROW, row)).toBe(
      `[18446744073709551615,["${identity.toHexString()}"],["000000000000000000000000000000ab"],5,` +
        `{"0":"ada"},{"1":[]},{"1":"01ff"},{"1":9},["a","\\""]]`,
    );
  });

  test('the same text is the value again', () => {
    expect(decode(ROW, encode(ROW, row))).toEqual({ ...row, nick: undefined });
  });

  test('arguments may also be as SATS-JSON has them', () => {
    const args = productType({ who: IDENTITY_TYPE, name: optionType(string) });
    const expected = { who: identity, name: 'x' };
    expect(decode(args, `[["0x${identity.toHexString()}"],{"some":"x"}]`)).toEqual(expected);
    expect(decode(args, `["${identity.toHexString()}",{"0":"x"}]`)).toEqual(expected);
  });

  test('numbers beyond 2^53 keep their digits both ways', () => {
    const wide = productType({ n: primitiveType('u256') });
    const n = 2n ** 256n - 1n;
    expect(decode(wide, encode(wide, { n }))).toEqual({ n });
    expect(stringifyJson(parseJson('[9007199254740993,{"a":null}]'))).toBe('[9007199254740993,{"a":null}]');
  });

  test('zero keeps its sign both ways', () => {
    const type = productType({ x: primitiveType('f64'), y: primitiveType('f32') });
    expect(encode(type, { x: -0, y: -0 })).toBe('[-0,-0]');
    expect(decode(type, '[-0,-0.0]')).toEqual({ x: -0, y: -0 });
    expect(stringifyJson(parseJson('[-0,0]'))).toBe('[-0,0]');
  });

  test('every value comes back, floats that JSON cannot say excepted', () => {
    fc.assert(
      fc.property(typeAndValue, ({ type, value }) => {
        const json = encode(type, value);
        if (json.includes('null')) return;
        const codec = compileCodec(type);
        expect(encodeToBytes(codec, decode(type, json))).toEqual(encodeToBytes(codec, value));
      }),
    );
  });
});

describe('client messages of v1.text', () => {
  test('as the SDK writes them', () => {
    expect(decodeTextClientMessage('{"subscribe": { "query_strings": ["SELECT * FROM User"]}}')).toEqual({
      kind: 'subscribe',
      queries: ['SELECT * FROM User'],
    });
    expect(decodeTextClientMessage('{"call": {"fn": "set_name", "args": ["ada"]}}')).toEqual({
      kind: 'call',
      reducer: 'set_name',
      args: ['ada'],
    });
  });

  test.each([
    ['', /not JSON/],
    ['[]', /a message is an object/],
    ['{}', /one name/],
    ['{"subscribe":{"query_strings":[]},"call":{}}', /one name/],
    ['{"subscribe":{}}', /query_strings is missing/],
    ['{"subscribe":{"query_strings":[1]}}', /a query is a text/],
    ['{"call":{"fn":"x"}}', /fn and args are needed/],
    ['{"call":{"fn":1,"args":[]}}', /fn is a text/],
    ['{"cal":{}}', /there is no message "cal"/],
  ])('%j is refused', (text, message) => {
    expect(() => decodeTextClientMessage(text)).toThrow(message);
  });

  test('whatever comes, the answer is a message or a WireError', () => {
    const samples = [
      encodeTextClientMessage({ kind: 'subscribe', queries: ['SELECT * FROM a', 'é'] }),
      encodeTextClientMessage({ kind: 'call', reducer: 'add', args: '[1,{"0":"x"}]' }),
    ];
    const types = productType({ who: IDENTITY_TYPE, name: optionType(string), at: SCHEDULE_AT_TYPE });
    const attempt = (text: string): void => {
      try {
        const message = decodeTextClientMessage(text);
        if (message.kind === 'call') valueFromJson(types, toSatsJson(types, message.args, NONE));
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    };
    fc.assert(fc.property(fc.string({ unit: 'binary' }), attempt), { numRuns: 500 });
    fc.assert(
      fc.property(fc.json(), (args) => attempt(`{"call":{"fn":"f","args":${args}}}`)),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.nat(),
        fc.string({ maxLength: 3 }),
        (sample, at, insert) => {
          const cut = at % sample.length;
          attempt(sample.slice(0, cut) + insert + sample.slice(cut + 1));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
