import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { matchPattern, parsePattern, parseTarget } from './path.js';

function match(pattern: string, url: string): Record<string, string> | undefined {
  const target = parseTarget(url);
  const params = target && matchPattern(parsePattern(pattern), target.segments);
  return params && { ...params };
}

test.each([
  ['/', '/', {}],
  ['/a/b', '/a/b', {}],
  ['/a/b', '/a/b/', undefined],
  ['/a/b', '/a', undefined],
  ['/v1/:name/call/:function', '/v1/chat/call/send?x=1', { name: 'chat', function: 'send' }],
  ['/v1/:name', '/v1/a%20b%2Fc%3F', { name: 'a b/c?' }],
  ['/v1/:name', '/v1/', { name: '' }],
  ['/static/*path', '/static/css/a.css', { path: 'css/a.css' }],
  ['/static/*path', '/static/', { path: '' }],
  ['/static/*path', '/static', undefined],
  ['/*path', '/', { path: '' }],
  ['/*path', '//double', { path: '/double' }],
  ['/a', 'http://host:80/a?b', {}],
  ['/', 'HTTP://host', {}],
] as const)('%s and %s', (pattern, url, expected) => {
  expect(match(pattern, url)).toEqual(expected);
});

test.each([
  '/%',
  '/%zz',
  '/%ff',
  '/%c3%28',
  '/a/../b',
  '/a/./b',
  '/%2e%2e/etc',
  '/a%00b',
  '*',
  '',
  'a',
  'ftp://host/a',
  'http:///a',
])('%j is not a target', (url) => {
  expect(parseTarget(url)).toBeUndefined();
});

test.each(['/static/..%2fsecret', '/static/a%2f..%2f..%2fb', '/static/..%5csecret', '/static/a%5C.%5Cb'])(
  'the tail of %s does not climb',
  (url) => {
    expect(match('/static/*path', url)).toBeUndefined();
  },
);

test('__proto__ is a value and a name like any other', () => {
  expect(match('/:__proto__', '/x')).toEqual({ ['__proto__']: 'x' });
  const params = matchPattern(parsePattern('/:name'), ['__proto__']);
  expect(params?.['name']).toBe('__proto__');
  expect(params?.['constructor']).toBeUndefined();
});

test('any text makes the way through a parameter', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
      fc.pre(!['.', '..'].includes(text) && !text.includes('\0'));
      expect(match('/rooms/:id', `/rooms/${encodeURIComponent(text)}`)).toEqual({ id: text });
    }),
  );
});

test('any request target is parsed or refused, and a tail never climbs', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 30 }), fc.boolean(), (text, isRooted) => {
      const tail = match('/*path', isRooted ? `/${text}` : text)?.['path'];
      if (tail !== undefined) expect(tail.split(/[/\\]/)).not.toContain('..');
    }),
  );
});

test('a pattern with a tail in the middle is refused', () => {
  expect(() => parsePattern('/*a/b')).toThrow('a tail must come last');
  expect(() => parsePattern('a')).toThrow('must begin with a slash');
});
