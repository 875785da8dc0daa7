/** What a request line asks for. */
export interface Target {
  /** As sent, without the query. */
  readonly path: string;
  /** Percent-decoded; `/a/b%2Fc` is `['a', 'b/c']`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'tail'; readonly name: string };

export interface PathPattern {
  readonly text: string;
  readonly segments: readonly Segment[];
}

/**
 * Parses a pattern: `:name` stands for one segment, `*name` (last) for all the rest, slashes included.
 *
 *     parsePattern('/v1/database/:name/call/:function')
 *     parsePattern('/static/*path')
 */
export function parsePattern(pattern: string): PathPattern {
  if (!pattern.startsWith('/')) throw new Error(`pattern "${pattern}" must begin with a slash`);
  const segments = pattern.slice(1).split('/').map(parseSegment);
  const isTailLast = segments.every((segment, i) => segment.kind !== 'tail' || i === segments.length - 1);
  if (!isTailLast) throw new Error(`pattern "${pattern}": a tail must come last`);
  return { text: pattern, segments };
}

function parseSegment(text: string): Segment {
  if (text.startsWith(':')) return { kind: 'param', name: text.slice(1) };
  if (text.startsWith('*')) return { kind: 'tail', name: text.slice(1) };
  return { kind: 'literal', text };
}

// What parameters inherit from, so that no name means anything by itself. Without any prototype each would be a hash table, 130 bytes more.
const NO_NAMES: object = Object.freeze(Object.create(null));

/** The parameters, or undefined if the path does not match. A tail never holds `.` or `..` between slashes. */
export function matchPattern(
  pattern: PathPattern,
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const last = pattern.segments.at(-1);
  const isLong = last?.kind === 'tail' && segments.length >= pattern.segments.length;
  if (segments.length !== pattern.segments.length && !isLong) return undefined;
  for (let i = 0; i < pattern.segments.length; i++) {
    const segment = pattern.segments[i]!;
    if (segment.kind === 'literal' && segments[i] !== segment.text) return undefined;
  }
  const params = Object.create(NO_NAMES) as Record<string, string>;
  for (let i = 0; i < pattern.segments.length; i++) {
    const segment = pattern.segments[i]!;
    if (segment.kind === 'literal') continue;
    if (segment.kind === 'param') {
      params[segment.name] = segments[i]!;
    } else {
      const tail = segments.slice(i).join('/');
      if (tail.split(/[/\\]/).some(isDots)) return undefined;
      params[segment.name] = tail;
    }
  }
  return params;
}

/** Orders patterns so that the more specific one comes first: literal before parameter before tail. */
export function comparePatterns(a: PathPattern, b: PathPattern): number {
  const rank = { literal: 0, param: 1, tail: 2 };
  for (let i = 0; i < Math.min(a.segments.length, b.segments.length); i++) {
    const difference = rank[a.segments[i]!.kind] - rank[b.segments[i]!.kind];
    if (difference !== 0) return difference;
  }
  return b.segments.length - a.segments.length;
}

/** Parses the target of a request line; undefined if it is not one that is served (answer 400). */
export function parseTarget(url: string): Target | undefined {
  const origin = url.startsWith('/') ? url : stripAuthority(url);
  if (origin === undefined) return undefined;
  const mark = origin.indexOf('?');
  const path = mark < 0 ? origin : origin.slice(0, mark);
  const segments: string[] = [];
  for (const raw of path.slice(1).split('/')) {
    const segment = decodeSegment(raw);
    // Clients resolve dots before they send; who did not wants to climb out of something.
    if (segment === undefined || isDots(segment) || segment.includes('\0')) return undefined;
    segments.push(segment);
  }
  return new ParsedTarget(path, segments, mark < 0 ? '' : origin.slice(mark + 1));
}

/** Parses the query when somebody asks for it: many routes never do, and it costs more than the path. */
class ParsedTarget implements Target {
  readonly path: string;
  readonly segments: readonly string[];
  readonly #search: string;
  #query: URLSearchParams | undefined;

  constructor(path: string, segments: readonly string[], search: string) {
    this.path = path;
    this.segments = segments;
    this.#search = search;
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#search));
  }
}

/** `http://host/path` is a legal target, which proxies send. */
function stripAuthority(url: string): string | undefined {
  const match = /^https?:\/\/[^/?#]+(?<rest>.*)$/i.exec(url);
  if (match === null) return undefined;
  const rest = match.groups?.['rest'] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function decodeSegment(raw: string): string | undefined {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..';
}
