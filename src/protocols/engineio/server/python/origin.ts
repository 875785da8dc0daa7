import type { IncomingMessage } from 'node:http';

import { type Environ, makeEnviron } from './environ.js';

/** `*`, one origin, several, none at all (`[]`: nothing is checked and no header sent), or a function. */
export type OriginPolicy =
  | string
  | readonly string[]
  | ((origin: string, environ: Environ) => boolean)
  | null;

/** Without a policy: the origins under which the server itself is seen, a proxy's included. */
export function isOriginAllowed(policy: OriginPolicy | undefined, request: IncomingMessage): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return true;
  if (policy === undefined || policy === null) return ownOrigins(request).includes(origin);
  if (typeof policy === 'function') return policy(origin, makeEnviron(request));
  if (typeof policy === 'string') return policy === '*' || policy === origin;
  return policy.length === 0 || policy.includes('*') || policy.includes(origin);
}

function ownOrigins(request: IncomingMessage): readonly string[] {
  const { host } = request.headers;
  const scheme = 'encrypted' in request.socket ? 'https' : 'http';
  const forwardedScheme = first(request.headers['x-forwarded-proto']);
  const forwardedHost = first(request.headers['x-forwarded-host']);
  const own = [`${scheme}://${host ?? ''}`];
  if (forwardedScheme !== undefined || forwardedHost !== undefined) {
    own.push(`${forwardedScheme ?? scheme}://${forwardedHost ?? host ?? ''}`);
  }
  return own;
}

function first(header: string | string[] | undefined): string | undefined {
  return (Array.isArray(header) ? header[0] : header)?.split(',')[0]?.trim();
}
