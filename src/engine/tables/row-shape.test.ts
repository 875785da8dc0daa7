import { anything, assert, dictionary, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrayType, primitiveType } from '../../values/algebraic-type.js';
import { IDENTITY_TYPE, optionType, SCHEDULE_AT_TYPE } from '../../values/special-types.js';
import { tableDef } from '../testing/table-def.js';
import { compileGetter, compileRowShape, isImmutableType } from './row-shape.js';

const table = tableDef('t', {
  columns: {
    id: primitiveType('u64'),
    f: primitiveType('f32'),
    s: primitiveType('string'),
    constructor: optionType(primitiveType('string')),
  },
});
const generated = compileRowShape(table, true);
const closures = compileRowShape(table, false);

describe('generated code and closures', () => {
  test('copy and judge any object alike', () => {
    const keys = string().map((text) => ['id', 'f', 's', 'constructor', text][text.length % 5]!);
    assert(
      property(dictionary(keys, anything()), (row) => {
        expect(generated.copy(row)).toEqual(closures.copy(row));
        expect(generated.isExact(row)).toBe(closures.isExact(row));
      }),
    );
  });

  test('copy a stored row so that the copy may be changed', () => {
    const stored = generated.copy({ id: 1n, f: 0.1, s: 'x' });
    for (const shape of [generated, closures]) {
      const copied = shape.copyStored(stored);
      expect(copied).toStrictEqual(stored);
      copied['s'] = 'y';
      expect(stored['s']).toBe('x');
    }
  });

  test('accept a row with exactly the columns', () => {
    const row = { id: 1n, f: 0.5, s: 'x', constructor: undefined };
    for (const shape of [generated, closures]) {
      expect(shape.isExact(row)).toBe(true);
      expect(shape.isExact({ ...row, more: 1 })).toBe(false);
      expect(shape.isExact({ ...row, id: undefined })).toBe(false);
    }
  });

  test('a property name stays a name whatever is in it', () => {
    const hostile = '"]; throw new Error("executed"); //';
    expect(compileGetter(hostile)({ [hostile]: 7 })).toBe(7);
    expect(compileGetter(hostile, false)({ [hostile]: 7 })).toBe(7);
  });
});

test('only types whose values cannot change in place are shared with the caller', () => {
  for (const type of [primitiveType('u256'), IDENTITY_TYPE, optionType(IDENTITY_TYPE)])
    expect(isImmutableType(type)).toBe(true);
  for (const type of [
    arrayType(primitiveType('u8')),
    SCHEDULE_AT_TYPE,
    optionType(arrayType(primitiveType('u8'))),
  ])
    expect(isImmutableType(type)).toBe(false);
});
