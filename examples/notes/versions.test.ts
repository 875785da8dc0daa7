import { expect, test } from 'vitest';

import { initialsOf, makePerson, makeStranger, readPerson, rename } from './web/person.js';
import { groupVersions, type Version } from './web/versions.js';

const at = (offset: number, seconds: number, author: string | null): Version => ({
  offset,
  timestampMicros: seconds * 1e6,
  author,
});

test('edits are put together until somebody else goes on, after a pause, and where the past was brought back', () => {
  const versions = [
    at(1, 0, null),
    at(2, 1, 'a'),
    at(3, 60, 'a'),
    at(4, 61, 'b'),
    at(5, 121, 'b'),
    at(6, 122, 'b'),
  ];
  const chapters = groupVersions(versions, new Set([6]));
  expect(chapters.map(({ offset, author, editCount }) => [offset, author, editCount])).toEqual([
    [6, 'b', 1],
    [5, 'b', 1],
    [4, 'b', 1],
    [3, 'a', 2],
    [1, null, 1],
  ]);
  expect(groupVersions([])).toEqual([]);
});

test('what somebody else says of himself is looked at before it is shown', () => {
  const ada = makePerson('Ada', '#1971c2');
  expect(readPerson(ada)).toEqual(ada);
  expect(readPerson({ name: 'x'.repeat(100), color: '#1971c2' })?.name).toHaveLength(40);
  for (const bad of [null, 'Ada', {}, { name: 1, color: '#1971c2' }, { name: 'Ada', color: 'url(//evil)' }])
    expect(readPerson(bad)).toBeUndefined();
  for (const random of [0, 0.5, 0.999_999]) expect(readPerson(makeStranger(random))).toBeDefined();
});

test('initials are of two words at most; another name comes with another colour', () => {
  expect(['ada lovelace king', ' Bob ', '😀 x', ''].map(initialsOf)).toEqual(['AL', 'B', '😀X', '']);
  const ada = makePerson('Ada', '#1971c2');
  expect(rename(ada, 'Eve')).toEqual(makePerson('Eve', '#1971c3'));
  expect(rename(rename(ada, 'Eve'), 'Ada')).toEqual(ada);
});
