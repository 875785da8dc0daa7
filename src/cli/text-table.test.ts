import { expect, test } from 'vitest';
import { textTable } from './text-table.js';

test('columns are as wide as their widest cell', () => {
  expect(
    textTable(
      ['name', 'n'],
      [
        ['ada lovelace', '1'],
        ['bob', '20000'],
      ],
    ),
  ).toEqual([
    ' name         | n     ',
    '--------------+-------',
    ' ada lovelace | 1     ',
    ' bob          | 20000 ',
  ]);
});

test('columns stay straight with letters that are two columns wide, combined, or emoji', () => {
  expect(
    textTable(
      ['name', 'n'],
      [
        ['世界', '1'],
        ['e\u0301a', '2'],
        ['👩‍👩‍👧', '3'],
      ],
    ),
  ).toEqual([' name | n ', '------+---', ' 世界 | 1 ', ' e\u0301a   | 2 ', ' 👩‍👩‍👧   | 3 ']);
});

test('a table without rows has its headings', () => {
  expect(textTable(['name'], [])).toEqual([' name ', '------']);
});
