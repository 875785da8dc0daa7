import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { primitiveType } from '../../values/algebraic-type.js';
import type { Row, Viewer } from '../contract.js';
import { schemaOf } from '../testing/table-def.js';
import { bindSubscription } from './bind.js';
import type { BoundExpression } from './bound.js';
import { compareFloats, compareUtf8, comparandKey } from './comparand.js';
import { parseSql } from './parser.js';
import { compilePredicate } from './predicate.js';
import { arbitraryCondition, arbitraryRow, SAMPLED_COLUMNS, SENDER } from './testing/arbitrary-condition.js';

const viewer: Viewer = { identity: SENDER, isOwner: false };
const columns = Object.keys(SAMPLED_COLUMNS);
const schema = schemaOf({
  t: { columns: Object.fromEntries(columns.map((name) => [name, SAMPLED_COLUMNS[name]!.type])) },
});

test.each([[true], [false]])('predicates mean what their text says (generated code: %s)', (codegen) => {
  const rows = fc.array(arbitraryRow(columns), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(arbitraryCondition(columns), rows, (condition, sample) => {
      const matches = compilePredicate(whereOf(condition.sql), { codegen });
      for (const row of sample) expect(matches(row)).toBe(condition.isTrueOf(row));
    }),
    { numRuns: 1500 },
  );
});

describe('names never become code', () => {
  test.each(['x"]; throw 1; //', "it's", '`${1}`', '\u2028', '__proto__', 'constructor', '\\'])(
    '%j',
    (name) => {
      const hostile = schemaOf({ t: { columns: { placeholder: primitiveType('string') } } });
      const [table] = hostile.tables;
      const column = { ...table!.columns[0]!, name, property: name };
      const quoted = `"${name.replaceAll('"', '""')}"`;
      const [bound] = bindSubscription(
        parseSql(`SELECT * FROM t WHERE ${quoted} = 'yes'`, 'subscription'),
        { ...hostile, tables: [{ ...table!, columns: [column] }] },
        viewer,
      );
      const row = Object.defineProperty({}, name, { value: 'yes', enumerable: true }) as Row;
      expect(compilePredicate(bound!.where)(row)).toBe(true);
      expect(compilePredicate(bound!.where)({})).toBe(false);
    },
  );
});

test('strings order as their UTF-8 bytes do', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    {
      numRuns: 2000,
      examples: [
        ['\u{1F4A5}', '\uFFFD'],
        ['\uE000', '\u{10000}'],
        ['a', 'a'],
      ],
    },
  );
});

test('floats have a total order', () => {
  const order = [-Infinity, -1, 0, 1, Infinity, Number.NaN];
  expect(order.toReversed().sort(compareFloats)).toEqual(order);
  expect(compareFloats(Number.NaN, Number.NaN)).toBe(0);
  expect(compareFloats(-0, 0)).toBe(0);
});

test('integers have keys of their own on either side of 2^53, and none is a bigint', () => {
  const values = [0n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n, -(2n ** 53n), -(2n ** 63n)];
  const keys = values.map(comparandKey);
  expect(new Set(keys).size).toBe(values.length);
  expect(keys.some((key) => typeof key === 'bigint')).toBe(false);
});

function whereOf(condition: string): BoundExpression {
  const statement = parseSql(`SELECT * FROM t WHERE ${condition}`, 'subscription');
  return bindSubscription(statement, schema, viewer)[0]!.where;
}
