import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../../base/byte-reader.js';
import { decodeHex, encodeHex } from '../../../base/hex.js';
import { EMPTY_ROWS, packRows, readRowList } from './row-list.js';
import { expectOnlyWireErrors } from './testing/fuzz.js';

const fromHex = (hex: string): Uint8Array => decodeHex(hex.replaceAll(/\s/g, ''))!;
const read = (hex: string): ReturnType<typeof readRowList> => readRowList(new ByteReader(fromHex(hex)));

describe('row lists', () => {
  test('no rows are an empty list of offsets', () => {
    expect(encodeHex(packRows([]).bytes)).toBe('010000000000000000');
    expect(encodeHex(EMPTY_ROWS.bytes)).toBe('010000000000000000');
  });

  test('rows of one length carry that length once', () => {
    expect(encodeHex(packRows([fromHex('0102'), fromHex('0304')]).bytes)).toBe('0002000400000001020304');
  });

  test('rows of different lengths carry where each starts', () => {
    const list = packRows([fromHex('01'), fromHex('0203')]);
    expect(encodeHex(list.bytes)).toBe(
      '0102000000000000000000000001000000000000000300000001020 3'.replace(' ', ''),
    );
  });

  test('rows without bytes are counted by their offsets', () => {
    const list = packRows([new Uint8Array(0), new Uint8Array(0)]);
    expect(list.bytes[0]).toBe(1);
    expect(readRowList(new ByteReader(list.bytes)).rows()).toEqual([new Uint8Array(0), new Uint8Array(0)]);
  });

  test.each([
    [65535, 0],
    [65536, 1],
  ])('a row of %i bytes has hint %i', (size, tag) => {
    const list = packRows([new Uint8Array(size)]);
    expect(list.bytes[0]).toBe(tag);
    expect(readRowList(new ByteReader(list.bytes)).rowAt(0).length).toBe(size);
  });

  test('what goes in comes out, row by row', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 5 })), (rows) => {
        const list = readRowList(new ByteReader(packRows(rows).bytes));
        expect(list.rowCount).toBe(rows.length);
        expect(list.rows().map(encodeHex)).toEqual(rows.map(encodeHex));
      }),
    );
  });

  test.each([
    ['an unknown hint', '02', 'BAD_TAG'],
    ['rows of no size that have bytes', '00 0000 01000000 ff', 'BAD_LENGTH'],
    ['bytes that are not whole rows', '00 0200 03000000 ffffff', 'BAD_LENGTH'],
    ['bytes but no rows', '01 00000000 01000000 ff', 'BAD_LENGTH'],
    ['four thousand million offsets in no bytes', '01 ffffffff', 'SHORT_READ'],
    ['a first row that does not start at 0', '01 01000000 0100000000000000 01000000 ff', 'BAD_VALUE'],
    ['an offset behind the data', '01 02000000 0000000000000000 0200000000000000 01000000 ff', 'BAD_VALUE'],
    [
      'an offset that only its high half betrays',
      '01 02000000 0000000000000000 0000000001000000 01000000 ff',
      'BAD_VALUE',
    ],
  ])('%s: refused', (_, hex, code) => {
    expect(() => read(hex)).toThrow(expect.objectContaining({ code }));
  });

  test('bytes that are not a list give a WireError and nothing else', () => {
    const samples = [
      packRows([fromHex('0102'), fromHex('0304')]),
      packRows([fromHex('01'), fromHex('0203')]),
      EMPTY_ROWS,
    ];
    expectOnlyWireErrors(
      samples.map((list) => list.bytes),
      (bytes) => readRowList(new ByteReader(bytes)).rows(),
    );
  });
});
