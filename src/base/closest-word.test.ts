import { expect, test } from 'vitest';
import { closestWord } from './closest-word.js';

test('a slip is recognised', () => {
  expect(closestWord('nam', ['id', 'name'])).toBe('name');
  expect(closestWord('FORM', ['FROM', 'WHERE'])).toBe('FROM');
  expect(closestWord('Usr', ['message', 'user'])).toBe('user');
});

test('case alone always matches', () => {
  expect(closestWord('USERNAME', ['userName', 'user'])).toBe('userName');
});

test('something else is not a slip', () => {
  expect(closestWord('x', ['y', 'id'])).toBeUndefined();
  expect(closestWord('player', ['message', 'user'])).toBeUndefined();
  expect(closestWord('ab', [])).toBeUndefined();
});
