import * as Uris from './uris.js';

export { Uris };

export type MatchPolicy = 'exact' | 'prefix' | 'wildcard';

const LOOSE = /^(?:[^\s.#]+\.)*[^\s.#]+$/;
const LOOSE_EMPTY = /^(?:[^\s.#]+\.|\.)*(?:[^\s.#]+)?$/;
const STRICT = /^(?:[0-9a-z_]+\.)*[0-9a-z_]+$/;
const STRICT_EMPTY = /^(?:[0-9a-z_]+\.|\.)*(?:[0-9a-z_]+)?$/;

// Longer than any name somebody typed; keeps pattern indexes shallow.
export const URI_LENGTH_MAX = 1024;

/**
 * Whether `uri` may name something (spec "URIs"). Empty components are for wildcards; a prefix may end in a dot.
 *
 *     isUri('com.example.add', 'exact'); // true
 *     isUri('com..add', 'exact'); // false
 */
export function isUri(uri: string, match: MatchPolicy = 'exact', isStrict = false): boolean {
  if (uri.length > URI_LENGTH_MAX) return false;
  if (match === 'wildcard') return uri !== '' && (isStrict ? STRICT_EMPTY : LOOSE_EMPTY).test(uri);
  // `com.example.` is the prefix of everything below it, but not of `com.example2`.
  const name = match === 'prefix' && uri.endsWith('.') ? uri.slice(0, -1) : uri;
  return (isStrict ? STRICT : LOOSE).test(name);
}

/** Whether `pattern` takes `uri`. A prefix is one of the text; a wildcard has as many components, empty ones take any. */
export function matchesUri(pattern: string, match: MatchPolicy, uri: string): boolean {
  if (match === 'exact') return pattern === uri;
  if (match === 'prefix') return uri.startsWith(pattern);
  const want = pattern.split('.');
  const have = uri.split('.');
  return want.length === have.length && want.every((part, i) => part === '' || part === have[i]);
}
