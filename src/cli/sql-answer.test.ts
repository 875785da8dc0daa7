import { expect, test } from 'vitest';
import { renderSqlAnswer } from './sql-answer.js';

const named = (name: string, type: unknown): unknown => ({ name: { some: name }, algebraic_type: type });
const single = (name: string, type: string): unknown => ({
  Product: { elements: [named(name, { [type]: [] })] },
});
const option = {
  Sum: { variants: [named('some', { String: [] }), named('none', { Product: { elements: [] } })] },
};

function answer(elements: readonly unknown[], rows: string, stats = {}): string {
  return `[{"schema":${JSON.stringify({ elements })},"rows":${rows},"total_duration_micros":1,"stats":${JSON.stringify(stats)}}]`;
}

test('rows are a table, with values in the words of their types', () => {
  const text = answer(
    [
      named('who', single('__identity__', 'U256')),
      named('name', option),
      named('at', single('__timestamp_micros_since_unix_epoch__', 'I64')),
      named('n', { U64: [] }),
    ],
    '[[["0xc2"],[0,"ada"],[1700000000123456],18446744073709551615],[["0xc3"],[1,[]],[-1],0]]',
  );
  expect(renderSqlAnswer(text)).toEqual([
    ' who  | name   | at                          | n                    ',
    '------+--------+-----------------------------+----------------------',
    ' 0xc2 | ada    | 2023-11-14T22:13:20.123456Z | 18446744073709551615 ',
    ' 0xc3 | (none) | 1969-12-31T23:59:59.999999Z | 0                    ',
    '(2 rows)',
  ]);
});

test('what a row says cannot move the cursor or begin a line', () => {
  const text = answer([named('text', { String: [] })], JSON.stringify([['a\u001b[2Jb\nc\u0007']]));
  expect(renderSqlAnswer(text)[2]).toBe(' ab\\nc\ufffd ');
});

test('a change says how many rows it changed', () => {
  const text = answer([], '[]', { rows_inserted: 0, rows_deleted: 2, rows_updated: 1 });
  expect(renderSqlAnswer(text)).toEqual(['0 inserted, 1 updated, 2 deleted']);
});
