import { expect, it } from 'vitest';
import { Identity } from '../values/identity.js';
import type { Credentials } from './claims.js';
import { TokenCache } from './token-cache.js';

function credentials(token: string, expiresAtMicros?: number): Credentials {
  return { identity: Identity.zero(), token, issuer: 'i', subject: 's', payload: '{}', expiresAtMicros };
}

it('forgets the token that was not used for the longest time', () => {
  const cache = new TokenCache(2);
  cache.put(credentials('a'), 100);
  cache.put(credentials('b'), 100);
  cache.get('a', 0);
  cache.put(credentials('c'), 100);
  expect(['a', 'b', 'c'].map((token) => cache.get(token, 0)?.token)).toEqual(['a', undefined, 'c']);
  expect(cache.size).toBe(2);
});

it('gives a token until its time is over, not at it', () => {
  const cache = new TokenCache(4);
  cache.put(credentials('kept for long enough'), 10);
  cache.put(credentials('expires', 5), 10);
  expect(cache.get('kept for long enough', 9)).toBeDefined();
  expect(cache.get('kept for long enough', 10)).toBeUndefined();
  expect(cache.get('expires', 4)).toBeDefined();
  expect(cache.get('expires', 5)).toBeUndefined();
  expect(cache.size).toBe(0);
});
