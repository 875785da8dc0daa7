export type MatchPolicy = 'exact' | 'prefix' | 'wildcard';

/** A value that is filed under a pattern. */
export interface Pattern {
  readonly uri: string;
  readonly match: MatchPolicy;
}

interface WildcardNode<P> {
  readonly children: Map<string, WildcardNode<P>>;
  /** Takes any component. */
  any: WildcardNode<P> | undefined;
  value: P | undefined;
}

/**
 * Patterns, found by the names that they match. Exact ones are one lookup, prefixes one lookup for each different
 * length that is in use, wildcards a walk through a tree of components.
 */
export class PatternIndex<P extends Pattern> {
  readonly #exact = new Map<string, P>();
  readonly #prefixes = new Map<string, P>();
  /** Lengths of prefixes in use, the longest first, with how many have them. */
  readonly #lengths: { readonly length: number; count: number }[] = [];
  readonly #wildcards = new Map<string, P>();
  readonly #root: WildcardNode<P> = makeNode();

  get(uri: string, match: MatchPolicy): P | undefined {
    return this.#mapOf(match).get(uri);
  }

  /** All patterns of one kind, the oldest first. */
  list(match: MatchPolicy): Iterable<P> {
    return this.#mapOf(match).values();
  }

  add(pattern: P): void {
    const { uri, match } = pattern;
    const map = this.#mapOf(match);
    if (!map.has(uri) && match === 'prefix') this.#countLength(uri.length, 1);
    map.set(uri, pattern);
    if (match === 'wildcard') this.#nodeOf(uri).value = pattern;
  }

  remove({ uri, match }: Pattern): void {
    if (!this.#mapOf(match).delete(uri)) return;
    if (match === 'prefix') this.#countLength(uri.length, -1);
    else if (match === 'wildcard') removeFrom(this.#root, uri.split('.'), 0);
  }

  /** Calls `visit` for every pattern that takes `uri`: the exact one, prefixes, wildcards. */
  forEachMatch(uri: string, visit: (pattern: P) => void): void {
    const exact = this.#exact.get(uri);
    if (exact !== undefined) visit(exact);
    for (const { length } of this.#lengths) {
      if (length > uri.length) continue;
      const prefix = this.#prefixes.get(uri.slice(0, length));
      if (prefix !== undefined) visit(prefix);
    }
    if (this.#wildcards.size > 0) visitMatches(this.#root, uri.split('.'), 0, visit);
  }

  /**
   * The exact pattern; else the longest prefix that ends with a component; else the wildcard with the most literal
   * components before its first empty one, then the most up to the next, and so on; else the longest prefix that
   * ends within a component. The last rule is where the specification's prefixes, which are of the text, and its
   * example of ranking, where `a1.b2.c3` yields `a1.b2.c33.d4.e5` to a wildcard, are both kept.
   */
  findBest(uri: string): P | undefined {
    const exact = this.#exact.get(uri);
    if (exact !== undefined) return exact;
    let within: P | undefined;
    for (const { length } of this.#lengths) {
      if (length > uri.length) continue;
      const prefix = this.#prefixes.get(uri.slice(0, length));
      if (prefix === undefined) continue;
      if (length === uri.length || uri[length] === '.' || uri[length - 1] === '.') return prefix;
      within ??= prefix;
    }
    const wildcard = this.#wildcards.size > 0 ? findFirst(this.#root, uri.split('.'), 0) : undefined;
    return wildcard ?? within;
  }

  #mapOf(match: MatchPolicy): Map<string, P> {
    if (match === 'exact') return this.#exact;
    return match === 'prefix' ? this.#prefixes : this.#wildcards;
  }

  #countLength(length: number, change: 1 | -1): void {
    const at = this.#lengths.findIndex((entry) => entry.length <= length);
    const entry = this.#lengths[at];
    if (entry?.length !== length) {
      this.#lengths.splice(at < 0 ? this.#lengths.length : at, 0, { length, count: 1 });
      return;
    }
    entry.count += change;
    if (entry.count === 0) this.#lengths.splice(at, 1);
  }

  #nodeOf(uri: string): WildcardNode<P> {
    let node = this.#root;
    for (const part of uri.split('.')) {
      let next = part === '' ? node.any : node.children.get(part);
      if (next === undefined) {
        next = makeNode();
        if (part === '') node.any = next;
        else node.children.set(part, next);
      }
      node = next;
    }
    return node;
  }
}

function makeNode<P>(): WildcardNode<P> {
  return { children: new Map(), any: undefined, value: undefined };
}

function visitMatches<P>(
  node: WildcardNode<P>,
  parts: readonly string[],
  at: number,
  visit: (pattern: P) => void,
): void {
  if (at === parts.length) {
    if (node.value !== undefined) visit(node.value);
    return;
  }
  const literal = node.children.get(parts[at]!);
  if (literal !== undefined) visitMatches(literal, parts, at + 1, visit);
  if (node.any !== undefined) visitMatches(node.any, parts, at + 1, visit);
}

/** Literal components first: of two patterns, the one that is literal where they first differ has the longer run. */
function findFirst<P>(node: WildcardNode<P>, parts: readonly string[], at: number): P | undefined {
  if (at === parts.length) return node.value;
  const literal = node.children.get(parts[at]!);
  const found = literal === undefined ? undefined : findFirst(literal, parts, at + 1);
  if (found !== undefined || node.any === undefined) return found;
  return findFirst(node.any, parts, at + 1);
}

/** Removes a pattern and the branches that lead nowhere then; says whether `node` is one of them. */
function removeFrom<P>(node: WildcardNode<P>, parts: readonly string[], at: number): boolean {
  if (at === parts.length) {
    node.value = undefined;
  } else {
    const part = parts[at]!;
    const next = part === '' ? node.any : node.children.get(part);
    if (next !== undefined && removeFrom(next, parts, at + 1)) {
      if (part === '') node.any = undefined;
      else node.children.delete(part);
    }
  }
  return node.value === undefined && node.any === undefined && node.children.size === 0;
}
