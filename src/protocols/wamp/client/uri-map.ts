import { matchesUri } from '../messages/uri.js';
import { MatchPolicy } from './policies.js';
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
    let best: { readonly rank: readonly number[]; readonly value: Value } | undefined;
    for (const [pattern, value] of this) {
      if (!matchesUri(pattern.uri, pattern.match, uri)) continue;
      const rank = rankOf(pattern, uri);
      if (best === undefined || isHigher(rank, best.rank)) best = { rank, value };
    }
    return best?.value;
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

/** How well a pattern fits: its kind, then within that kind. */
function rankOf({ uri: pattern, match }: UriPattern, uri: string): readonly number[] {
  if (match === MatchPolicy.exact) return [3];
  if (match === MatchPolicy.wildcard) return [1, ...literalRuns(pattern)];
  const { length } = pattern;
  const endsWithComponent = length === uri.length || pattern.endsWith('.') || uri[length] === '.';
  return [endsWithComponent ? 2 : 0, length];
}

function isHigher(rank: readonly number[], other: readonly number[]): boolean {
  const at = rank.findIndex((part, i) => part !== (other[i] ?? 0));
  return at >= 0 && rank[at]! > (other[at] ?? 0);
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
