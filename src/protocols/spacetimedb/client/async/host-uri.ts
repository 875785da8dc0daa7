import { SpacetimeDBException } from './spacetimedb-exception.js';

/** `localhost:3000` as the address of a server. Throws SpacetimeDBException when it is more or less than that. */
export function hostUri(host: string, sslEnabled: boolean): URL {
  const text = `${sslEnabled ? 'wss' : 'ws'}://${host}`;
  const uri = typeof host === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  const isOnlyHost =
    uri !== undefined &&
    !/[/?#@\\\s]/.test(host) &&
    uri.pathname === '/' &&
    uri.search === '' &&
    uri.hostname !== '';
  if (isOnlyHost) return uri;
  throw new SpacetimeDBException(
    'BAD_ARGUMENTS',
    `the host is a name or address with its port, like "localhost:3000", not ${JSON.stringify(host)}`,
  );
}
