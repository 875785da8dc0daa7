import type { IncomingHttpHeaders } from 'node:http';

/** Which pages of other origins may call a route. */
export interface CorsPolicy {
  readonly origins: '*' | readonly string[];
  /** Request headers a page may set. */
  readonly headers: readonly string[];
  /** How long a browser may remember the answer to a preflight. */
  readonly maxAgeSeconds?: number;
}

/** What SpacetimeDB's routes allow. */
export const corsAnyOrigin: CorsPolicy = {
  origins: '*',
  headers: ['authorization', 'accept', 'content-type'],
};

export function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/** The headers that every answer of the route carries. */
export function corsHeaders(policy: CorsPolicy, origin: string | undefined): Record<string, string> {
  if (policy.origins === '*') return { 'access-control-allow-origin': '*' };
  const vary = { vary: 'origin' };
  if (origin === undefined || !policy.origins.includes(origin)) return vary;
  return { ...vary, 'access-control-allow-origin': origin };
}

/** The headers of the answer to a preflight. */
export function preflightHeaders(
  policy: CorsPolicy,
  origin: string | undefined,
  methods: readonly string[],
): Record<string, string> {
  return {
    ...corsHeaders(policy, origin),
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': policy.headers.join(', '),
    ...(policy.maxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(policy.maxAgeSeconds) }),
  };
}
