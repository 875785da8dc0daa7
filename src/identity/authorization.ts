import type { IncomingHttpHeaders } from 'node:http';
import { AuthError } from './auth-error.js';

// RFC 6750 section 2.1: the characters a bearer token may have.
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

/**
 * The token of a request: an `Authorization: Bearer` header wins over the `token` parameter of the query.
 * Undefined when the request is anonymous; throws an AuthError when the header is there and is something else.
 *
 * @example
 * const token = parseAuthorization(request.headers, url.searchParams);
 */
export function parseAuthorization(
  headers: Pick<IncomingHttpHeaders, 'authorization'>,
  query: URLSearchParams,
): string | undefined {
  if (headers.authorization === undefined) return parseQueryToken(query.get('token'));
  const token = BEARER.exec(headers.authorization)?.[1];
  if (token === undefined) throw AuthError.malformed();
  return token;
}

function parseQueryToken(token: string | null): string | undefined {
  if (token === null) return undefined;
  if (token === '') throw AuthError.malformed();
  return token;
}
