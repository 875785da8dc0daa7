import { MatchPolicy } from './policies.js';
import { prefixMatch, wildcardMatch } from './uri.js';
import type { UriPattern } from './uri.js';

/**
 * Values under URI patterns, found as our router finds a registration: exact, else the longest prefix that ends with a component,
 * else the wildcard with the longest run of literal components before its first empty one, then the next run, and so on, else the
 * longest prefix that ends within a component (the specification's prefixes are of the text, its example of ranking is not).
 */
export class UriMap<Value> {
  readonly #byPolicy: Readonly<Record<MatchPolicy, Map<string, Value>>> = {
    exact: new Map(),
    prefix: new Map(),
    wildcard: new Map(),
  };

  constructor(entries: Iterable<readonly [string | UriPattern, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return Object.values(this.#byPolicy).reduce((sum, entries) => sum + entries.size, 0);
  }

  set(key: string | UriPattern, value: Value): this {
    const { uri, match } = patternOf(key);
    this.#byPolicy[match].set(uri, value);
    return this;
  }

  delete(key: string | UriPattern): boolean {
    const { uri, match } = patternOf(key);
    return this.#byPolicy[match].delete(uri);
  }

  /** Whether this very pattern was set. */
  has(key: string | UriPattern): boolean {
    const { uri, match } = patternOf(key);
    return this.#byPolicy[match].has(uri);
  }

  /** The value of the best pattern that covers `uri`. */
  find(uri: string): Value | undefined {
    const { exact, prefix, wildcard } = this.#byPolicy;
    if (exact.has(uri)) return exact.get(uri);
    const prefixes = [...prefix.keys()].filter((key) => prefixMatch(key, uri));
    const whole = best(
      prefixes.filter((key) => endsWithComponent(key, uri)),
      byLength,
    );
    if (whole !== undefined) return prefix.get(whole);
    const wildcards = [...wildcard.keys()].filter((key) => wildcardMatch(key, uri));
    const closest = best(wildcards, byLiteralRuns);
    if (closest !== undefined) return wildcard.get(closest);
    const longest = best(prefixes, byLength);
    return longest === undefined ? undefined : prefix.get(longest);
  }

  *[Symbol.iterator](): IterableIterator<readonly [UriPattern, Value]> {
    for (const match of Object.values(MatchPolicy)) {
      for (const [uri, value] of this.#byPolicy[match]) yield [{ uri, match }, value];
    }
  }
}

function patternOf(key: string | UriPattern): UriPattern {
  return typeof key === 'string' ? { uri: key, match: MatchPolicy.exact } : key;
}

function best(keys: readonly string[], compare: (a: string, b: string) => number): string | undefined {
  return keys.reduce<string | undefined>((a, b) => (a === undefined || compare(b, a) > 0 ? b : a), undefined);
}

function endsWithComponent(prefix: string, uri: string): boolean {
  return prefix.length === uri.length || prefix.endsWith('.') || uri[prefix.length] === '.';
}

const byLength = (a: string, b: string): number => a.length - b.length;

function byLiteralRuns(a: string, b: string): number {
  const runsOfB = literalRuns(b);
  for (const [i, run] of literalRuns(a).entries()) {
    const difference = run - (runsOfB[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** `a.b..d..f` is 2, 1, 1: how many components stand between the wildcards. */
function literalRuns(pattern: string): readonly number[] {
  const runs = [0];
  for (const part of pattern.split('.')) {
    if (part === '') runs.push(0);
    else runs[runs.length - 1]! += 1;
  }
  return runs;
}
