import { matchesUri } from '../messages/uri.js';
import { MatchPolicy } from './policies.js';

export { Uris as Uri } from '../messages/uri.js';

/** A URI together with how it is to be compared. */
export interface UriPattern {
  readonly uri: string;
  readonly match: MatchPolicy;
}

/** `uri('com.app.', { match: 'prefix' })`: what `UriMap` and `ErrorMap` take as keys. */
export function uri(text: string, options: { readonly match?: MatchPolicy } = {}): UriPattern {
  return { uri: text, match: options.match ?? MatchPolicy.exact };
}

/** Whether `text` starts with `prefix`, character by character: `com.app` also covers `com.apple`. */
export function prefixMatch(prefix: string, text: string): boolean {
  return matchesUri(prefix, MatchPolicy.prefix, text);
}

/** Whether both have as many components, and those of `pattern` are equal or empty. */
export function wildcardMatch(pattern: string, text: string): boolean {
  return matchesUri(pattern, MatchPolicy.wildcard, text);
}

export function policyMatch(pattern: UriPattern, text: string): boolean {
  return matchesUri(pattern.uri, pattern.match, text);
}
