import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type MatchPolicy, type Pattern, PatternIndex } from './pattern-index.js';

function isMatch({ uri, match }: Pattern, name: string): boolean {
  if (match === 'exact') return uri === name;
  if (match === 'prefix') return name.startsWith(uri);
  const want = uri.split('.');
  const have = name.split('.');
  return want.length === have.length && want.every((part, i) => part === '' || part === have[i]);
}

/** Lengths of the runs of literal components. */
function runsOf(uri: string): number[] {
  const runs = [0];
  for (const part of uri.split('.')) {
    if (part === '') runs.push(0);
    else runs[runs.length - 1]!++;
  }
  return runs;
}

/** As the specification puts it, with no index. */
function naiveBest(patterns: readonly Pattern[], name: string): Pattern | undefined {
  const matching = patterns.filter((pattern) => isMatch(pattern, name));
  const exact = matching.find(({ match }) => match === 'exact');
  if (exact !== undefined) return exact;
  const isWhole = ({ uri }: Pattern): boolean => name === uri || name.startsWith(`${uri}.`);
  const prefixes = matching
    .filter(({ match }) => match === 'prefix')
    .toSorted((a, b) => b.uri.length - a.uri.length);
  const wildcards = matching.filter(({ match }) => match === 'wildcard');
  return prefixes.find(isWhole) ?? naiveWildcard(wildcards) ?? prefixes[0];
}

function naiveWildcard(wildcards: readonly Pattern[]): Pattern | undefined {
  return wildcards.toSorted((a, b) => {
    const [x, y] = [runsOf(a.uri), runsOf(b.uri)];
    const at = x.findIndex((run, i) => run !== (y[i] ?? 0));
    return at < 0 ? 0 : (y[at] ?? 0) - x[at]!;
  })[0];
}

const part = fc.constantFrom('a', 'b', 'ab');
const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
const wildcard = fc
  .array(fc.oneof(part, fc.constant('')), { minLength: 2, maxLength: 4 })
  .map((parts): Pattern => ({ uri: parts.join('.'), match: 'wildcard' }));
const plain = fc
  .tuple(name, fc.constantFrom<MatchPolicy>('exact', 'prefix'))
  .map(([uri, match]): Pattern => ({ uri, match }));
const patterns = fc.uniqueArray(fc.oneof(plain, wildcard), {
  maxLength: 12,
  selector: ({ uri, match }) => `${match} ${uri}`,
});

describe('PatternIndex', () => {
  it('finds what a naive matcher finds, also after removals', () => {
    fc.assert(
      fc.property(
        patterns,
        fc.array(name, { minLength: 1, maxLength: 5 }),
        fc.nat(12),
        (patterns, names, removed) => {
          const index = new PatternIndex<Pattern>();
          for (const pattern of patterns) index.add(pattern);
          for (const pattern of patterns.slice(0, removed)) index.remove(pattern);
          const left = patterns.slice(removed);
          for (const name of names) {
            const found: Pattern[] = [];
            index.forEachMatch(name, (pattern) => found.push(pattern));
            expect(new Set(found)).toEqual(new Set(left.filter((pattern) => isMatch(pattern, name))));
            expect(found.length).toBe(new Set(found).size);
            expect(index.findBest(name)).toBe(naiveBest(left, name));
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('ranks as the example of the specification', () => {
    const index = new PatternIndex<Pattern & { id: number }>();
    index.add({ id: 1, uri: 'a1.b2.c3.d4.e55', match: 'exact' });
    index.add({ id: 2, uri: 'a1.b2.c3', match: 'prefix' });
    index.add({ id: 3, uri: 'a1.b2.c3.d4', match: 'prefix' });
    index.add({ id: 4, uri: 'a1.b2..d4.e5', match: 'wildcard' });
    index.add({ id: 5, uri: 'a1.b2.c33..e5', match: 'wildcard' });
    index.add({ id: 6, uri: 'a1.b2..d4.e5..g7', match: 'wildcard' });
    index.add({ id: 7, uri: 'a1.b2..d4..f6.g7', match: 'wildcard' });
    const names = [
      'a1.b2.c3.d4.e55', 'a1.b2.c3.d98.e74', 'a1.b2.c3.d4.e325', 'a1.b2.c55.d4.e5', 'a1.b2.c33.d4.e5',
      'a1.b2.c88.d4.e5.f6.g7', 'a2.b2.c2.d2.e2',
    ]; // prettier-ignore
    expect(names.map((name) => index.findBest(name)?.id)).toEqual([1, 2, 3, 4, 5, 6, undefined]);
  });
});
